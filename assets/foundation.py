"""Foundation: who pays for whom, what a doelgroep costs, how it is split, and the year that two people fix."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import ClockResource, HomeResource
from zio_pipeline.errors import ZioError
from zio_pipeline.orchestration.metadata import KINDS_OF_STORE, OWNERS, product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, stopped, tables_made
from zio_pipeline.orchestration.partitions import school_years
from zio_pipeline.stages import establishing, year


@dg.multi_asset(
    name="decide_payers",
    specs=[
        dg.AssetSpec(
            "payer_decisions",
            deps=["school_year_setup", "pupil_registrations", "wlz_statuses"],
            group_name="foundation",
            description="**Betaler per leerling.** Reden, bewijs en betaler; alleen in de kluis, onder pseudoniem.",
            owners=OWNERS,
            kinds=KINDS_OF_STORE["vault"],
            partitions_def=school_years,
        ),
        *(
            product_spec(name, ["school_year_setup", "pupil_registrations", "wlz_statuses"], school_years)
            for name in ("worklist", "signals")
        ),
    ],
    check_specs=[
        *(contract_check(name) for name in ("worklist", "signals")),
        dg.AssetCheckSpec(
            "empty_worklist",
            asset="worklist",
            description="In een gezond jaar is de werklijst leeg of met besluiten afgedaan.",
        ),
    ],
    pool="warehouse",
)
def decide_payers(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
    """SPEC section 3: every pupil to exactly one payer, or on the worklist."""
    opened, key = home.open(), context.partition_key
    found: list[Any] = []

    def work() -> dict[str, list[dict[str, Any]]]:
        found.append(year.publish_decisions(opened, key))
        return {name: opened.warehouse.rows(name, school_year=key) for name in ("worklist", "signals")}

    yield from tables_made(("worklist", "signals"), work)
    outcome = found[0]
    open_points = sum(item.decision_id is None for item in outcome.worklist)
    yield dg.AssetCheckResult(
        passed=not open_points,
        asset_key="worklist",
        check_name="empty_worklist",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"open": open_points, "met besluit": len(outcome.worklist) - open_points},
    )
    yield dg.MaterializeResult(asset_key="payer_decisions", metadata={"dagster/row_count": len(outcome.decisions)})


def _year_table(name: str, deps: list[str], make: Callable[[Any, str], list[dict[str, Any]]]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=name, specs=[product_spec(name, deps, school_years)], check_specs=[contract_check(name)], pool="warehouse"
    )
    def table(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
        opened, key = home.open(), context.partition_key
        yield from tables_made((name,), lambda: {name: make(opened, key)})

    return table


def _of_figures(name: str) -> Callable[[Any, str], list[dict[str, Any]]]:
    return lambda opened, key: year.publish_figures(opened, key, (name,)).tables[name]


budget_and_shares = [
    _year_table("doelgroep_budgets", ["school_year_setup", "payer_decisions"], year.publish_budgets),
    _year_table("funding_split", ["doelgroep_budgets", "payer_decisions", "worklist"], _of_figures("funding_split")),
    _year_table("share_details", ["funding_split", "payer_decisions"], _of_figures("share_details")),
    _year_table("municipal_shares", ["share_details", "school_year_setup"], _of_figures("municipal_shares")),
]


@dg.asset(
    deps=["municipal_shares"],
    group_name="foundation",
    owners=OWNERS,
    kinds=KINDS_OF_STORE["warehouse"],
    partitions_def=school_years,
    pool="warehouse",
    description=(
        "**Vastgesteld schooljaar.** Het bevroren jaar, voorgesteld door de een en goedgekeurd door een ander (`zio establish`). "
        "Een fictief jaar krijgt twee demo-identiteiten; een echt jaar wacht hier op twee personen."
    ),
)
def established_year(
    context: dg.AssetExecutionContext, home: HomeResource, clock: ClockResource
) -> dg.MaterializeResult[Any]:
    opened, key = home.open(), context.partition_key
    try:
        established = establishing.establish_if_fictitious(opened, key, clock.today())
    except ZioError as error:
        raise stopped(error) from error
    if established is None:
        raise stopped(establishing.waits_for_two(key))
    shown: dict[str, Any] = {
        "versie": established.version,
        "bewijs": established.receipt_hash,
        "vastgesteld op": established.approved_on.isoformat(),
    }
    return dg.MaterializeResult(metadata=shown, data_version=dg.DataVersion(established.receipt_hash))


terms = _year_table("terms", ["municipal_shares", "established_year"], _of_figures("terms"))
