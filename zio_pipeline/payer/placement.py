"""Rule 1: in which class a pupil sits on the startdatum.

Belongs here: which placement counts, who is announced, gone or still to come, and who sits in two classes.
Does not belong here: what it costs or who pays.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zio_pipeline.payer.model import Placement, Row, Signal
from zio_pipeline.settings import Settings

ANNOUNCED = "aangemeld"
"""Name of the group in which schools keep pupils who are announced but not placed."""

DECIDING = ("birth_date", "municipality", "municipality_since", "postcode", "country", "secret_address", "needs_care")


@dataclass(frozen=True)
class Candidate:
    """One pupil with every class it sits in on the startdatum: one in a healthy file."""

    pupil: str
    placements: tuple[Placement, ...]
    contradicting: bool


def candidates(registrations: Iterable[Row], settings: Settings) -> tuple[list[Candidate], list[Signal]]:
    """Group the rows by pupil and keep the placements valid on the startdatum; the others become signals.

    Dates are inclusive: somebody whose last day is the startdatum is placed.
    """
    by_pupil: dict[str, list[Row]] = defaultdict(list)
    for row in registrations:
        by_pupil[row["pupil"]].append(row)
    found: list[Candidate] = []
    signals: list[Signal] = []
    for pupil, rows in sorted(by_pupil.items()):
        classes: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            if _placed(row, settings):
                classes[row["school"], row["class_code"]].append(row)
        if classes:
            found.append(_candidate(pupil, classes))
        else:
            signals.append(Signal(_why_not(rows, settings), None, pupil))
    return found, signals


def _placed(row: Row, settings: Settings) -> bool:
    day = settings.start_date
    in_time = row["placed_from"] <= day and (row["placed_to"] is None or day <= row["placed_to"])
    return bool(in_time and not _announced(row))


def _announced(row: Row) -> bool:
    return bool(row["class_code"].casefold() == ANNOUNCED)


def _candidate(pupil: str, classes: dict[tuple[str, str], list[Row]]) -> Candidate:
    placements = []
    contradicting = False
    for (school, class_code), rows in sorted(classes.items()):
        contradicting |= len({tuple(row[name] for name in DECIDING) for row in rows}) > 1
        placements.append(Placement(pupil, school, class_code, min(rows, key=lambda row: row["row_ref"])))
    return Candidate(pupil, tuple(placements), contradicting)


def _why_not(rows: Sequence[Row], settings: Settings) -> str:
    if any(not _announced(row) and row["placed_from"] > settings.start_date for row in rows):
        return "expected_newcomer"
    return "announced" if any(_announced(row) for row in rows) else "left_before_start"
