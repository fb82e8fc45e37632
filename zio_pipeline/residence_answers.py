"""What comes back of a residence check: the answers of one municipality, read from its workbook or refused whole.

Belongs here: finding the columns by their headers, judging every row, and saying in Dutch what is wrong with which row, never
about whom. Does not belong here: the workbook that went out (residence_check), keeping the answers (stages.residence).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from zio_pipeline.errors import ZioError
from zio_pipeline.intake.headers import normalise
from zio_pipeline.intake.reading import read
from zio_pipeline.intake.sheets import Sheet
from zio_pipeline.reference import municipalities
from zio_pipeline.residence_check import CONFIRMED, MUNICIPALITY, NOTE, OTHER, REFERENCE, SINCE

T = TypeVar("T")

_REQUIRED = (MUNICIPALITY, REFERENCE, CONFIRMED)
_COLUMNS = {normalise(header): header for header in (*_REQUIRED, SINCE, OTHER, NOTE)}
_HEADER_SEARCH_ROWS = 30
_YES_NO = {"ja": True, "j": True, "nee": False, "n": False}

Asked = Mapping[str, Mapping[str, str]]
"""Municipality -> reference -> pseudonym: what was asked of whom."""


@dataclass(frozen=True)
class Answer:
    """What a municipality says of one child. `other` is the code it names instead; `other_text` and `note` are its own words."""

    pupil: str
    confirmed: bool
    since: date | None
    other: str | None
    other_text: str
    note: str


@dataclass(frozen=True)
class Answers:
    """The answers of one municipality, by pseudonym, and of how many children it was asked about it said nothing."""

    municipality: str
    answers: tuple[Answer, ...]
    unanswered: int


@dataclass(frozen=True)
class _Line:
    """A row as it was sent: its number and its cells by header."""

    number: int
    cells: Mapping[str, str]


def read_answers(data: bytes, asked: Asked, reference_date: date) -> Answers:
    """Read the workbook (XLSX or CSV) that a municipality sends back.

    Args:
        data: its bytes.
        asked: what was asked; an answer about another child is refused.
        reference_date: the peildatum.

    Raises:
        ZioError: it cannot be read, lacks a column, is of no or several municipalities, or a row is wrong; every row is named.
    """
    lines = _lines(read(data, lambda cells: len(_positions(cells))))
    named = {line.cells[MUNICIPALITY].zfill(4) for line in lines}
    if len(named) != 1 or not named <= asked.keys():
        raise ZioError(
            "De kolom 'gemeente' moet in elke rij dezelfde gemeente noemen, waaraan deze toets is gevraagd. "
            "Gebruik het werkboek dat met 'zio residence-check' is gemaakt."
        )
    (municipality,) = named
    problems: list[str] = []
    found: dict[str, set[Answer]] = defaultdict(set)
    for line in lines:
        try:
            answer = _answer(line, municipality, asked[municipality], reference_date)
        except ValueError as error:
            problems.append(f"rij {line.number}: {error}.")
        else:
            found[line.cells[REFERENCE]] |= {answer} if answer else set()
    problems += [
        f"verwijzing {ref}: staat er vaker, met verschillende antwoorden." for ref, a in found.items() if len(a) > 1
    ]
    if problems:
        raise ZioError("De woonplaatstoets is niet ingelezen; er is niets gewijzigd:\n- " + "\n- ".join(problems))
    answers = sorted((answer for mine in found.values() for answer in mine), key=lambda answer: answer.pupil)
    if not answers:
        raise ZioError("In dit werkboek is geen enkele rij beantwoord; er is niets gewijzigd.")
    return Answers(municipality, tuple(answers), len(asked[municipality]) - len(answers))


def _lines(sheets: Sequence[Sheet]) -> list[_Line]:
    """The rows below the first row with every required header.

    Raises:
        ZioError: there is no such row, or a header stands in it twice.
    """
    for sheet in sheets:
        for index in range(min(_HEADER_SEARCH_ROWS, len(sheet))):
            positions = _positions(sheet.row(index))
            if set(_REQUIRED) <= positions.keys():
                _require_once(sheet.row(index))
                lines = [_line(sheet, row, positions) for row in range(index + 1, len(sheet))]
                return [line for line in lines if any(line.cells.values())]
    raise ZioError(f"Dit is geen woonplaatstoets: er is geen kopregel met {', '.join(_REQUIRED)}.")


def _require_once(cells: Sequence[str]) -> None:
    known = Counter(_COLUMNS[normalise(cell)] for cell in cells if cell and normalise(cell) in _COLUMNS)
    twice = sorted(header for header, times in known.items() if times > 1)
    if twice:
        raise ZioError(f"De kolom '{twice[0]}' staat er meer dan één keer; onduidelijk is welke geldt.")


def _positions(cells: Sequence[str]) -> dict[str, int]:
    return {_COLUMNS[normalise(cell)]: n for n, cell in enumerate(cells) if cell and normalise(cell) in _COLUMNS}


def _line(sheet: Sheet, row: int, positions: Mapping[str, int]) -> _Line:
    cells = sheet.row(row)
    texts = {header: cells[n].strip() if n < len(cells) else "" for header, n in positions.items()}
    return _Line(int(sheet.numbers[row]), dict.fromkeys((SINCE, OTHER, NOTE), "") | texts)


def _answer(line: _Line, municipality: str, asked: Mapping[str, str], reference_date: date) -> Answer | None:
    """The answer of one row, None where there is none; ValueError says in Dutch what is wrong."""
    cells, day = line.cells, f"{reference_date:%d-%m-%Y}"
    pupil = asked.get(cells[REFERENCE])
    if pupil is None:
        raise ValueError("deze verwijzing is niet aan deze gemeente gevraagd; neem haar over uit het werkboek")
    if not cells[CONFIRMED]:
        if cells[SINCE] or cells[OTHER]:
            raise ValueError("vul bij 'bevestigd' ja of nee in")
        return None
    confirmed = _read(cells[CONFIRMED], lambda text: _YES_NO[text.casefold()], "schrijf bij 'bevestigd' ja of nee")
    since = (
        _read(cells[SINCE], _day, "schrijf 'sinds wanneer' als een bestaande datum dd-mm-jjjj")
        if cells[SINCE]
        else None
    )
    other = municipalities().resolve(cells[OTHER], reference_date, None).code
    if confirmed and (cells[OTHER] and other != municipality):
        raise ValueError("er staat ja, en ook een andere gemeente; kies één van beide")
    if confirmed and since is not None and since > reference_date:
        raise ValueError(f"er staat ja, maar sinds een dag na de peildatum {day}; op de peildatum was het dan nee")
    if not confirmed and other == municipality:
        raise ValueError("er staat nee, maar de andere gemeente is uw eigen gemeente")
    return Answer(pupil, confirmed, since, None if confirmed else other, cells[OTHER], cells[NOTE])


def _read(text: str, reader: Callable[[str], T], what: str) -> T:
    try:
        return reader(text)
    except (ValueError, LookupError) as error:
        raise ValueError(what) from error


def _day(text: str) -> date:
    iso = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", text)
    dutch = re.fullmatch(r"([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})", text)
    year, month, day = map(int, iso.groups() if iso else dutch.groups()[::-1] if dutch else ())
    return date(year, month, day)
