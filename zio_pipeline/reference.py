"""Public facts with dates: municipalities and what became of them, and zorgkantoren.

Belongs here: reading the tables in `reference_data/` and finding the municipality a text means on a date, without
guessing: what is not certain comes back as a problem for a person to settle (SPEC section 3).
Does not belong here: what a region agreed (its members, debtors, besluiten), or which date counts.

The tables (utf-8, `;`). All dates are inclusive; an empty one is open.
- `gemeenten.csv`: the municipalities of 1 January 2026 with their jeugdregio (CBS), and those that ended since
  31 December 2016, with their last day and the codes that took over.
- `postcode_splits.csv`: where an ended municipality was divided: which four digits of the postcode went where.
- `aliases.csv`: other ways to write a municipality, and places that lie in one municipality as a whole. A text with
  two codes on one date is ambiguous.
- `abroad.csv`: texts that stand for a place outside the Netherlands.
- `zorgkantoorcodes.csv`: iWlz code list COD001.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType

_CODE = r"(?:gm ?)?([0-9]{1,4})"

PROBLEMS = MappingProxyType(
    {
        "missing": "Er is geen gemeente opgegeven.",
        "abroad": "De opgave is een land of plaats buiten Nederland.",
        "unknown": "Deze gemeente staat niet in de gemeentelijst.",
        "not_yet": "Deze gemeente bestond op deze datum nog niet.",
        "ambiguous": "Meer dan één gemeente heet zo; geef de gemeentecode op.",
        "split": "Deze gemeente is opgeheven en verdeeld, en de postcode wijst geen opvolger aan.",
    }
)
"""Why a text gives no municipality: short code -> Dutch sentence. None of them says anything about a pupil."""


@dataclass(frozen=True)
class Resolution:
    """The municipality a text means (`code`), or why there is none (`problem`, a key of `PROBLEMS`): one of the two."""

    code: str | None
    problem: str | None


@dataclass(frozen=True)
class Period:
    """From `first` up to and including `last`; None is open."""

    first: date | None
    last: date | None

    def contains(self, day: date) -> bool:
        """Whether the day falls in this period."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class Municipality:
    """One row of `gemeenten.csv`."""

    code: str
    name: str
    jeugdregio: str | None
    period: Period
    successors: tuple[str, ...]


class Municipalities:
    """The municipalities of the Netherlands through time. Codes have four digits: '0855'."""

    def __init__(self) -> None:
        self._by_code = {row["code"]: _municipality(row) for row in _rows("gemeenten.csv")}
        self._by_text: dict[str, list[tuple[str, Period]]] = {}
        for code, municipality in self._by_code.items():
            # A name of long ago still says which municipality was meant; `resolve` sees what became of it.
            self._by_text.setdefault(_comparable(municipality.name), []).append((code, Period(None, None)))
        for row in _rows("aliases.csv"):
            self._by_text.setdefault(_comparable(row["alias"]), []).append((row["code"], _period(row)))
        self._by_postcode = {(row["code"], row["postcode4"]): row["successor"] for row in _rows("postcode_splits.csv")}
        self._abroad = {_comparable(row["text"]) for row in _rows("abroad.csv")}

    def resolve(self, text: str | None, on: date, postcode: str | None) -> Resolution:
        """Which municipality a text means on a date (SPEC section 3, rule 6).

        A municipality that had ended gives its successor; where it was divided over several, the postcode decides, or
        nothing does. The postcode plays no other part.

        Args:
            text: a code ('0855', '855', 'GM0855'), a name, or another way to write it; capitals, accents and
                punctuation make no difference.
            on: the date on which the municipality must exist.
            postcode: '5076 AB', '5076ab' or '5076'; anything else counts as none.
        """
        wanted = _comparable(text or "")
        if not wanted:
            return Resolution(None, "missing")
        if wanted in self._abroad:
            return Resolution(None, "abroad")
        codes = self._codes(wanted, on)
        if len(codes) != 1:
            return Resolution(None, "ambiguous" if codes else "unknown")
        return self._living(codes.pop(), on, _four_digits(postcode))

    def is_known(self, text: str) -> bool:
        """Whether a text means some municipality of whatever date, more than one, or a place abroad."""
        wanted = _comparable(text)
        number = re.fullmatch(_CODE, wanted)
        if number:
            return number[1].zfill(4) in self._by_code
        return wanted in self._by_text or wanted in self._abroad

    def name(self, code: str) -> str:
        """The name of a municipality, also of one that ended; KeyError for a code that never was."""
        return self._by_code[code].name

    def exists(self, code: str, on: date) -> bool:
        """Whether the code is that of a municipality on that date; False for a code that never was."""
        return code in self._by_code and self._by_code[code].period.contains(on)

    def successors(self, code: str, on: date) -> tuple[str, ...]:
        """Who stands in the place of an ended municipality on a date: the living ones, ascending, following chains.

        Empty for a municipality that has not ended by then; KeyError for a code that never was.
        """
        period = self._by_code[code].period
        if period.last is None or on <= period.last:
            return ()
        living = {
            heir
            for successor in self._by_code[code].successors
            for heir in (self.successors(successor, on) or (successor,))
        }
        return tuple(sorted(living))

    def jeugdregio(self, code: str) -> str | None:
        """The CBS jeugdregio of 2026; None for a municipality that had ended by then; KeyError for an unknown code."""
        return self._by_code[code].jeugdregio

    def in_jeugdregio(self, name: str) -> tuple[str, ...]:
        """The municipalities of a CBS jeugdregio in 2026, ascending; empty for a name that is no jeugdregio."""
        return tuple(sorted(code for code, known in self._by_code.items() if known.jeugdregio == name))

    def _codes(self, wanted: str, on: date) -> set[str]:
        number = re.fullmatch(_CODE, wanted)
        if number:
            return {number[1].zfill(4)} & self._by_code.keys()
        return {code for code, period in self._by_text.get(wanted, []) if period.contains(on)}

    def _living(self, code: str, on: date, postcode4: str | None) -> Resolution:
        municipality = self._by_code[code]
        if municipality.period.contains(on):
            return Resolution(code, None)
        if municipality.period.first is not None and on < municipality.period.first:
            return Resolution(None, "not_yet")
        if len(municipality.successors) == 1:
            return self._living(municipality.successors[0], on, postcode4)
        successor = self._by_postcode.get((code, postcode4 or ""))
        return self._living(successor, on, postcode4) if successor else Resolution(None, "split")


@cache
def municipalities() -> Municipalities:
    """The municipalities, read once."""
    return Municipalities()


def zorgkantoor_name(code: str) -> str | None:
    """The name of a zorgkantoor ('5527'); None for a code that is not in the list."""
    return _zorgkantoren().get(code)


@cache
def _zorgkantoren() -> dict[str, str]:
    return {row["code"]: row["naam"] for row in _rows("zorgkantoorcodes.csv")}


def _rows(file: str) -> Iterator[dict[str, str]]:
    text = resources.files("zio_pipeline").joinpath("reference_data", file).read_text("utf-8")
    return csv.DictReader(io.StringIO(text), delimiter=";", strict=True)


def _municipality(row: dict[str, str]) -> Municipality:
    return Municipality(
        code=row["code"],
        name=row["name"],
        jeugdregio=row["jeugdregio_2026"] or None,
        period=_period(row),
        successors=tuple(row["successors"].split()),
    )


def _period(row: dict[str, str]) -> Period:
    first, last = (date.fromisoformat(row[key]) if row[key] else None for key in ("valid_from", "valid_to"))
    return Period(first, last)


def _comparable(text: str) -> str:
    """A text as it is compared: no capitals, accents, apostrophes or punctuation, single spaces, without 'gemeente'."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("&", " en "))
    bare = "".join(c for c in letters if not unicodedata.combining(c) and c not in "'`´‘’ʼ")
    words = re.sub(r"[\W_]+", " ", bare).split()
    if len(words) > 1 and words[0] in ("gemeente", "gem"):
        words = words[1:]
    if len(words) > 1 and words[-1] == "gemeente":
        words = words[:-1]
    return unicodedata.normalize("NFC", " ".join(words))


def _four_digits(postcode: str | None) -> str | None:
    match = re.fullmatch(r"\s*([1-9][0-9]{3})\s*(?:[A-Za-z]{2})?\s*", postcode or "")
    return match[1] if match else None
