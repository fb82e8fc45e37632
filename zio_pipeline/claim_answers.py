"""The answer to a provider about its claims: a workbook with the verdict of every month and of every line, in Dutch.

Belongs here: what one provider reads, as bytes. It is pure: the same verdicts, in whatever order, give the same bytes.
Does not belong here: reaching the verdicts (claims), where the workbook is kept.

Amounts are numbers with two decimals, written as whole cents over a hundred.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO

from zio_pipeline.claims import LAW_IN_DUTCH, SETTLED, LineVerdict, MonthVerdict
from zio_pipeline.contracts import products
from zio_pipeline.workbooks import LOOKS, Cell, Sheet, new_workbook

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
    verdicts = sorted(months, key=lambda m: m.place)
    own = sorted(lines, key=lambda v: (v.line.month, v.line.school, v.line.law, v.line.invoice_number, v.line.row_ref))
    buffer = BytesIO()
    with new_workbook(buffer, "Antwoord op uw declaraties") as book:
        formats = {name: book.add_format(look) for name, look in LOOKS.items()}
        _write_summary(Sheet(book, "Samenvatting", formats), to, verdicts, own)
        Sheet(book, "Per maand", formats).table(_MONTHS, [_month_cells(month) for month in verdicts], _WIDTHS)
        Sheet(book, "Per regel", formats).table(_LINES, [_line_cells(line) for line in own], _WIDTHS)
    return buffer.getvalue()


def _write_summary(page: Sheet, to: Addressee, months: Sequence[MonthVerdict], lines: Sequence[LineVerdict]) -> None:
    page.widths((26, 70, 16, 16))
    page.add(["Antwoord op uw declaraties"], "title")
    about = {
        "Aanbieder": f"{to.name} ({to.provider})",
        "Schooljaar": to.school_year,
        "Stand op": f"{to.as_of:%d-%m-%Y}",
    }
    for label, text in (about | ({"Let op": "Fictief: verzonnen bedragen"} if to.fictitious else {})).items():
        page.pair(label, text)
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


def _write_total(page: Sheet, months: Sequence[MonthVerdict], lines: Sequence[LineVerdict]) -> None:
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
