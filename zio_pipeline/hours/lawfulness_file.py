"""The lawfulness file (rechtmatigheidsdossier) of a school year as a workbook in Dutch, for the accountant.

Belongs here: what is read, as bytes. It is pure: the same rows, in whatever order, give the same bytes.
Does not belong here: the figures and the sample (`lawfulness`), where the workbook is kept.

Nothing that came from a file can become a formula: it is a string, in a cell formatted as text, with the prefix that keeps it one
(SPEC section 8). Amounts are whole cents over a hundred and hours are minutes over sixty, to two decimals.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from zio_pipeline.contracts import products
from zio_pipeline.hours.lawfulness import MINUTES_PER_HOUR, totals
from zio_pipeline.money import round_half_up

Cell = str | int | Decimal | date | None
Row = Mapping[str, Any]

_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BASIS = (
    "Gedeclareerd: wat de aanbieder in de verstreken maanden mag declareren volgens de geldende vaststelling.",
    "Gedekt: directe uren met akkoord van de school, elke functie tegen haar eigen tarief. Een groepsuur telt één keer.",
    "Het geld volgt de opdracht en niet de uren: een tekort verandert geen bedrag, maar vraagt om uitleg of bewijs.",
    "In de loop van het jaar lopen termijnen en schooldagen niet gelijk op; pas na de laatste maand zegt de dekking alles.",
    "De tolerantie is hier een signaal per opdracht; de goedkeuringstolerantie van de controle geldt voor de hele gemeente.",
    "Steekproef: het lot van een regel is SHA-256 van de startwaarde en de regelverwijzing; de laagste loten zijn getrokken.",
    "In dit dossier staat geen leerling en geen medewerker.",
)
_ORDERS: tuple[tuple[str, str], ...] = (
    ("opdracht", "order_id"),
    ("gedeclareerd", "declared_cents"),
    ("gedekt", "covered_cents"),
    ("dekking (promille)", "coverage_permille"),
    ("niet gedekt", "uncovered_cents"),
    ("tolerantie", "tolerance_cents"),
    ("toegekende uren (jaar)", "granted_minutes"),
    ("goedgekeurde uren", "approved_minutes"),
    ("waarvan verzorging", "approved_care_minutes"),
    ("uren zonder akkoord", "provisional_minutes"),
    ("waarde daarvan", "provisional_cents"),
    ("dan nog niet gedekt", "still_uncovered_cents"),
    ("oordeel", "status"),
    ("conclusie", "conclusion"),
)
_SAMPLE: tuple[tuple[str, str], ...] = (
    ("opdracht", "order_id"),
    ("nr", "sample_number"),
    ("regelverwijzing", "row_ref"),
    ("datum", "work_date"),
    ("week", "week"),
    ("vestiging", "school"),
    ("klas", "class_code"),
    ("activiteit", "activity"),
    ("functie", "function"),
    ("minuten", "minutes"),
    ("ingeleverd op", "handed_in_on"),
    ("akkoord school op", "approved_on"),
    ("doorgestuurd op", "forwarded_on"),
    ("te vragen bewijs", "evidence"),
)
_TO_FILL_IN = ("gezien op", "bevinding", "paraaf")
_WIDTHS = {
    "conclusie": 80,
    "te vragen bewijs": 80,
    "regelverwijzing": 62,
    "opdracht": 18,
    "oordeel": 24,
    "bevinding": 40,
}


@dataclass(frozen=True)
class Dossier:
    """What the file is about: the version in force, the day it speaks of, up to which month, and how the sample was drawn."""

    school_year: str
    version: int
    as_of: date
    through: date
    tolerance_permille: int
    seed: str
    sample_size: int
    fictitious: bool


def lawfulness_file(dossier: Dossier, orders: Iterable[Row], sample: Iterable[Row]) -> bytes:
    """The XLSX.

    Args:
        dossier: what it is about.
        orders: rows of `lawfulness`, in any order.
        sample: rows of `lawfulness_sample`, in any order.
    """
    import xlsxwriter  # noqa: PLC0415  (costs a tenth of a second; only this needs it)

    rows = sorted(orders, key=lambda r: r["order_id"])
    lines = sorted(sample, key=lambda r: (r["order_id"], r["sample_number"]))
    buffer = BytesIO()
    options = {f"strings_to_{kind}": False for kind in ("formulas", "urls", "numbers")} | {"in_memory": True}
    font = {"default_format_properties": {"font_name": "Arial", "font_size": 10}}
    with xlsxwriter.Workbook(buffer, options | font) as book:
        made = datetime(2020, 1, 1)  # noqa: DTZ001  (a fixed property of the file, not a moment)
        book.set_properties({"title": "Rechtmatigheidsdossier", "subject": "Vertrouwelijk", "created": made})
        formats = {name: book.add_format(look) for name, look in _LOOKS.items()}
        _write_summary(_Sheet(book.add_worksheet("Samenvatting"), formats), dossier, rows)
        _write_table(_Sheet(book.add_worksheet("Per opdracht"), formats), _ORDERS, rows, with_total=True)
        _write_table(_Sheet(book.add_worksheet("Steekproef"), formats), _SAMPLE, lines, _TO_FILL_IN)
    return buffer.getvalue()


_LINE = {"valign": "top", "text_wrap": True, "border": 1, "border_color": "#BFBFBF"}
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_color": "#1F3A5F", "font_size": 16},
    "plain": {"valign": "top", "text_wrap": True},
    "label": {"valign": "top", "bold": True},
    "head": {
        "bold": True,
        "font_color": "#FFFFFF",
        "bg_color": "#1F3A5F",
        "border": 1,
        "text_wrap": True,
        "valign": "top",
    },
    "text": _LINE | {"num_format": "@", "quote_prefix": True},
    "number": _LINE | {"num_format": "#,##0.00"},
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
        sheet.set_footer("&L&8Vertrouwelijk&R&8&A, pagina &P van &N")

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
                kind = "number" if isinstance(value, Decimal) else "count"
                self.sheet.write_number(self.row, column, value, self.formats[look or kind])
        self.row += 1


def _fit(text: str) -> str:
    """A text as a cell can hold it. XlsxWriter takes what stands between the tags <r> for ready-made XML."""
    text = _UNFIT.sub("\ufffd", text)[:16_000]
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def _write_summary(page: _Sheet, dossier: Dossier, rows: Sequence[Row]) -> None:
    for column, width in enumerate((30, 100)):
        page.sheet.set_column(column, column, width)
    page.add(["Rechtmatigheidsdossier zorg in onderwijstijd"], "title")
    about = {
        "Schooljaar": f"{dossier.school_year}, versie {dossier.version} van de vaststelling",
        "Stand op": f"{dossier.as_of:%d-%m-%Y}; maanden die voorbij zijn, tot en met {dossier.through:%d-%m-%Y}",
        "Tolerantie": f"{Decimal(dossier.tolerance_permille).scaleb(-1)} %".replace(".", ","),
        "Steekproef": f"{dossier.sample_size} regels per opdracht, startwaarde '{dossier.seed}'",
        "Let op": "Vertrouwelijk" + (". Fictief: verzonnen uren en bedragen" if dossier.fictitious else ""),
    }
    for label, text in about.items():
        _pair(page, label, text)
    page.row += 1
    for row in rows:
        _pair(page, row["order_id"], row["conclusion"])
    page.row += 1
    for number, sentence in enumerate(_BASIS):
        _pair(page, "Zo is gerekend" if number == 0 else "", sentence)


def _pair(page: _Sheet, label: str, text: str) -> None:
    page.sheet.write_string(page.row, 0, _fit(label), page.formats["label"])
    page.sheet.write_string(page.row, 1, _fit(text), page.formats["plain"])
    page.row += 1


def _write_table(
    page: _Sheet,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Row],
    empty: Sequence[str] = (),
    *,
    with_total: bool = False,
) -> None:
    """A table under Dutch headers, with columns to fill in; the last line may be the sum of the region."""
    headers = [*(header for header, _ in columns), *empty]
    for column, header in enumerate(headers):
        page.sheet.set_column(column, column, _WIDTHS.get(header, 14))
    page.add(headers, "head")
    page.sheet.freeze_panes(1, 0)
    page.sheet.repeat_rows(0)
    for row in rows:
        page.add([*(_cell(name, row[name]) for _, name in columns), *(None for _ in empty)])
    page.sheet.autofilter(0, 0, max(page.row - 1, 1), len(headers) - 1)
    if with_total and rows:
        sums = totals(rows) | {"order_id": "regio"}
        page.add([_cell(name, sums.get(name)) for _, name in columns])


def _cell(name: str, value: Any) -> Cell:
    """Cents as euros, minutes of a sum as hours, codes by their Dutch word."""
    if value is None:
        return None
    if name.endswith("_cents"):
        return Decimal(value).scaleb(-2)
    if name.endswith("_minutes"):
        return Decimal(round_half_up(value * 100, MINUTES_PER_HOUR)).scaleb(-2)
    if name in _WORDS:
        return dict(products()[_WORDS[name]].column(name).allowed)[value]
    return value  # type: ignore[no-any-return]


_WORDS = {"status": "lawfulness", "activity": "lawfulness_sample", "function": "lawfulness_sample"}
"""Columns with codes, and the table in whose contract their Dutch words stand."""
