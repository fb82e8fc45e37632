"""The lawfulness file (rechtmatigheidsdossier) of a school year as a workbook in Dutch, for the accountant.

Belongs here: what is read, as bytes. It is pure: the same rows, in whatever order, give the same bytes.
Does not belong here: the figures and the sample (`lawfulness`), where the workbook is kept.

Amounts are whole cents over a hundred and hours are minutes over sixty, to two decimals.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

from zio_pipeline.contracts import products
from zio_pipeline.hours.lawfulness import MINUTES_PER_HOUR, totals
from zio_pipeline.money import format_euro, round_half_up
from zio_pipeline.workbooks import LOOKS, Cell, Sheet, new_workbook

Row = Mapping[str, Any]

_EUROS: tuple[tuple[str, str], ...] = (
    ("opdracht", "order_id"),
    ("te declareren", "declared_cents"),
    ("gedeclareerd (netto)", "claimed_cents"),
    ("te bewijzen", "to_prove_cents"),
    ("gedekt", "covered_cents"),
    ("dekking (promille)", "coverage_permille"),
    ("niet gedekt", "uncovered_cents"),
    ("tolerantie", "tolerance_cents"),
    ("waarde zonder akkoord", "provisional_cents"),
    ("dan nog niet gedekt", "still_uncovered_cents"),
    ("oordeel", "status"),
)
_HOURS: tuple[tuple[str, str], ...] = (
    ("opdracht", "order_id"),
    ("toegekend (jaar)", "granted_minutes"),
    ("gepland", "planned_minutes"),
    ("goedgekeurd", "approved_minutes"),
    ("waarvan verzorging", "approved_care_minutes"),
    ("zonder akkoord", "provisional_minutes"),
    ("van klassen zonder toekenning", "ungranted_minutes"),
    ("met een ernstig signaal", "serious_minutes"),
)
_SAMPLE: tuple[tuple[str, str], ...] = (
    ("opdracht", "order_id"),
    ("nr", "sample_number"),
    ("regelverwijzing", "row_ref"),
    ("datum", "work_date"),
    ("week", "week"),
    ("vestiging", "school"),
    ("klas", "class_code"),
    ("functie", "function"),
    ("minuten", "minutes"),
    ("ingeleverd op", "handed_in_on"),
    ("akkoord school op", "approved_on"),
    ("doorgestuurd op", "forwarded_on"),
    ("te vragen bewijs", "evidence"),
)
_TO_FILL_IN = ("gezien op", "bevinding", "paraaf")
_DRAWS = ("trekking", "kenmerk", "gedaan op", "tot en met", "versie", "startwaarde", "regels", "dit dossier")
_FILES = ("bestand", "SHA-256 van de inhoud")
_WIDTHS = {
    "opdracht": 18,
    "nr": 6,
    "regelverwijzing": 36,
    "week": 10,
    "vestiging": 10,
    "klas": 10,
    "functie": 12,
    "minuten": 10,
    "te vragen bewijs": 60,
    "bevinding": 30,
    "paraaf": 10,
    "oordeel": 26,
    "startwaarde": 40,
    "bestand": 70,
    "SHA-256 van de inhoud": 68,
}
_LOOKS = dict(LOOKS) | {
    name: {**LOOKS[name], "num_format": f"{LOOKS[name]['num_format']}_-"} for name in ("number", "count", "date")
}
"""Numbers stay the width of a dash clear of the text in the next column."""
_A3 = 8


@dataclass(frozen=True)
class Dossier:
    """What the file is about: the version in force, the day it speaks of, up to which day, and which draw it holds."""

    school_year: str
    version: int
    as_of: date
    through: date
    tolerance_permille: int
    grace_days: int
    draw_id: str
    sample_size: int
    fictitious: bool


def lawfulness_file(
    dossier: Dossier,
    orders: Iterable[Row],
    sample: Iterable[Row],
    draws: Iterable[Row],
    files: Iterable[tuple[str, str]],
) -> bytes:
    """The XLSX of one draw.

    Args:
        dossier: what it is about.
        orders: rows of `lawfulness`.
        sample: rows of `lawfulness_sample` of this draw, one or more.
        draws: rows of `lawfulness_sample` of every draw of the year, this one too.
        files: label and SHA-256 of the timesheets that were drawn from.
    """
    rows = sorted(orders, key=lambda r: r["order_id"])
    lines = sorted(sample, key=lambda r: (r["order_id"], r["sample_number"]))
    footer = f"&L&8Rechtmatigheid {dossier.school_year}"
    buffer = BytesIO()
    with new_workbook(buffer, f"Rechtmatigheidsdossier {dossier.school_year}", font="Calibri") as book:
        formats = {name: book.add_format(look) for name, look in _LOOKS.items()}
        _write_summary(Sheet(book, "Samenvatting", formats, footer), dossier, rows, lines)
        for name, columns in (("Per opdracht", _EUROS), ("Uren per opdracht", _HOURS)):
            page = Sheet(book, name, formats, footer)
            _write_table(page, columns, rows)
            if rows:
                sums = totals(rows) | {"order_id": "regio"}
                page.add([_cell(name, sums.get(name)) for _, name in columns])
        page = Sheet(book, "Steekproef", formats, footer)
        page.sheet.set_paper(_A3)
        _write_table(page, _SAMPLE, lines, _TO_FILL_IN)
        Sheet(book, "Trekkingen", formats, footer).table(_DRAWS, _draw_cells(draws, dossier), _WIDTHS)
        Sheet(book, "Urenstaten", formats, footer).table(_FILES, sorted(files), _WIDTHS)
    return buffer.getvalue()


def _write_summary(page: Sheet, dossier: Dossier, rows: Sequence[Row], lines: Sequence[Row]) -> None:
    page.widths((30, 110))
    page.add(["Rechtmatigheidsdossier zorg in onderwijstijd"], "title")
    drawn, population = (
        Counter(line["order_id"] for line in lines),
        {r["order_id"]: r["population_lines"] for r in lines},
    )
    counts = ", ".join(f"{order_id} {drawn[order_id]} uit {population[order_id]}" for order_id in sorted(drawn))
    about = {
        "Schooljaar": f"{dossier.school_year}, versie {dossier.version} van de vaststelling",
        "Stand op": f"{dossier.as_of:%d-%m-%Y}, over de dagen tot en met {dossier.through:%d-%m-%Y}",
        "Tolerantie": f"{format_euro(dossier.tolerance_permille * 10)} %",
        "Steekproef": f"trekking {lines[0]['draw_number']} ({dossier.draw_id}) van {lines[0]['drawn_on']:%d-%m-%Y}, "
        f"startwaarde '{lines[0]['seed']}', ten hoogste {dossier.sample_size} regels per opdracht: {counts}",
        "Let op": "Vertrouwelijk" + (". Fictief: verzonnen uren en bedragen" if dossier.fictitious else ""),
    }
    for label, text in about.items():
        page.pair(label, text)
    page.row += 1
    for row in rows:
        page.pair(row["order_id"], row["conclusion"].replace("€ ", "€\u00a0"))
    page.row += 1
    for number, sentence in enumerate(_basis(dossier, lines[0]["drawn_on"])):
        page.pair("Zo is gerekend" if number == 0 else "", sentence)


def _basis(dossier: Dossier, drawn_on: date) -> tuple[str, ...]:
    return (
        "Te declareren: wat de aanbieder over de maanden tot en met deze dag mag declareren volgens de geldende vaststelling. "
        "Gedeclareerd: wat hij over die maanden declareerde en wat meetelt, credits eraf; leeg zolang dat niet is gecontroleerd.",
        "Gedekt: directe uren met akkoord van de school, elke functie tegen haar eigen tarief, of naar verhouding van het "
        "afgesproken bedrag. Een groepsuur telt één keer.",
        "Te bewijzen: in de loop van het jaar de waarde van de uren die tot en met deze dag gepland waren, want termijnen en "
        "schooldagen lopen niet gelijk op; na de laatste maand het te declareren bedrag.",
        f"Een maand doet mee zodra haar urenstaten binnen moeten zijn: {dossier.grace_days} dagen na het einde van de maand.",
        "Het geld volgt de opdracht en niet de uren: een tekort verandert geen bedrag, maar vraagt om uitleg of bewijs.",
        "Uren van klassen zonder toegekende uren staan apart: zij bewijzen niets van de opdracht.",
        "Uren met een ernstig signaal (dubbele regel, twee klassen tegelijk, meer dan 12 uur op een dag) tellen mee. Een minuut "
        "met twee signalen staat er twee keer.",
        "De tolerantie is hier een signaal per opdracht; de goedkeuringstolerantie van de controle geldt voor de hele gemeente.",
        "Getrokken is uit alle directe regels van klassen met toegekende uren, gewerkt tot en met "
        f"{dossier.through:%d-%m-%Y} en door de school akkoord bevonden op of voor {drawn_on:%d-%m-%Y}, in de bestanden van blad "
        "Urenstaten.",
        "Het lot van een regel is de SHA-256 (in hexadecimale cijfers) van startwaarde, teken 31 en regelverwijzing achter elkaar, "
        "in UTF-8; per opdracht zijn de laagste loten getrokken. Een regelverwijzing is bestand:blad:rij, zonder blad bestand:rij.",
        "Op blad Trekkingen staat elke trekking van dit schooljaar tot nu toe; een dossier wordt nooit overschreven.",
        "In dit dossier staat geen leerling, en geen naam of nummer van een medewerker. Een getrokken regel is wel het werk van "
        "één medewerker op één dag: houd het dossier vertrouwelijk.",
    )


def _draw_cells(draws: Iterable[Row], dossier: Dossier) -> list[list[Cell]]:
    """A line per draw, in the order in which they were made."""
    names = ("draw_number", "draw_id", "drawn_on", "through", "version", "seed")
    lines = Counter(tuple(row[name] for name in names) for row in draws)
    here = (dossier.draw_id, dossier.version)
    return [
        [*draw, count, "ja" if (draw[1], draw[4]) == here else ""]
        for draw, count in sorted(lines.items(), key=lambda found: found[0])
    ]


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


_WORDS = {"status": "lawfulness", "function": "lawfulness_sample"}
"""Columns with codes, and the table in whose contract their Dutch words stand."""
