"""Workbooks that people get from us: one way to make one, so that no text in it can ever become a formula.

Belongs here: the bytes of an XLSX (the same content gives the same bytes), what a cell can hold, and the sheets of a plain report:
a title, pairs and tables. Does not belong here: what stands in a workbook.

What somebody sent is a string, in a cell formatted as text, with the prefix that keeps it one also after an edit (SPEC section 8).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from textwrap import wrap
from typing import Any

Cell = str | int | Decimal | date | None

_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LINE = {"valign": "top", "text_wrap": True, "border": 1, "border_color": "#BFBFBF"}
_HEAD = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3A5F", "border": 1, "text_wrap": True, "valign": "top"}
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_color": "#1F3A5F", "font_size": 16},
    "plain": {"valign": "top", "text_wrap": True},
    "label": {"valign": "top", "bold": True},
    "head": _HEAD,
    "text": _LINE | {"num_format": "@", "quote_prefix": True},
    "number": _LINE | {"num_format": "#,##0.00"},
    "count": _LINE | {"num_format": "#,##0"},
    "date": _LINE | {"num_format": "dd-mm-yyyy"},
}
"""How the cells of a report look, by their kind."""


@contextmanager
def new_workbook(buffer: BytesIO, title: str, subject: str = "", font: str = "Arial") -> Iterator[Any]:
    """An XlsxWriter workbook into the buffer; texts stay texts, and no moment of making stands in it."""
    import xlsxwriter  # noqa: PLC0415  (costs a tenth of a second, and most runs make no workbook)

    options = {f"strings_to_{kind}": False for kind in ("formulas", "urls", "numbers")} | {"in_memory": True}
    looks = {"default_format_properties": {"font_name": font, "font_size": 10}}
    with xlsxwriter.Workbook(buffer, options | looks) as book:
        made = datetime(2020, 1, 1)  # noqa: DTZ001  (a fixed property of the file, not a moment)
        book.set_properties({"title": title, "subject": subject, "created": made})
        yield book


def fit(text: str) -> str:
    """A text as a cell can hold it. XlsxWriter takes what stands between the tags <r> for ready-made XML."""
    text = _UNFIT.sub("\ufffd", text)[:16_000]
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def lines_needed(text: str, width: int) -> int:
    """How many lines a text takes in a column of so many characters."""
    # Most letters are narrower than the digit by which Excel counts a width.
    return sum(1 if len(part) <= width else len(wrap(part, width + width // 8)) for part in text.split("\n"))


class Sheet:
    """A sheet of a report, written from top to bottom."""

    def __init__(self, book: Any, name: str, formats: Mapping[str, Any], footer: str = ""):
        self.sheet, self.formats, self.row = book.add_worksheet(name), formats, 0
        self._widths: Sequence[int] = ()
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_footer(f"{footer}&R&8&A, pagina &P van &N")

    def widths(self, widths: Sequence[int]) -> None:
        """The width of the first columns."""
        self._widths = widths
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)

    def add(self, cells: Sequence[Cell], look: str = "") -> None:
        """Write one line; every value gets the look of its kind, unless one is given."""
        self._make_room(cells, look)
        for column, value in enumerate(cells):
            if value is None or value == "":
                self.sheet.write_blank(self.row, column, None, self.formats[look or "text"])
            elif isinstance(value, str):
                self.sheet.write_string(self.row, column, fit(value), self.formats[look or "text"])
            elif isinstance(value, date):
                self.sheet.write_datetime(self.row, column, value, self.formats[look or "date"])
            else:
                kind = "number" if isinstance(value, Decimal) else "count"
                self.sheet.write_number(self.row, column, value, self.formats[look or kind])
        self.row += 1

    def _make_room(self, cells: Sequence[Cell], look: str) -> None:
        """A program that does not measure the text itself would print one line over the next."""
        if look == "title":
            return
        texts = (cell if isinstance(cell, str) else "" for cell in cells)
        lines = max((lines_needed(text, width) for text, width in zip(texts, self._widths, strict=False)), default=1)
        if lines > 1:
            self.sheet.set_row(self.row, min(13 * lines + 4, 405))

    def pair(self, label: str, text: str) -> None:
        """Write a label and what it says."""
        self._make_room((label, text), "plain")
        self.sheet.write_string(self.row, 0, fit(label), self.formats["label"])
        self.sheet.write_string(self.row, 1, fit(text), self.formats["plain"])
        self.row += 1

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Mapping[str, int]) -> None:
        """Write a table that fills the sheet: headers that stay in sight, a filter, and the rows."""
        self.widths([widths.get(header, 14) for header in headers])
        self.add(headers, "head")
        self.sheet.freeze_panes(1, 0)
        self.sheet.repeat_rows(0)
        for cells in rows:
            self.add(cells)
        self.sheet.autofilter(0, 0, max(self.row - 1, 1), len(headers) - 1)
