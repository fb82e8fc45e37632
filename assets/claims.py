"""Claims: what providers invoiced beside what they may declare, and their answers."""

from collections.abc import Iterator

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import school_years
from zio_pipeline.stages.claims import CLAIM_TABLES, publish_claims


@dg.multi_asset(
    name="claim_control",
    specs=[product_spec(name, ["provider_claims", "terms"], school_years) for name in CLAIM_TABLES],
    check_specs=[contract_check(name) for name in CLAIM_TABLES],
    pool="warehouse",
)
def claim_control(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: BusinessDate
) -> Iterator[Outcome]:
    """Judge every claim of the year, and write each provider its answer."""
    opened, key, as_of = home.open(), context.partition_key, config.on(clock)
    yield from tables_made(CLAIM_TABLES, lambda: publish_claims(opened, key, as_of)[1], boekdatum=as_of.isoformat())
