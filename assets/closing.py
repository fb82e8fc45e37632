"""The end of a school year: what is still to pay on a day, what next year may cost, and the year statement."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from resources.home import Home
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import halves_to_year, months_to_year, school_years
from zio_pipeline.stages import closing

DOCUMENTS = [
    dg.AssetDep("in_region_invoices", partition_mapping=months_to_year),
    dg.AssetDep("wlz_documents", partition_mapping=months_to_year),
    dg.AssetDep("out_of_region_invoices", partition_mapping=halves_to_year),
]


def _year_table(
    name: str, deps: list[Any], make: Callable[[Home, str, date], list[dict[str, Any]]]
) -> dg.AssetsDefinition:
    """A table of a school year as it stands on a business date."""

    @dg.multi_asset(
        name=name, specs=[product_spec(name, deps, school_years)], check_specs=[contract_check(name)], pool="warehouse"
    )
    def table(
        context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: BusinessDate
    ) -> Iterator[Outcome]:
        opened, key, on = home.open(), context.partition_key, config.on(clock)
        yield from tables_made((name,), lambda: {name: make(opened, key, on)}, boekdatum=on.isoformat())

    return table


end_of_year = [
    _year_table("accruals", ["municipal_shares", "established_year", *DOCUMENTS], closing.publish_accruals),
    _year_table("forecast", ["terms", "established_year"], closing.renewed_forecast),
    _year_table("year_statement", ["terms", "parked_documents", *DOCUMENTS], closing.publish_year_statement),
]
