"""The residence check: one municipality reads which pupils stand in its name on the peildatum, and says whether that is so.

Belongs here: who is asked about, the workbook that goes out, and reading the answers that come back, as pure data and bytes
(SPEC section 6; woonplaatsbeginsel, Jeugdwet 1.1). Does not belong here: where it is kept and logged (stages.residence), what
an answer does to the payer (payer.residence).

What it can show: names and numbers do not pass the door, so the vault does not hold them. A municipality recognises a child by
birth date and postcode in its own register, at a school it knows. What it cannot show: two children of one birth date and
postcode (twins) cannot be told apart here; with a secret address there is only the birth date. For those the last word is with
the school: the row of its own file stands beside every child, and the reference is a short form of the pseudonym, so that school
and municipality can talk about a child without us knowing who it is. The class is left out: it tells what is the matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any

from zio_pipeline.payer import Decision
from zio_pipeline.payer.facts import EVIDENCE
from zio_pipeline.workbooks import fit, new_workbook

MUNICIPALITY, REFERENCE, CONFIRMED = "gemeente", "verwijzing", "bevestigd (ja/nee)"
SINCE, OTHER, NOTE = "sinds wanneer", "welke gemeente dan wel", "toelichting"
_SHOWN = (
    (MUNICIPALITY, 10),
    (REFERENCE, 16),
    ("school", 28),
    ("bestand en regel van de school", 34),
    ("geboortedatum", 14),
    ("postcode", 11),
    ("gemeente sinds", 15),
    ("bewijs", 24),
)
_ASKED = ((CONFIRMED, 18), (SINCE, 15), (OTHER, 26), (NOTE, 44))
_SHORTEST = 10

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Child:
    """One pupil as its municipality sees it; `pupil` is the pseudonym and stays with us."""

    reference: str
    pupil: str
    row_ref: str
    school: str
    birth_date: date
    postcode: str
    since: date | None
    evidence: str


def children_of(municipality: str, decisions: Iterable[Decision], registrations: Iterable[Row]) -> list[Child]:
    """The pupils whose payer is this municipality by the rules alone, by reference.

    Who has a payer by besluit is left out: that is settled, and a provisional payer is not the municipality of the child.

    Args:
        municipality: code of four digits.
        decisions: as the rules give them without any answer.
        registrations: the accepted rows that were decided on, whole: with birth date and postcode.
    """
    rows = {row["row_ref"]: row for row in registrations}
    mine = [d for d in decisions if (d.payer_kind, d.payer) == ("municipality", municipality) and d.reason == d.stream]
    short = _references([d.pupil for d in mine])
    found = [_child(short[d.pupil], d, rows[d.row_ref]) for d in mine]
    return sorted(found, key=lambda child: child.reference)


def _references(pupils: Sequence[str]) -> dict[str, str]:
    """Short forms of pseudonyms, as long as it takes to tell these apart. No number: a spreadsheet leaves them alone."""
    for length in range(_SHORTEST, 65):
        short = {pupil: f"L-{pupil[:length]}" for pupil in pupils}
        if len(set(short.values())) == len(short):
            break
    return short


def _child(reference: str, decision: Decision, row: Row) -> Child:
    return Child(
        reference=reference,
        pupil=decision.pupil,
        row_ref=decision.row_ref,
        school=decision.school,
        birth_date=row["birth_date"],
        postcode="geheim" if row["secret_address"] else row["postcode"] or "onbekend",
        since=row["municipality_since"],
        evidence=EVIDENCE[row["municipality_evidence"] or "school"],
    )


def workbook(
    municipality: tuple[str, str],
    school_year: str,
    reference_date: date,
    children: Sequence[Child],
    schools: Mapping[str, str],
) -> bytes:
    """The XLSX for one municipality. Only the answer cells can be changed; the same children give the same bytes.

    Args:
        municipality: its code and name.
        school_year: key of the school year.
        reference_date: the peildatum the question is about.
        children: its own pupils and nobody else's.
        schools: name by BRIN and vestiging.
    """
    code, name = municipality
    buffer = BytesIO()
    with new_workbook(buffer, "Woonplaatstoets", "Vertrouwelijk") as book:
        looks = {look: book.add_format(how) for look, how in _looks().items()}
        sheet = book.add_worksheet("Woonplaatstoets")
        sheet.protect("", {"format_columns": True, "format_rows": True, "sort": True, "autofilter": True})
        lines = _lines(name, code, school_year, reference_date, len(children))
        for number, line in enumerate(lines):
            sheet.write_string(number, 0, line, looks["title" if number == 0 else "plain"])
        top = len(lines) + 1
        for column, (title, width) in enumerate((*_SHOWN, *_ASKED)):
            sheet.set_column(column, column, width)
            sheet.write_string(top, column, title, looks["asked" if column >= len(_SHOWN) else "head"])
        for number, child in enumerate(children, start=top + 1):
            school = f"{schools.get(child.school, '')} ({child.school})".strip()
            _write_child(sheet, number, child, (code, child.reference, school, child.row_ref), looks)
        sheet.freeze_panes(top + 1, 2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
    return buffer.getvalue()


def _lines(name: str, code: str, school_year: str, reference_date: date, count: int) -> list[str]:
    return [
        f"Woonplaatstoets schooljaar {school_year}, gemeente {name} ({code})",
        f"Viel dit kind op de peildatum {reference_date:%d-%m-%Y} onder uw gemeente (woonplaatsbeginsel Jeugdwet)?",
        f"Vul bij elk van de {count} kinderen ja of nee in. Bij ja: sinds wanneer, als u dat weet (uiterlijk de peildatum).",
        "Bij nee: welke gemeente dan wel, als u dat weet. Zet geen namen of burgerservicenummers in de toelichting.",
        "Herkent u een kind niet? Vraag de school met de verwijzing en de regel van haar bestand. Leeg laten is: geen antwoord.",
        "Vertrouwelijk: bevat persoonsgegevens. Verstuur en bewaar dit werkboek alleen beveiligd, en wis het na gebruik.",
    ]


def _looks() -> dict[str, dict[str, Any]]:
    line = {"border": 1, "border_color": "#BFBFBF", "valign": "top", "num_format": "@", "quote_prefix": True}
    answer = line | {"locked": False, "bg_color": "#FFF8E1", "text_wrap": True}
    head = line | {"bold": True, "text_wrap": True, "bg_color": "#DFE7F0"}
    return {
        "title": {"bold": True, "font_size": 14},
        "plain": {},
        "head": head,
        "asked": head | {"bg_color": "#FFE8A3"},
        "text": line,
        "date": line | {"num_format": "dd-mm-yyyy", "quote_prefix": False, "align": "left"},
        "answer": answer | {"quote_prefix": False},
        "answer_date": answer | {"num_format": "dd-mm-yyyy", "quote_prefix": False},
    }


def _write_child(sheet: Any, number: int, child: Child, texts: Sequence[str], looks: Mapping[str, Any]) -> None:
    for column, value in enumerate(texts):
        sheet.write_string(number, column, fit(value), looks["text"])
    sheet.write_datetime(number, 4, _midnight(child.birth_date), looks["date"])
    sheet.write_string(number, 5, child.postcode, looks["text"])
    if child.since is None:
        sheet.write_blank(number, 6, None, looks["text"])
    else:
        sheet.write_datetime(number, 6, _midnight(child.since), looks["date"])
    sheet.write_string(number, 7, child.evidence, looks["text"])
    for column, (title, _) in enumerate(_ASKED, start=len(_SHOWN)):
        sheet.write_blank(number, column, None, looks["answer_date" if title == SINCE else "answer"])


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  (a cell holds a day without a place on earth)
