"""Publishing a table: audited first, written whole, and never changed once its year is established.

Belongs here: the one way rows reach a finance table, and the verdict that later readers trust.
Does not belong here: computing rows.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from resources.home import Home
from zio_pipeline.audit import Audit, audit, ruleset_hash
from zio_pipeline.contracts import Dataset, products
from zio_pipeline.errors import NotProved
from zio_pipeline.figures import figures_hash

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Sequence[Mapping[str, Any]]


def publish(home: Home, tables: Mapping[str, Rows], scope: Mapping[str, Any], per: str | None = None) -> None:
    """Audit the rows of each table and write them in one transaction, in place of the rows of the same scope.

    What holds for rows together holds for a part of them: with `per` one audit gives every part its own verdict, so that a later
    run may replace one part.

    Args:
        home: where everything is kept.
        tables: rows by product name, with every column of its contract.
        scope: the columns and values that the rows replace (school_year=..., version=...).
        per: a column by whose values the rows may be replaced and read later.

    Raises:
        NotProved: an audit fails; then nothing is written.
    """
    shaped = {name: [_shaped(products()[name], row) for row in rows] for name, rows in tables.items()}
    for name, rows in shaped.items():
        _require_verdicts(home, products()[name], [rows] if per is None else _parts(rows, per))
    home.warehouse.replace(shaped, **scope)


def _parts(rows: Rows, column: str) -> list[Rows]:
    """The rows of each value of a column."""
    parts: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        parts[row[column]].append(row)
    return list(parts.values()) or [rows]


def _require_verdicts(home: Home, dataset: Dataset, parts: Sequence[Rows]) -> None:
    """As `require_verdict`, of several parts: those that were never audited are audited together."""
    rules = ruleset_hash(dataset)
    contents = {figures_hash({dataset.name: part}): part for part in parts}
    known = {content: home.warehouse.verdict(dataset.name, content, rules) for content in contents}
    if False in known.values():
        raise _failed_before(dataset)
    fresh = {content: part for content, part in contents.items() if known[content] is None}
    if fresh:
        outcome = audit(dataset, [row for part in fresh.values() for row in part])
        if outcome.passed or len(fresh) == 1:  # else nobody knows which part it was
            found = (outcome.passed, _detail(outcome, None))
            home.warehouse.record_verdicts(dataset.name, rules, dict.fromkeys(fresh, found))
        outcome.require()


def require_verdict(
    home: Home,
    dataset: Dataset,
    content: str,
    rows: Callable[[], "Rows | pa.Table"],
    *,
    minimum_rows: int = 0,
    shown: Mapping[str, Any] | None = None,
) -> None:
    """The content has been audited by this rule set and passed; audited now when it never was.

    Args:
        home: where everything is kept.
        dataset: the contract.
        content: hash that stands for the rows.
        rows: gives them, when they must be audited.
        minimum_rows: fewer is a failure.
        shown: what the detail of the verdict must say beside the counts for a page to show it; without it, no page does.

    Raises:
        NotProved: the verdict is bad.
    """
    rules = ruleset_hash(dataset, minimum_rows)
    verdict = home.warehouse.verdict(dataset.name, content, rules)
    if verdict is None:
        outcome = audit(dataset, rows(), minimum_rows)
        home.warehouse.record_verdict(dataset.name, content, rules, outcome.passed, _detail(outcome, shown))
        outcome.require()
    elif not verdict:
        raise _failed_before(dataset)


def _failed_before(dataset: Dataset) -> NotProved:
    return NotProved(f"Controle van {dataset.name} is eerder mislukt met dezelfde gegevens; zie de tabel verdicts.")


def trusted_rows(home: Home, name: str, **scope: Any) -> list[dict[str, Any]]:
    """Rows of a finance table, handed out only with positive proof.

    Raises:
        NotProved: nobody has audited exactly these rows with the rules of today, or the audit failed.
    """
    rows: list[dict[str, Any]] = home.warehouse.rows(name, **scope)
    if home.warehouse.verdict(name, figures_hash({name: rows}), ruleset_hash(products()[name])) is not True:
        raise NotProved(f"Tabel {name} heeft geen geldig controlebewijs; maak haar opnieuw aan.")
    return rows


def never_made(home: Home, dataset: Dataset, scope: Mapping[str, Any]) -> bool:
    """Whether a table is empty because nobody has published it, and not because there is nothing to say."""
    if home.warehouse.rows(dataset.name, **scope):
        return False
    return home.warehouse.verdict(dataset.name, figures_hash({dataset.name: []}), ruleset_hash(dataset)) is None


def _shaped(dataset: Dataset, row: Mapping[str, Any]) -> dict[str, Any]:
    return {column.name: row[column.name] for column in dataset.columns}


def _detail(outcome: Audit, shown: Mapping[str, Any] | None) -> str:
    failed = [
        {"rule": c.rule, "columns": c.columns, "violations": c.violations} for c in outcome.checks if not c.passed
    ]
    detail: dict[str, Any] = {"rows": outcome.row_count, "checks": len(outcome.checks), "failed": failed}
    if shown is not None:
        detail |= {**shown, "audit": outcome.as_json()}
    return json.dumps(detail, sort_keys=True)
