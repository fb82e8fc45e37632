"""Control: the equations that prove the settlement."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from resources.dagster_home import HomeResource
from resources.home import Home
from zio_pipeline.orchestration.metadata import product_spec
from zio_pipeline.orchestration.outcomes import Outcome, contract_check, tables_made
from zio_pipeline.orchestration.partitions import school_years
from zio_pipeline.stages import verifying, year


@dg.multi_asset(
    name="proofs",
    specs=[product_spec("proofs", ["terms", "zorgkantoor_statement"], school_years)],
    check_specs=[
        contract_check("proofs"),
        dg.AssetCheckSpec(
            "invariants",
            asset="proofs",
            blocking=True,
            description="Elke vergelijking van de verdeling sluit op de cent.",
        ),
        dg.AssetCheckSpec(
            "ledger",
            asset="proofs",
            blocking=True,
            description="Keten, nummers en optellingen van het grootboek (zio verify).",
        ),
    ],
    pool="warehouse",
)
def proofs(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[Outcome]:
    """Every invariant of the settlement, and the soundness of the ledger."""
    opened, key = home.open(), context.partition_key

    def work() -> dict[str, list[dict[str, Any]]]:
        year.publish_figures(opened, key, ())
        return {"proofs": _proofs(opened, key)}

    yield from tables_made(("proofs",), work)
    rows, findings = _proofs(opened, key), verifying.verify(opened)
    failed = sum(not row["proved"] for row in rows)
    yield dg.AssetCheckResult(
        passed=not failed,
        asset_key="proofs",
        check_name="invariants",
        metadata={"vergelijkingen": len(rows), "mislukt": failed},
    )
    yield dg.AssetCheckResult(
        passed=not findings,
        asset_key="proofs",
        check_name="ledger",
        metadata={"bevindingen": "\n".join(findings) or "geen"},
    )


def _proofs(home: Home, key: str) -> list[dict[str, Any]]:
    """The proofs of the version in force, or of the one being prepared."""
    rows: list[dict[str, Any]] = home.warehouse.rows("proofs", school_year=key, version=year.version_of(home, key))
    return rows
