"""Fixed faces in the classes, and the Wlz side of the hours."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import months, months_to_year, school_years, year_of, year_to_months
from zio_pipeline.stages.faces import publish_faces
from zio_pipeline.stages.wlz_hours import KEY_TABLES, publish_wlz_hours


@dg.multi_asset(
    name="fixed_faces",
    specs=[
        product_spec(
            "fixed_faces",
            [dg.AssetDep("provider_timesheets", partition_mapping=months_to_year), "established_year"],
            school_years,
        )
    ],
    check_specs=[contract_check("fixed_faces")],
    pool="warehouse",
)
def fixed_faces(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
    """The whole year at once: what a late file says of one month decides who is new in the next."""
    opened, key = home.open(), context.partition_key
    yield from tables_made(("fixed_faces",), lambda: {"fixed_faces": publish_faces(opened, key)})


@dg.multi_asset(
    name="wlz_hours",
    specs=[
        product_spec(
            "wlz_hours",
            [
                "provider_timesheets",
                dg.AssetDep("pupil_absence", partition_mapping=year_to_months),
                *(dg.AssetDep(name, partition_mapping=year_to_months) for name in KEY_TABLES),
            ],
            months,
        )
    ],
    check_specs=[contract_check("wlz_hours")],
    pool="warehouse",
)
def wlz_hours(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: BusinessDate
) -> Iterator[Outcome]:
    """Planned and delivered minutes per zorgkantoor, and what was paid while pupils were absent."""
    opened, month, as_of = home.open(), context.partition_key, config.on(clock)

    def work() -> dict[str, list[dict[str, Any]]]:
        return {"wlz_hours": publish_wlz_hours(opened, year_of(month), as_of, month)}

    yield from tables_made(("wlz_hours",), work, peildag=as_of.isoformat())
