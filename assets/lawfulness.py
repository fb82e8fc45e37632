"""Lawfulness: do approved hours prove what may be declared, and draws of lines with their evidence."""

from collections.abc import Iterator

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from zio_pipeline.hours.lawfulness import SHORT, TOLERANCE_PERMILLE
from zio_pipeline.hours.lawfulness_sample import SAMPLE_SIZE
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made, warning_check, warning_outcome
from zio_pipeline.orchestration.partitions import months_to_year, school_years
from zio_pipeline.stages.lawfulness import LAWFULNESS_TABLES, Draw, draws, publish_lawfulness

COVERAGE = "dekking"


class LawfulnessDate(BusinessDate):
    """The business date and the tolerance in permille. A run draws a sample only when it is given a seed.

    The seed is the accountant's, named when the files are in; a schedule knows none, so it publishes the coverage alone.
    """

    seed: str | None = None
    sample_size: int = SAMPLE_SIZE
    tolerance_permille: int = TOLERANCE_PERMILLE


@dg.multi_asset(
    name="lawfulness",
    specs=[
        product_spec(
            name,
            [dg.AssetDep("provider_timesheets", partition_mapping=months_to_year), "terms", "claim_control"],
            school_years,
        )
        for name in LAWFULNESS_TABLES
    ],
    check_specs=[
        *(contract_check(name) for name in LAWFULNESS_TABLES),
        warning_check(
            COVERAGE, "lawfulness", "Geen opdracht loopt achter op planning of is na de laatste maand niet gedekt."
        ),
    ],
    pool="warehouse",
)
def lawfulness(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: LawfulnessDate
) -> Iterator[Outcome]:
    """What approved hours prove per order; and every draw that was made of the year, with one more where a seed is given.

    The workbook of a draw goes into the confidential outbox.
    """
    opened, key, as_of = home.open(), context.partition_key, config.on(clock)
    short: list[str] = []

    def work() -> dict[str, list[dict[str, object]]]:
        draw = None if config.seed is None else Draw(config.seed, config.sample_size)
        orders = publish_lawfulness(opened, key, as_of, draw, config.tolerance_permille).orders
        short.extend(f"{row['order_id']}: {row['conclusion']}" for row in orders if row["status"] in SHORT)
        return {"lawfulness": orders, "lawfulness_sample": draws(opened, key)}

    yield from tables_made(LAWFULNESS_TABLES, work, boekdatum=as_of.isoformat())
    yield warning_outcome(COVERAGE, "lawfulness", short, "Geen opdracht komt uren tekort.")
