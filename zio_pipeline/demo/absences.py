"""The absence file of one school: *fictieve* periods of a few pupils, of whom the minutes can be told by construction.

Belongs here: who is absent when, and the file. Does not belong here: what it means in minutes.

Only Leijpark sends one, so that absence of the other school is 'niet gemeten'. It is complete up to and including 31 January.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from zio_pipeline.contracts import sources
from zio_pipeline.demo.model import Draft, Pupil
from zio_pipeline.demo.places import LEIJPARK
from zio_pipeline.demo.sheets import Cell, header, label, write_csv

SCHOOL = LEIJPARK
_REASONS = ("ill", "leave", "elsewhere", "ill", "other")
_ALIASES = {"pupil": "BSN", "absent_to": "Afwezig t/m"}


class Period(NamedTuple):
    """Absent from the first up to and including the last day; no last day: still absent."""

    pupil: Pupil
    first: date
    last: date | None
    reason: str


@dataclass
class Written:
    """What came of it: the file, planted cases (pupil keys), and counts.

    `absence_rows`, and `absence_days_<zorgkantoor>`: days of absence on open days of the school up to `complete_through`, of
    pupils who are counted under that zorgkantoor.
    """

    files: list[Path] = field(default_factory=list)
    planted: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def complete_through(draft: Draft) -> date:
    """The day the file states: 31 January."""
    return date(draft.year.first_calendar_year + 1, 1, 31)


def write_absences(out: Path, draft: Draft) -> Written:
    """Write the file of Leijpark: every twentieth pupil a week or so, one who is away for good, one named twice."""
    periods = list(_periods(draft))
    written = Written(files=[_write_file(out, draft, periods)])
    written.counts["absence_rows"] = len(periods)
    for payer, days in sorted(_days_by_zorgkantoor(draft, periods).items()):
        written.counts[f"absence_days_{payer}"] = days
    written.planted["absence_goes_on"] = [p.pupil.pgn for p in periods if p.last is None]
    names = Counter(p.pupil.pgn for p in periods)
    written.planted["absence_overlaps"] = [pgn for pgn, count in names.items() if count > 1]
    return written


def _periods(draft: Draft) -> Iterator[Period]:
    rng = draft.rng("afwezigheid")
    here = sorted((p for p in draft.placed() if p.counted_in and p.counted_in.school == SCHOOL), key=lambda p: p.pgn)
    days = draft.calendars[SCHOOL].open_days
    days = tuple(day for day in days if day <= complete_through(draft))
    for number, pupil in enumerate(here[::20]):
        first = rng.choice(days[10:-15])
        yield Period(pupil, first, first + timedelta(days=rng.randrange(10)), _REASONS[number % len(_REASONS)])
    wlz = [pupil for pupil in here if pupil.outcome[0] == "wlz_zin"]
    begin = days[20]
    for ill in wlz[1:2]:
        yield Period(ill, begin, None, "ill")
    for named_twice in wlz[2:3]:
        yield Period(named_twice, begin, begin + timedelta(days=4), "leave")
        yield Period(named_twice, begin + timedelta(days=2), begin + timedelta(days=9), "ill")


def _days_by_zorgkantoor(draft: Draft, periods: list[Period]) -> Counter[str]:
    """Each day of each pupil once, whatever number of periods names it."""
    end = complete_through(draft)
    open_days = [day for day in draft.calendars[SCHOOL].open_days if day <= end]
    away = {(p.pupil.pgn, day) for p in periods for day in open_days if p.first <= day <= (p.last or end)}
    payers = {p.pupil.pgn: p.pupil.outcome for p in periods}
    return Counter(payers[pgn][1] or "" for pgn, _ in away if payers[pgn][0] == "wlz_zin")


def _write_file(out: Path, draft: Draft, periods: list[Period]) -> Path:
    dataset = sources()["pupil_absence"].datasets[0]
    headers = [header(dataset, column.name, _ALIASES.get(column.name)) for column in dataset.columns]
    rows: list[list[Cell]] = []
    for period in sorted(periods, key=lambda p: (p.first, p.pupil.pgn, p.reason)):
        cells: dict[str, Cell] = {
            "school_year": draft.year.key,
            "school": SCHOOL,
            "list_date": complete_through(draft),
            "pupil": period.pupil.pgn,
            "absent_from": period.first,
            "absent_to": period.last,
            "reason": label(dataset, "reason", period.reason),
        }
        rows.append([*(cells[column.name] for column in dataset.columns), "fictief"])
    path = out / f"afwezigheid-{SCHOOL}-{draft.year.key}.csv"
    write_csv(path, [*headers, "opmerking"], rows, "utf-8-sig")
    return path
