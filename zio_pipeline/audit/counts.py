"""Counting in DuckDB how many rows break each rule: for tables too large to push through Great Expectations whole.

Belongs here: one query over an Arrow table. Does not belong here: the verdict (Great Expectations gives it, over the counts).
"""

from collections.abc import Sequence

import pyarrow as pa

from zio_pipeline.audit.rules import Rule
from zio_pipeline.sql import in_memory


def violations(table: pa.Table, rules: Sequence[Rule]) -> list[int]:
    """Number of rows of a typed table that break each rule, in the order of the rules; each must have its SQL."""
    if not rules:
        return []
    broken = ", ".join(f"({rule.bad}) as broken{i}" for i, rule in enumerate(rules))
    counted = ", ".join(f"count(*) filter (where broken{i})" for i in range(len(rules)))
    # Names, values and forms come from the contracts, never from a file.
    query = f"select {counted} from (select {broken} from checked)"  # noqa: S608
    with in_memory() as connection:
        connection.register("checked", table)
        return [int(count) for count in connection.sql(query).fetchall()[0]]
