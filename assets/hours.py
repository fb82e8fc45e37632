"""Hours: what was delivered beside what was planned."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import HomeResource
from zio_pipeline.hours.differences import Difference, difference_report
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import months, months_to_year, school_years, year_of, year_to_months
from zio_pipeline.stages import hours

DELIVERY = ("delivered_hours", "delivery_control")
SHOWN = 50
"""Differences that are told one by one; of the others the number."""


@dg.multi_asset(
    name="delivery",
    specs=[
        product_spec(
            name,
            ["provider_timesheets", dg.AssetDep("established_year", partition_mapping=year_to_months)],
            months,
        )
        for name in DELIVERY
    ],
    check_specs=[contract_check(name) for name in DELIVERY],
    pool="warehouse",
)
def delivery(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
    """Planned and delivered hours of one month; a late file changes its own month only, and it is told what it changed."""
    opened, month = home.open(), context.partition_key
    changed: list[Difference] = []

    def work() -> dict[str, list[dict[str, Any]]]:
        made = hours.publish_delivery(opened, year_of(month), month)
        changed.extend(made.differences)
        return dict(zip(DELIVERY, (made.hours, made.control), strict=True))

    for outcome in tables_made(DELIVERY, work):
        yield _with_differences(outcome, changed)


def _with_differences(outcome: Outcome, changed: list[Difference]) -> Outcome:
    """The same outcome, with what changed in `delivery_control` since the publication before it."""
    if not isinstance(outcome, dg.MaterializeResult) or outcome.asset_key == dg.AssetKey("delivered_hours"):
        return outcome
    told = "\n".join(f"- {line}" for line in difference_report(changed, SHOWN))
    shown = {"gewijzigde cijfers": len(changed), "wijzigingen": dg.MetadataValue.md(told or "geen")}
    return outcome._replace(metadata={**(outcome.metadata or {}), **shown})


@dg.multi_asset(
    name="delivery_summary",
    specs=[
        product_spec(
            "delivery_summary", [dg.AssetDep("delivery_control", partition_mapping=months_to_year)], school_years
        )
    ],
    check_specs=[contract_check("delivery_summary")],
    pool="warehouse",
)
def delivery_summary(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
    """Delivered beside planned for every class, doelgroep, school, provider and order, out of months as their files are today."""
    opened, key = home.open(), context.partition_key
    changed: list[Difference] = []

    def work() -> dict[str, list[dict[str, Any]]]:
        made = hours.publish_summary(opened, key)
        changed.extend(made.differences)
        return {"delivery_summary": made.summary}

    for outcome in tables_made(("delivery_summary",), work):
        yield _with_differences(outcome, changed)
