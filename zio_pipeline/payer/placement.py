"""Rule 1: in which class a pupil sits on the startdatum.

Belongs here: which placement counts, who is announced, gone or still to come, and who sits in two classes.
Does not belong here: what it costs or who pays.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zio_pipeline.payer.facts import Facts
from zio_pipeline.payer.model import Signal
from zio_pipeline.settings import Settings

ANNOUNCED = "aangemeld"
"""Name of the group in which schools keep pupils who are announced but not placed."""


@dataclass(frozen=True)
class Placement:
    """Where one pupil sits on the startdatum, with the facts of the row that says so."""

    pupil: str
    school: str
    class_code: str
    facts: Facts

    @property
    def class_key(self) -> tuple[str, str]:
        """School and class code: how the setup names a class."""
        return self.school, self.class_code


@dataclass(frozen=True)
class Candidate:
    """One pupil with every class it sits in on the startdatum: one in a healthy file."""

    pupil: str
    placements: tuple[Placement, ...]
    contradicting: bool


def candidates(registrations: Iterable[Facts], settings: Settings) -> tuple[list[Candidate], list[Signal]]:
    """Group the rows by pupil and keep the placements valid on the startdatum; the others become signals.

    Dates are inclusive: somebody whose last day is the startdatum is placed.
    """
    by_pupil: dict[str, list[Facts]] = defaultdict(list)
    for facts in registrations:
        by_pupil[facts.pupil].append(facts)
    found: list[Candidate] = []
    signals: list[Signal] = []
    for pupil, rows in sorted(by_pupil.items()):
        classes: dict[tuple[str, str], list[Facts]] = defaultdict(list)
        for facts in rows:
            if _placed(facts, settings):
                classes[facts.school, facts.class_code].append(facts)
        if classes:
            found.append(_candidate(pupil, classes))
        else:
            signals.append(Signal(_why_not(rows, settings), None, pupil))
    return found, signals


def _placed(facts: Facts, settings: Settings) -> bool:
    day = settings.start_date
    in_time = facts.placed_from <= day and (facts.placed_to is None or day <= facts.placed_to)
    return in_time and not _announced(facts)


def _announced(facts: Facts) -> bool:
    return facts.class_code.casefold() == ANNOUNCED


def _candidate(pupil: str, classes: dict[tuple[str, str], list[Facts]]) -> Candidate:
    placements = []
    contradicting = False
    for (school, class_code), rows in sorted(classes.items()):
        contradicting |= len({facts.reading for facts in rows}) > 1
        placements.append(Placement(pupil, school, class_code, min(rows, key=lambda facts: facts.row_ref)))
    return Candidate(pupil, tuple(placements), contradicting)


def _why_not(rows: Sequence[Facts], settings: Settings) -> str:
    if any(not _announced(facts) and facts.placed_from > settings.start_date for facts in rows):
        return "expected_newcomer"
    return "announced" if any(_announced(facts) for facts in rows) else "left_before_start"
