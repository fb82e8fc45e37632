"""The answer to a provider about its claims: a workbook with the verdict of every month and of every line, in Dutch.

Belongs here: what one provider reads, as bytes. It is pure: the same verdicts, in whatever order, give the same bytes.
Does not belong here: reaching the verdicts (claims), where the workbook is kept.

Nothing a sender wrote can become a formula, not even after an edit: it is a string, in a cell formatted as text, with the
prefix that keeps it one (SPEC section 8). Amounts are numbers with two decimals, written as whole cents over a hundred.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from zio_pipeline.claims import LAW_IN_DUTCH, SETTLED, LineVerdict, MonthVerdict
from zio_pipeline.contracts import products

Cell = str | int | Decimal | date | None

_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MONTHS = ("opdracht", "wet", "maand", "te declareren", "gedeclareerd", "geweigerd", "verschil", "oordeel", "reden")
_LINES = (
    "bestand en regel", "vestiging", "opdracht", "wet", "maand", "factuurnummer", "factuurdatum", "ontvangen op", "bedrag",
    "telt mee", "oordeel", "reden",
)  # fmt: skip
_WIDTHS = {"reden": 90, "bestand en regel": 58, "opdracht": 18, "factuurnummer": 20, "oordeel": 20}
_WHAT_NOW = (
    ("ontbreekt", "Dien de declaratie in."),
    ("dubbel", "Crediteer de regel die er te veel is, met een eigen regel C."),
    ("ander bedrag", "Crediteer de oude regel geheel en dien het juiste bedrag in."),
    ("verkeerde maand", "Crediteer de regel en dien haar in over de juiste maand."),
    ("onbekende opdracht", "Verbeter vestiging, AGB-code of opdracht in uw bestand."),
    ("geweigerd", "Te laat om nog te tellen; neem contact op als dat niet klopt."),
)


@dataclass(frozen=True)
class Addressee:
    """The provider an answer is for, and the day it speaks of."""

    provider: str
    name: str
    school_year: str
    as_of: date
    fictitious: bool


def claim_answer(to: Addressee, months: Iterable[MonthVerdict], lines: Iterable[LineVerdict]) -> bytes:
    """The XLSX for one provider.

    Args:
        to: whom it is for.
        months: the verdicts of its orders, in any order.
        lines: the verdicts of its own lines, in any order.
    """
    import xlsxwriter  # noqa: PLC0415  (costs a tenth of a second; only this needs it)

    verdicts = sorted(months, key=lambda m: m.place)
    own = sorted(lines, key=lambda v: (v.line.month, v.line.school, v.line.law, v.line.invoice_number, v.line.row_ref))
    buffer = BytesIO()
    options = {f"strings_to_{kind}": False for kind in ("formulas", "urls", "numbers")} | {"in_memory": True}
    font = {"default_format_properties": {"font_name": "Arial", "font_size": 10}}
    with xlsxwriter.Workbook(buffer, options | font) as book:
        made = datetime(2020, 1, 1)  # noqa: DTZ001  (a fixed property of the file, not a moment)
        book.set_properties({"title": "Antwoord op uw declaraties", "created": made})
        formats = {name: book.add_format(look) for name, look in _LOOKS.items()}
        _write_summary(_Sheet(book.add_worksheet("Samenvatting"), formats), to, verdicts, own)
        _write_table(_Sheet(book.add_worksheet("Per maand"), formats), _MONTHS, map(_month_cells, verdicts))
        _write_table(_Sheet(book.add_worksheet("Per regel"), formats), _LINES, map(_line_cells, own))
    return buffer.getvalue()


_LINE = {"valign": "top", "text_wrap": True, "border": 1, "border_color": "#BFBFBF"}
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_color": "#1F3A5F", "font_size": 16},
    "plain": {"valign": "top", "text_wrap": True},
    "label": {"valign": "top", "bold": True},
    "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3A5F", "border": 1},
    "text": _LINE | {"num_format": "@", "quote_prefix": True},
    "euro": _LINE | {"num_format": "#,##0.00"},
    "count": _LINE | {"num_format": "#,##0"},
    "date": _LINE | {"num_format": "dd-mm-yyyy"},
}


class _Sheet:
    """A sheet, written from top to bottom."""

    def __init__(self, sheet: Any, formats: Mapping[str, Any]):
        self.sheet, self.formats, self.row = sheet, formats, 0
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&R&8&A, pagina &P van &N")

    def add(self, cells: Sequence[Cell], look: str = "") -> None:
        """Write one line; every value gets the look of its kind, unless one is given."""
        for column, value in enumerate(cells):
            if value is None or value == "":
                self.sheet.write_blank(self.row, column, None, self.formats[look or "text"])
            elif isinstance(value, str):
                self.sheet.write_string(self.row, column, _fit(value), self.formats[look or "text"])
            elif isinstance(value, date):
                self.sheet.write_datetime(self.row, column, value, self.formats[look or "date"])
            else:
                kind = "euro" if isinstance(value, Decimal) else "count"
                self.sheet.write_number(self.row, column, value, self.formats[look or kind])
        self.row += 1


def _fit(text: str) -> str:
    """A text as a cell can hold it. XlsxWriter takes what stands between the tags <r> for ready-made XML."""
    text = _UNFIT.sub("\ufffd", text)[:16_000]
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def _write_summary(page: _Sheet, to: Addressee, months: Sequence[MonthVerdict], lines: Sequence[LineVerdict]) -> None:
    for column, width in enumerate((26, 70, 16, 16)):
        page.sheet.set_column(column, column, width)
    page.add(["Antwoord op uw declaraties"], "title")
    about = {
        "Aanbieder": f"{to.name} ({to.provider})",
        "Schooljaar": to.school_year,
        "Stand op": f"{to.as_of:%d-%m-%Y}",
    }
    for label, text in (about | ({"Let op": "Fictief: verzonnen bedragen"} if to.fictitious else {})).items():
        page.sheet.write_string(page.row, 0, label, page.formats["label"])
        page.sheet.write_string(page.row, 1, _fit(text), page.formats["plain"])
        page.row += 1
    page.row += 1
    page.add(["oordeel", "wat u kunt doen", "maanden", "bedrag verschil"], "head")
    counted, differences = Counter[str](), Counter[str]()
    for month in months:
        counted[_verdict(month.status)] += 1
        differences[_verdict(month.status)] += month.difference_cents
    steps = dict(_WHAT_NOW)
    for verdict in sorted(counted):
        page.add([verdict, steps.get(verdict, ""), counted[verdict], _euros(differences[verdict])])
    if unknown := [v for v in lines if v.status == "unknown_order"]:
        verdict = _verdict("unknown_order")
        page.add([verdict, f"{steps[verdict]} Regels: {len(unknown)}.", None, None])
    _write_total(page, months, lines)


def _write_total(page: _Sheet, months: Sequence[MonthVerdict], lines: Sequence[LineVerdict]) -> None:
    """What was sent is what counts and what does not: the provider can add it up in its own books."""
    page.row += 1
    page.add(["optelling", "debet min credit", "regels", "bedrag"], "head")
    for what, mine in (
        ("telt mee", [v for v in lines if v.counted]),
        ("telt niet mee", [v for v in lines if not v.counted]),
        ("alles", list(lines)),
    ):
        page.add([what, "", len(mine), _euros(sum(v.line.signed_cents for v in mine))])
    settled = sum(month.status in SETTLED for month in months)
    page.add(["afgehandeld", f"{settled} van {len(months)} maanden", None, None])


def _write_table(page: _Sheet, headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    for column, header in enumerate(headers):
        page.sheet.set_column(column, column, _WIDTHS.get(header, 14))
    page.add(headers, "head")
    page.sheet.freeze_panes(1, 0)
    page.sheet.repeat_rows(0)
    for cells in rows:
        page.add(cells)
    page.sheet.autofilter(0, 0, max(page.row - 1, 1), len(headers) - 1)


def _month_cells(month: MonthVerdict) -> Sequence[Cell]:
    amounts = (month.declared_cents, month.claimed_cents, month.refused_cents, month.difference_cents)
    head = (month.order_id, LAW_IN_DUTCH[month.law], month.month)
    return (*head, *map(_euros, amounts), _verdict(month.status), month.reason)


def _line_cells(verdict: LineVerdict) -> Sequence[Cell]:
    line = verdict.line
    head = (line.row_ref, line.school, verdict.order_id, LAW_IN_DUTCH[line.law], line.month, line.invoice_number)
    counts = "ja" if verdict.counted else "nee"
    tail = (line.invoice_date, line.received_on, _euros(line.signed_cents), counts)
    return (*head, *tail, _verdict(verdict.status), verdict.reason)


def _euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _verdict(status: str) -> str:
    """The Dutch word of a verdict, as in the contract of the table."""
    return dict(products()["claim_lines"].column("status").allowed)[status]
