"""Schedules: the first working day of the month (terms, control, retention), of January and July, and for the hours of the
month before and of its school year the first working day from the eleventh on, in the morning in the Netherlands.

Cron cannot say "first working day": a tick every day of the first week, and a predicate that skips the others. The day of the tick
is the business date; the clock is never asked.
"""

import os
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from zio_pipeline.orchestration.jobs import (
    control_job,
    half_year_job,
    hours_job,
    hours_year_job,
    month_job,
    retention_job,
)
from zio_pipeline.orchestration.partitions import year_of
from zio_pipeline.school_year import SchoolYear, first_working_day, is_working_day

FIRST_WEEK_AT_SEVEN = "0 7 1-7 * *"
FIRST_WEEK_AT_EIGHT = "0 8 1-7 * *"
SECOND_WEEK_AT_SEVEN = "0 7 11-17 * *"
SECOND_WEEK_AT_EIGHT = "0 8 11-17 * *"
TIMEZONE = "Europe/Amsterdam"
AMSTERDAM = ZoneInfo(TIMEZONE)
NO_TERM = (7, 8)
HALF_OF_MONTH = {1: 1, 7: 2}

AS_OF = (
    "claim_control",
    "mutations_and_shadow",
    "parked_documents",
    "accruals",
    "year_statement",
    "forecast",
)
"""The steps of the control run that ask for the day."""
AS_OF_HOURS = ("hour_signals", "wlz_hours", "provider_timesheets_op_tijd")
AS_OF_HOURS_YEAR = ("missing_statements", "alerts", "lawfulness", "recalibration_and_effect")
"""The same of the runs about hours."""

RUNNING_IN: Mapping[str, frozenset[str]] = {
    "production": frozenset(
        {"maandrun", "halfjaarrun", "urenrun", "urenjaarrun", "uren_bijgewerkt", "controlerun", "bewaarrun"}
    )
}
"""Which schedules and sensors run by themselves in which environment (`ZIO_ENVIRONMENT`); elsewhere somebody switches them on."""


def runs_by_itself(name: str) -> bool:
    """Whether a schedule or sensor is on in this environment without somebody switching it on."""
    return name in RUNNING_IN.get(os.environ.get("ZIO_ENVIRONMENT", ""), frozenset())


def _status(name: str) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if runs_by_itself(name) else dg.DefaultScheduleStatus.STOPPED


def is_first_working_day(day: date) -> bool:
    """Whether it is the first working day of its month."""
    return day == first_working_day(day.year, day.month)


def month_due(day: date) -> str | None:
    """Partition of the monthly run on that day; None when there is nothing to run."""
    if not is_first_working_day(day) or day.month in NO_TERM:
        return None
    return f"{day:%Y-%m}"


def half_due(day: date) -> str | None:
    """Partition of the half-year run on that day; None when there is nothing to run."""
    if not is_first_working_day(day) or day.month not in HALF_OF_MONTH:
        return None
    return SchoolYear.containing(day).half_key(HALF_OF_MONTH[day.month])


def _request(partition: str | None, day: date, assets: tuple[str, ...]) -> dg.RunRequest | dg.SkipReason:
    if partition is None:
        return dg.SkipReason(f"{day:%d-%m-%Y} is niet de eerste werkdag van een maand waarin een termijn vervalt.")
    return dg.RunRequest(run_key=partition, partition_key=partition, run_config=_as_of(day, assets))


def _as_of(day: date, steps: tuple[str, ...]) -> dict[str, Any]:
    return {"ops": {step: {"config": {"as_of": day.isoformat()}} for step in steps}}


@dg.schedule(
    job=month_job,
    cron_schedule=FIRST_WEEK_AT_SEVEN,
    execution_timezone=TIMEZONE,
    name="maandrun",
    default_status=_status("maandrun"),
)
def monthly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Terms of the month, on its first working day."""
    day = context.scheduled_execution_time.astimezone(AMSTERDAM).date()
    return _request(month_due(day), day, ("in_region_invoices", "wlz_documents"))


@dg.schedule(
    job=half_year_job,
    cron_schedule=FIRST_WEEK_AT_SEVEN,
    execution_timezone=TIMEZONE,
    name="halfjaarrun",
    default_status=_status("halfjaarrun"),
)
def half_year_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Halves for municipalities outside the region, on the first working day of January and July."""
    day = context.scheduled_execution_time.astimezone(AMSTERDAM).date()
    return _request(half_due(day), day, ("out_of_region_invoices",))


def hours_due(day: date) -> str | None:
    """Partition of the hours run on that day: the month before, whose timesheets are in by now; None on any other day."""
    eleventh = day.replace(day=11)
    days = (eleventh + timedelta(n) for n in range(7))
    if day != next(d for d in days if is_working_day(d)):
        return None
    return f"{day.replace(day=1) - timedelta(1):%Y-%m}"


def _not_due(day: date) -> dg.SkipReason:
    return dg.SkipReason(f"{day:%d-%m-%Y} is niet de eerste werkdag vanaf de elfde.")


@dg.schedule(
    job=hours_job,
    cron_schedule=SECOND_WEEK_AT_SEVEN,
    execution_timezone=TIMEZONE,
    name="urenrun",
    default_status=_status("urenrun"),
)
def hours_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """What was delivered in the month before."""
    day = context.scheduled_execution_time.astimezone(AMSTERDAM).date()
    partition = hours_due(day)
    if partition is None:
        return _not_due(day)
    return dg.RunRequest(run_key=partition, partition_key=partition, run_config=_as_of(day, AS_OF_HOURS))


@dg.schedule(
    job=hours_year_job,
    cron_schedule=SECOND_WEEK_AT_EIGHT,
    execution_timezone=TIMEZONE,
    name="urenjaarrun",
    default_status=_status("urenjaarrun"),
)
def hours_year_schedule(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    """The years of the two months before, an hour after the month before; in August and September of the year that has ended too,
    because what its school owes of July falls due after the provider's last day.
    """
    day = context.scheduled_execution_time.astimezone(AMSTERDAM).date()
    month = hours_due(day)
    if month is None:
        return _not_due(day)
    earlier = f"{date.fromisoformat(f'{month}-01') - timedelta(1):%Y-%m}"
    config = _as_of(day, AS_OF_HOURS_YEAR)
    return [
        dg.RunRequest(run_key=f"{month} {key}", partition_key=key, run_config=config)
        for key in sorted({year_of(month), year_of(earlier)})
    ]


@dg.schedule(
    job=control_job,
    cron_schedule=FIRST_WEEK_AT_EIGHT,
    execution_timezone=TIMEZONE,
    name="controlerun",
    default_status=_status("controlerun"),
)
def control_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """How the books stand, an hour after the terms of the month; in August of the year that has just ended."""
    day = context.scheduled_execution_time.astimezone(AMSTERDAM).date()
    if not is_first_working_day(day):
        return dg.SkipReason(f"{day:%d-%m-%Y} is niet de eerste werkdag van een maand.")
    partition = SchoolYear.containing(day.replace(day=1) - timedelta(1)).key
    return dg.RunRequest(run_key=f"{day:%Y-%m}", partition_key=partition, run_config=_as_of(day, AS_OF))


@dg.schedule(
    job=retention_job,
    cron_schedule=FIRST_WEEK_AT_SEVEN,
    execution_timezone=TIMEZONE,
    name="bewaarrun",
    default_status=_status("bewaarrun"),
)
def retention_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """What is past its retention period, on the first working day of every month."""
    day = context.scheduled_execution_time.astimezone(AMSTERDAM).date()
    if not is_first_working_day(day):
        return dg.SkipReason(f"{day:%d-%m-%Y} is niet de eerste werkdag van een maand.")
    return dg.RunRequest(run_key=f"{day:%Y-%m}", run_config=_as_of(day, ("removals",)))
