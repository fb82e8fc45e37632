"""Next year's hours: a proposal out of what was measured, and what it would mean per payer; nothing is changed by it."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from zio_pipeline.hours.recalibration_effect import NOT_COMPUTED
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made, warning_check, warning_outcome
from zio_pipeline.orchestration.partitions import months_to_year, school_years
from zio_pipeline.stages.recalibration import RECALIBRATION_TABLES, publish_recalibration

DEPS = [
    "established_year",
    "municipal_shares",
    dg.AssetDep("provider_timesheets", partition_mapping=months_to_year),
]


COMPUTED = "euros_berekend"


@dg.multi_asset(
    name="recalibration_and_effect",
    specs=[product_spec(name, DEPS, school_years) for name in RECALIBRATION_TABLES],
    check_specs=[
        *(contract_check(name) for name in RECALIBRATION_TABLES),
        warning_check(
            COMPUTED,
            "recalibration_effect",
            "Van elke opdracht is te berekenen wat het voorstel per betaler zou schelen.",
        ),
    ],
    pool="warehouse",
)
def recalibration_and_effect(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: BusinessDate
) -> Iterator[Outcome]:
    """SPEC section 7: measured hours per doelgroep with their spread, against what was granted."""
    opened, key, as_of = home.open(), context.partition_key, config.on(clock)
    effect: list[dict[str, Any]] = []

    def work() -> dict[str, list[dict[str, Any]]]:
        tables = publish_recalibration(opened, key, as_of)
        effect.extend(tables["recalibration_effect"])
        return tables

    yield from tables_made(RECALIBRATION_TABLES, work, peildag=as_of.isoformat())
    refused = sorted({row["order_id"] for row in effect if row["basis"] == NOT_COMPUTED})
    sentences = [f"Opdracht {order_id}: niet berekend; de reden staat bij de opdracht." for order_id in refused]
    yield warning_outcome(COMPUTED, "recalibration_effect", sentences, "Van elke opdracht is het berekend.")
