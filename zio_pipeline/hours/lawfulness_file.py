"""The lawfulness file (rechtmatigheidsdossier) of a school year as a workbook in Dutch, for the accountant.

Belongs here: what is read, as bytes. It is pure: the same rows, in whatever order, give the same bytes.
Does not belong here: the figures and the sample (`lawfulness`), where the workbook is kept.

Amounts are whole cents over a hundred and hours are minutes over sixty, to two decimals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

from zio_pipeline.contracts import products
from zio_pipeline.hours.lawfulness import MINUTES_PER_HOUR, totals
from zio_pipeline.money import round_half_up
from zio_pipeline.workbooks import LOOKS, Cell, Sheet, new_workbook

Row = Mapping[str, Any]

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
    rows = sorted(orders, key=lambda r: r["order_id"])
    lines = sorted(sample, key=lambda r: (r["order_id"], r["sample_number"]))
    buffer, footer = BytesIO(), "&L&8Vertrouwelijk"
    with new_workbook(buffer, "Rechtmatigheidsdossier", "Vertrouwelijk") as book:
        formats = {name: book.add_format(look) for name, look in LOOKS.items()}
        _write_summary(Sheet(book, "Samenvatting", formats, footer), dossier, rows)
        page = Sheet(book, "Per opdracht", formats, footer)
        _write_table(page, _ORDERS, rows)
        if rows:
            sums = totals(rows) | {"order_id": "regio"}
            page.add([_cell(name, sums.get(name)) for _, name in _ORDERS])
        _write_table(Sheet(book, "Steekproef", formats, footer), _SAMPLE, lines, _TO_FILL_IN)
    return buffer.getvalue()


def _write_summary(page: Sheet, dossier: Dossier, rows: Sequence[Row]) -> None:
    page.widths((30, 100))
    page.add(["Rechtmatigheidsdossier zorg in onderwijstijd"], "title")
    about = {
        "Schooljaar": f"{dossier.school_year}, versie {dossier.version} van de vaststelling",
        "Stand op": f"{dossier.as_of:%d-%m-%Y}; maanden die voorbij zijn, tot en met {dossier.through:%d-%m-%Y}",
        "Tolerantie": f"{Decimal(dossier.tolerance_permille).scaleb(-1)} %".replace(".", ","),
        "Steekproef": f"{dossier.sample_size} regels per opdracht, startwaarde '{dossier.seed}'",
        "Let op": "Vertrouwelijk" + (". Fictief: verzonnen uren en bedragen" if dossier.fictitious else ""),
    }
    for label, text in about.items():
        page.pair(label, text)
    page.row += 1
    for row in rows:
        page.pair(row["order_id"], row["conclusion"])
    page.row += 1
    for number, sentence in enumerate(_BASIS):
        page.pair("Zo is gerekend" if number == 0 else "", sentence)


def _write_table(
    page: Sheet, columns: Sequence[tuple[str, str]], rows: Sequence[Row], empty: Sequence[str] = ()
) -> None:
    """A table under Dutch headers, with columns to fill in."""
    headers = [*(header for header, _ in columns), *empty]
    cells = [[*(_cell(name, row[name]) for _, name in columns), *(None for _ in empty)] for row in rows]
    page.table(headers, cells, _WIDTHS)


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
