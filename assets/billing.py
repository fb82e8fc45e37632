"""Billing: ten declarations, monthly documents to members and zorgkantoren, two to municipalities outside the region."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import BusinessDate, ClockResource, HomeResource
from zio_pipeline.billing import DesiredDocument
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import (
    halves,
    halves_to_year,
    months,
    months_to_year,
    school_years,
    year_of,
    year_to_halves,
    year_to_months,
)
from zio_pipeline.stages import billing, releasing, year


def _mapped(names: list[str], mapping: dg.PartitionMapping) -> list[dg.AssetDep]:
    return [dg.AssetDep(name, partition_mapping=mapping) for name in names]


def _month_table(name: str, deps: list[Any]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=name, specs=[product_spec(name, deps, months)], check_specs=[contract_check(name)], pool="warehouse"
    )
    def table(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
        opened, month = home.open(), context.partition_key

        def work() -> dict[str, list[dict[str, Any]]]:
            rows = year.publish_figures(opened, year_of(month), (name,), month=month).tables[name]
            return {name: [row for row in rows if row["month"] == month]}

        yield from tables_made((name,), work)

    return table


declarations = [
    _month_table("monthly_declarations", _mapped(["terms"], year_to_months)),
    _month_table("declaration_addressees", ["monthly_declarations"]),
]


@dg.multi_asset(
    name="zorgkantoor_statement",
    specs=[product_spec("zorgkantoor_statement", ["share_details", "established_year"], school_years)],
    check_specs=[contract_check("zorgkantoor_statement")],
    pool="warehouse",
)
def zorgkantoor_statement(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
    """The specification that goes with the Wlz declarations."""
    opened, key = home.open(), context.partition_key
    name = "zorgkantoor_statement"
    yield from tables_made((name,), lambda: {name: year.publish_figures(opened, key, (name,)).tables[name]})


def _document_table(
    name: str,
    partitions_def: dg.PartitionsDefinition[str],
    mapping: dg.PartitionMapping,
    mine: Callable[[DesiredDocument], bool],
) -> dg.AssetsDefinition:
    """Documents of one period. Earlier periods that were missed are posted with it, each as its own document (catch-up), and
    every correction that a new version of the year asks for.
    """

    @dg.multi_asset(
        name=name,
        specs=[product_spec(name, _mapped(["terms"], mapping), partitions_def)],
        check_specs=[contract_check(name)],
        pool="warehouse",
    )
    def documents(
        context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: BusinessDate
    ) -> Iterator[Outcome]:
        opened, period = home.open(), context.partition_key
        as_of = config.on(clock)

        def work() -> dict[str, list[dict[str, Any]]]:
            billing.require_no_future(opened, year_of(period), as_of, clock.today())
            billed = billing.bill(opened, year_of(period), as_of, only=lambda d: mine(d) and d.period <= period)
            billing.publish_parked(opened, year_of(period), billed)
            # What was caught up or corrected belongs to other periods, perhaps of another table: their rows must show it too.
            billing.publish_behind(opened, year_of(period), billed)
            releasing.publish_states(opened, year_of(period))
            return billing.publish_documents(opened, year_of(period), billed, (name,), period=period)

        yield from tables_made((name,), work, boekdatum=as_of.isoformat())

    return documents


documents = [
    _document_table(
        "in_region_invoices", months, year_to_months, lambda d: d.rhythm == "monthly" and d.payer_kind != "zorgkantoor"
    ),
    _document_table("wlz_documents", months, year_to_months, lambda d: d.payer_kind == "zorgkantoor"),
    _document_table("out_of_region_invoices", halves, year_to_halves, lambda d: d.rhythm == "half_year"),
]


@dg.multi_asset(
    name="parked_documents",
    specs=[
        product_spec(
            "parked_documents",
            [
                *_mapped(["in_region_invoices", "wlz_documents"], months_to_year),
                *_mapped(["out_of_region_invoices"], halves_to_year),
            ],
            school_years,
        )
    ],
    check_specs=[contract_check("parked_documents")],
    pool="warehouse",
)
def parked_documents(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource, config: BusinessDate
) -> Iterator[Outcome]:
    """What is due and cannot go out yet; nothing is posted here."""
    opened, key = home.open(), context.partition_key
    name = "parked_documents"

    def work() -> dict[str, list[dict[str, Any]]]:
        billed = billing.bill(opened, key, config.on(clock), preview=True)
        return {name: billing.publish_parked(opened, key, billed)}

    yield from tables_made((name,), work)


@dg.multi_asset(
    name="document_states",
    specs=[product_spec("document_states", ["parked_documents"], school_years)],
    check_specs=[contract_check("document_states")],
    pool="warehouse",
)
def document_states(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
    """Where every posted document stands; releasing and delivering is done by a person (`zio release`, `zio deliver`)."""
    opened, key = home.open(), context.partition_key
    name = "document_states"
    yield from tables_made((name,), lambda: {name: releasing.publish_states(opened, key)})
