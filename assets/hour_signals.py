"""Signals about hours, missing weeks and who owes them, and the messages about both."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from resources.notifier import Notifier
from zio_pipeline.errors import ZioError
from zio_pipeline.hours.alerts import serious_in_words
from zio_pipeline.hours.missing import APPROVE, FORWARD, HAND_IN, owed_in_words
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import (
    Outcome,
    contract_check,
    stopped,
    tables_made,
    warning_check,
    warning_outcome,
)
from zio_pipeline.orchestration.partitions import (
    SCHOOL_YEARS,
    months,
    months_to_year,
    school_years,
    year_of,
    year_to_months,
)
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.stages import signals

SERIOUS = "ernstige_signalen"
OWED = {HAND_IN: "ingeleverd", APPROVE: "akkoord_school", FORWARD: "doorgestuurd"}
"""Step -> the check that says who owes which weeks of it."""
SENT = "berichten_verzonden"
IN_TIME = "op_tijd"

earlier_months = dg.StaticPartitionMapping(
    {month: set(year.months()[at:]) for year in SCHOOL_YEARS for at, month in enumerate(year.months())}
)
"""A month is held against itself and the earlier months of its school year."""


@dg.multi_asset(
    name="hour_signals",
    specs=[
        product_spec(
            "hour_signals",
            [
                dg.AssetDep("provider_timesheets", partition_mapping=earlier_months),
                dg.AssetDep("established_year", partition_mapping=year_to_months),
            ],
            months,
        )
    ],
    check_specs=[
        contract_check("hour_signals"),
        warning_check(SERIOUS, "hour_signals", "Geen signaal waardoor de levering niet op de urenstaten kan rusten."),
    ],
    pool="warehouse",
)
def hour_signals(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: BusinessDate
) -> Iterator[Outcome]:
    """What is odd about the lines and totals of one month."""
    opened, month, as_of = home.open(), context.partition_key, config.on(clock)
    found: list[dict[str, Any]] = []

    def work() -> dict[str, list[dict[str, Any]]]:
        found.extend(signals.publish_hour_signals(opened, year_of(month), as_of, month))
        return {"hour_signals": found}

    yield from tables_made(("hour_signals",), work, peildag=as_of.isoformat())
    yield warning_outcome(SERIOUS, "hour_signals", serious_in_words(found), "Er zijn geen ernstige signalen.")


@dg.multi_asset(
    name="missing_statements",
    specs=[
        product_spec(
            "missing_statements",
            [dg.AssetDep("provider_timesheets", partition_mapping=months_to_year), "established_year"],
            school_years,
        )
    ],
    check_specs=[
        contract_check("missing_statements"),
        warning_check(OWED[HAND_IN], "missing_statements", "Van elke open week is een urenstaat ingeleverd."),
        warning_check(OWED[APPROVE], "missing_statements", "Elke ingeleverde week is akkoord bevonden door de school."),
        warning_check(OWED[FORWARD], "missing_statements", "Elke goedgekeurde week is door de school doorgestuurd."),
    ],
    pool="warehouse",
)
def missing_statements(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: BusinessDate
) -> Iterator[Outcome]:
    """Who owes which week on the business date."""
    opened, key, as_of = home.open(), context.partition_key, config.on(clock)
    found: list[dict[str, Any]] = []

    def work() -> dict[str, list[dict[str, Any]]]:
        found.extend(signals.publish_missing(opened, key, as_of))
        return {"missing_statements": found}

    yield from tables_made(("missing_statements",), work, peildag=as_of.isoformat())
    for step, name in OWED.items():
        yield warning_outcome(name, "missing_statements", owed_in_words(found, step), "Er ontbreekt niets.")


@dg.multi_asset(
    name="alerts",
    specs=[
        product_spec(
            "alerts",
            [dg.AssetDep("hour_signals", partition_mapping=months_to_year), "missing_statements"],
            school_years,
        )
    ],
    check_specs=[
        contract_check("alerts"),
        warning_check(SENT, "alerts", "Elk bericht dat er te sturen was, is verzonden."),
    ],
    pool="warehouse",
)
def hour_alerts(
    context: dg.AssetExecutionContext,
    home: HomeResource,
    clock: ClockResource,
    notifier: dg.ResourceParam[Notifier],
    config: BusinessDate,
) -> Iterator[Outcome]:
    """Tell people what is owed and what is serious; a state of a month is told once as long as it lasts.

    A message never speaks from tables that are older than the files that count: they are made anew first.
    """
    opened, key, as_of = home.open(), context.partition_key, config.on(clock)
    failed: list[str] = []

    def work() -> dict[str, list[dict[str, Any]]]:
        signals.publish_hour_signals(opened, key, as_of)
        signals.publish_missing(opened, key, as_of)
        told = signals.notify(opened, key, as_of, notifier)
        failed.extend(f"Niet verzonden, volgende keer opnieuw: {alert.subject}" for alert in told.failed)
        return {"alerts": opened.warehouse.rows("alerts", school_year=key)}

    yield from tables_made(("alerts",), work, peildag=as_of.isoformat(), kanaal=notifier.channel)
    yield warning_outcome(SENT, "alerts", failed, "Wat er te melden was, is verzonden.")


@dg.asset_check(
    asset="provider_timesheets",
    name=IN_TIME,
    description="Van elke maand waarvan de inlevertermijn voorbij is telt een urenstaat per aanbieder en vestiging.",
)
def timesheets_in_time(home: HomeResource, clock: ClockResource, config: BusinessDate) -> dg.AssetCheckResult:
    """Which provider is late with a whole month on the business date."""
    opened, as_of = home.open(), config.on(clock)
    keys = _years_in_course(as_of)
    established = [key for key in keys if opened.warehouse.establishment(key) is not None]
    try:
        late = [one for key in established for one in signals.overdue(opened, key, as_of)]
    except ZioError as error:
        raise stopped(error) from error
    sentences = [
        f"Aanbieder {provider}: de urenstaat van {month} voor vestiging {school} is te laat; lever haar alsnog aan."
        for provider, school, month in late
    ]
    unsigned = [
        f"Schooljaar {key} is niet vastgesteld: daarvan is nog niets te laat." for key in keys if key not in established
    ]
    return warning_outcome(IN_TIME, "provider_timesheets", sentences, " ".join(["Er is niets te laat.", *unsigned]))


def _years_in_course(as_of: date) -> list[str]:
    """The school years of the two months before: in September July is still looked at, beside the year that began."""
    last = as_of.replace(day=1) - timedelta(days=1)
    before = last.replace(day=1) - timedelta(days=1)
    return sorted({SchoolYear.containing(day).key for day in (before, last)})
