"""What an explanation is made from: the tables of one version of a school year, and the workbook behind them.

Belongs here: holding them, and finding a row. Does not belong here: reading them from a store (`stages.explaining`), trees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zio_pipeline.errors import ZioError
from zio_pipeline.payer import Decision
from zio_pipeline.setup import SchoolYearSetup, valid_rows
from zio_pipeline.terms import STREAM_ORDER

Row = Mapping[str, Any]

TABLES = ("doelgroep_budgets", "funding_split", "share_details", "municipal_shares", "terms")
"""The finance tables an explanation is built from."""


@dataclass(frozen=True)
class VersionBooks:
    """One established version: its workbook, its signed tables (`TABLES`), and why it came.

    `decisions` only when pseudonyms are asked for: then every pupil counted stands in the tree (SPEC section 8).
    """

    school_year: str
    version: int
    reason: str
    setup: SchoolYearSetup
    tables: Mapping[str, Sequence[Row]]
    decisions: tuple[Decision, ...] | None = None

    def rows(self, table: str, **where: Any) -> list[Row]:
        """Rows of a table with these values, in the order of streams, payers and months."""
        found = [row for row in self.tables[table] if all(row[name] == value for name, value in where.items())]
        return sorted(found, key=_order)

    def row(self, table: str, **where: Any) -> Row:
        """The one row with these values.

        Raises:
            ZioError: there is none.
        """
        found = self.find(table, **where)
        if found is None:
            what = ", ".join(str(value) for value in where.values())
            raise ZioError(f"Versie {self.version} van {self.school_year} heeft geen regel '{what}' in {table}.")
        return found

    def find(self, table: str, **where: Any) -> Row | None:
        """The one row with these values, if there is one."""
        return next(iter(self.rows(table, **where)), None)

    def source(self, sheet: str, **where: Any) -> str:
        """The clause or page that the workbook names for a row of a sheet."""
        rows = self.setup.sheets[sheet]
        if sheet == "orders":  # an order may have a row per period of validity
            rows = tuple(valid_rows(rows, self.setup.settings.start_date))
        return str(next(row["source"] for row in rows if all(row[name] == value for name, value in where.items())))

    def setting_source(self, key: str) -> str:
        """The clause or page that the workbook names for a setting."""
        day = self.setup.settings.school_year.first_day
        return str(next(r["source"] for r in valid_rows(self.setup.sheets["settings"], day) if r["key"] == key))


def _order(row: Row) -> tuple[Any, ...]:
    stream = row.get("stream")
    place = -1 if stream is None else STREAM_ORDER.index(stream)
    return row["order_id"], row.get("doelgroep") or "", row.get("payer") or "", place, row.get("month") or ""
