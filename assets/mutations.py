"""Mutations: what changed after the peildatum, and what it would have cost; nothing is settled with them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import school_years
from zio_pipeline.stages.mutations import publish_mutations

NAMES = ("mutations", "shadow_shares")


@dg.multi_asset(
    name="mutations_and_shadow",
    specs=[product_spec(name, ["established_year", "worklist"], school_years) for name in NAMES],
    check_specs=[contract_check(name) for name in NAMES],
    pool="warehouse",
)
def mutations_and_shadow(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: BusinessDate
) -> Iterator[Outcome]:
    """SPEC section 4: kept, and shown with what they would have cost."""
    opened, key = home.open(), context.partition_key
    as_of = config.on(clock)

    def work() -> dict[str, list[dict[str, Any]]]:
        return publish_mutations(opened, key, as_of)

    yield from tables_made(NAMES, work, peildag=as_of.isoformat())
