"""What the Dagster UI shows of a table, out of its contract: columns, row counts, sums, and the outcome of its checks.

Belongs here: turning contracts and rows into Dagster metadata. Only counts, sums and column names: no value of any row.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from zio_pipeline.contracts import Dataset, product_contracts, products, sources

OWNERS = ["team:gegevens"]
CHECK = "contract"
DRIFT = "afwijking"
OPEN = ("public", "internal")
"""Classifications of columns whose sums the UI may show."""
KINDS_OF_STORE = {"warehouse": {"python", "sqlalchemy"}, "vault": {"python", "parquet", "duckdb"}}


def column_schema(dataset: Dataset) -> dg.TableSchema:
    """Columns as the contract describes them, the Dutch word first in every description."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.logical_type,
                description=f"{column.dutch}: {column.description}" if column.description else column.dutch,
                constraints=dg.TableColumnConstraints(nullable=not column.required),
                tags={"classificatie": column.classification},
            )
            for column in dataset.columns
        ]
    )


def product_spec(
    name: str, deps: Sequence[Any], partitions_def: dg.PartitionsDefinition[str] | None, code_version: str = "1"
) -> dg.AssetSpec:
    """Asset of a finance table: group, description and columns come from its contract."""
    dataset, contract = products()[name], product_contracts()[name]
    return dg.AssetSpec(
        name,
        deps=deps,
        group_name=dataset.group,
        description=f"**{dataset.dutch}.** {contract.purpose}\n\n{contract.limitations}",
        owners=OWNERS,
        kinds=KINDS_OF_STORE["warehouse"],
        code_version=code_version,
        partitions_def=partitions_def,
        metadata={"dagster/column_schema": column_schema(dataset), "contract": contract.id, "korrel": dataset.grain},
    )


def source_spec(name: str, deps: Sequence[Any], partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetSpec:
    """Asset of an accepted source: it stands in the vault, so the UI shows its columns and counts only."""
    contract = sources()[name]
    return dg.AssetSpec(
        name,
        deps=deps,
        group_name="intake",
        description=f"**{contract.name}.** {contract.purpose}\n\n{contract.limitations}",
        owners=OWNERS,
        kinds=KINDS_OF_STORE["vault"],
        partitions_def=partitions_def,
        metadata={"dagster/column_schema": column_schema(contract.datasets[0]), "contract": contract.id},
    )


def table_metadata(dataset: Dataset, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Row count, and the sum of every amount and every number of minutes: numbers that Dagster plots over time.

    Only of columns that the general reader may see: whoever opens the UI reads along, and a sum over a few pupils is about them.
    """
    rows = list(rows)
    shown: dict[str, Any] = {"dagster/row_count": len(rows)}
    for column in dataset.columns:
        if column.classification not in OPEN:
            continue
        if column.kind == "euro":
            shown[f"som {column.dutch} (cent)"] = sum(row[column.name] or 0 for row in rows)
        elif column.kind == "minutes":
            shown[f"som {column.dutch}"] = sum(row[column.name] or 0 for row in rows)
    return shown
