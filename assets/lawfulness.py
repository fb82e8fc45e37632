"""Lawfulness: is what was declared covered by approved hours, and a sample of lines with its evidence."""

from collections.abc import Iterator

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from zio_pipeline.hours.lawfulness import SAMPLE_SIZE, TOLERANCE_PERMILLE
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import months_to_year, school_years
from zio_pipeline.stages.lawfulness import LAWFULNESS_TABLES, Draw, publish_lawfulness


class SampleDate(BusinessDate):
    """The business date, how the sample is drawn (no seed: the school year), and the tolerance in permille."""

    seed: str | None = None
    sample_size: int = SAMPLE_SIZE
    tolerance_permille: int = TOLERANCE_PERMILLE


@dg.multi_asset(
    name="lawfulness",
    specs=[
        product_spec(
            name,
            [dg.AssetDep("provider_timesheets", partition_mapping=months_to_year), "terms"],
            school_years,
        )
        for name in LAWFULNESS_TABLES
    ],
    check_specs=[contract_check(name) for name in LAWFULNESS_TABLES],
    pool="warehouse",
)
def lawfulness(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: SampleDate
) -> Iterator[Outcome]:
    """The lawfulness file of a school year; its workbook goes into the confidential outbox."""
    opened, key, as_of = home.open(), context.partition_key, config.on(clock)
    draw = Draw(config.seed, config.sample_size, config.tolerance_permille)
    yield from tables_made(
        LAWFULNESS_TABLES, lambda: publish_lawfulness(opened, key, as_of, draw)[1], boekdatum=as_of.isoformat()
    )
