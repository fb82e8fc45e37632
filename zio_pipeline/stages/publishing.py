"""Publishing a table: audited first, written whole, and never changed once its year is established.

Belongs here: the one way rows reach a finance table, and the verdict that later readers trust.
Does not belong here: computing rows.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from zio_pipeline.audit import Audit, audit, ruleset_hash
from zio_pipeline.contracts import Dataset, products
from zio_pipeline.errors import NotProved
from zio_pipeline.figures import figures_hash
from zio_pipeline.stages.stores import Stores

Rows = Sequence[Mapping[str, Any]]


def publish(stores: Stores, tables: Mapping[str, Rows], *, frozen: bool = False, **scope: Any) -> None:
    """Audit the rows of each table and write them in one transaction, in place of the rows of the same scope.

    Args:
        stores: an opened home.
        tables: rows by product name, with every column of its contract.
        frozen: the scope is established: its rows may not differ from what stands there.
        scope: the columns and values that the rows replace (school_year=..., version=...).

    Raises:
        NotProved: an audit fails, or frozen rows differ.
    """
    shaped = {name: [_shaped(products()[name], row) for row in rows] for name, rows in tables.items()}
    for name, rows in shaped.items():
        require_verdict(stores, products()[name], rows, minimum_rows=0)
        standing = stores.warehouse.rows(name, **scope) if frozen else []
        if standing and figures_hash({name: standing}) != figures_hash({name: rows}):
            raise NotProved(f"Tabel {name}: de herberekening wijkt af van wat is vastgesteld. Er is niets gewijzigd.")
    stores.warehouse.replace(shaped, **scope)


def require_verdict(stores: Stores, dataset: Dataset, rows: Rows, minimum_rows: int) -> None:
    """The rows have been audited by this rule set and passed; audited now when they never were.

    Raises:
        NotProved: the verdict is bad.
    """
    content, rules = figures_hash({dataset.name: rows}), ruleset_hash(dataset, minimum_rows)
    verdict = stores.warehouse.verdict(dataset.name, content, rules)
    if verdict is None:
        outcome = audit(dataset, rows, minimum_rows)
        stores.warehouse.record_verdict(dataset.name, content, rules, outcome.passed, _detail(outcome))
        outcome.require()
    elif not verdict:
        raise NotProved(f"Controle van {dataset.name} is eerder mislukt met dezelfde gegevens; zie de tabel verdicts.")


def trusted_rows(stores: Stores, name: str, **scope: Any) -> list[dict[str, Any]]:
    """Rows of a finance table, handed out only with positive proof.

    Raises:
        NotProved: nobody has audited exactly these rows with the rules of today, or the audit failed.
    """
    rows: list[dict[str, Any]] = stores.warehouse.rows(name, **scope)
    if stores.warehouse.verdict(name, figures_hash({name: rows}), ruleset_hash(products()[name], 0)) is not True:
        raise NotProved(f"Tabel {name} heeft geen geldig controlebewijs; maak haar opnieuw aan.")
    return rows


def _shaped(dataset: Dataset, row: Mapping[str, Any]) -> dict[str, Any]:
    return {column.name: row[column.name] for column in dataset.columns}


def _detail(outcome: Audit) -> str:
    failed = [{"rule": c.rule, "columns": c.columns, "violations": c.violations} for c in outcome.checks if not c.passed]
    return json.dumps({"rows": outcome.row_count, "checks": len(outcome.checks), "failed": failed}, sort_keys=True)
