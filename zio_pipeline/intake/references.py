"""Rules over two sources: which rows name something that the other source does not have.

Belongs here: carrying out the reference rules of a contract in DuckDB. Does not belong here: which files are compared.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing

import pyarrow as pa

from zio_pipeline.contracts import Dataset, ReferenceRule
from zio_pipeline.intake.delivery import Reason
from zio_pipeline.intake.parsing import connect
from zio_pipeline.sql import quoted

Known = Mapping[tuple[str, str], pa.Table]
"""What the other sources have, by source and dataset."""


def broken_references(dataset: Dataset, rows: pa.Table, known: Known) -> Iterator[Reason]:
    """One warning per rule and per combination that is not known, at the first row that has it.

    Args:
        dataset: of the rows.
        rows: accepted rows, with `sheet` and `row_number`.
        known: a rule whose source is not in it is not judged.
    """
    with closing(connect()) as connection:
        connection.register("rows", rows)
        for rule in dataset.references:
            if (rule.source, rule.dataset) not in known:
                continue
            connection.register("known", known[rule.source, rule.dataset])
            for number, sheet, count in connection.sql(_query(rule)).fetchall():
                others = f" Dat geldt voor {count} rijen." if count > 1 else ""
                text = f"{rule.message}{others}"
                yield Reason(dataset.name, sheet, number, rule.columns[-1], rule.name, "warning", text)


def _query(rule: ReferenceRule) -> str:
    columns = ", ".join(f"r.{quoted(column)}" for column in rule.columns)
    pairs = zip(rule.columns, rule.targets, strict=True)
    same = " and ".join(f"k.{quoted(target)} = r.{quoted(column)}" for column, target in pairs)
    filled = " and ".join(f"r.{quoted(column)} is not null" for column in rule.columns)
    # Names of the contracts only.
    return f"""select min(r.row_number), arg_min(r.sheet, r.row_number), count(*) from rows r
        where {filled} and not exists (select 1 from known k where {same})
        group by {columns} order by 1, 2"""  # noqa: S608
