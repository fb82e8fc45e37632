"""A school year of *fictieve* urenstaten per provider and school: who worked where, and for how long.

Belongs here: drawing lines that deliver about what was granted, spread over the open days of the school.
Does not belong here: bad and odd lines (timesheet_faults), columns and forms of the files (timesheet_files).
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from zio_pipeline.demo.model import Draft, SchoolClass

MONTHS = (9, 10, 11, 12, 1, 2, 3, 4, 5, 6)
"""The ten months in which providers declare."""
WORKED_MONTHS = (8, *MONTHS, 7)
"""The months for which urenstaten are handed in, as far as school is open in them."""

DIRECT, INDIRECT, TRAVEL, TRAINING = "direct", "indirect", "travel", "training"
CARE, GUIDANCE = "care", "guidance"

DAY_BEGINS, DAY_ENDS = 8 * 60 + 30, 16 * 60
QUARTER = 15
_LENGTHS = (60, 75, 75, 90, 90, 120)
"""Minutes of one line; the hours of a class are dealt out in such pieces."""


@dataclass
class Line:
    """One line: minutes of work, begin in minutes since midnight. `raw` replaces cells, `tag` names a planted line."""

    class_code: str
    employee: str
    day: date
    begin: int
    minutes: int
    activity: str
    function: str
    handed_in: date | None = None
    approved: date | None = None
    forwarded: date | None = None
    raw: dict[str, str | int] = field(default_factory=dict)
    tag: str | None = None

    @property
    def pause(self) -> int:
        """Minutes of pause within begin and end, on top of the work."""
        return QUARTER if self.minutes >= 105 else 0


class _Work(NamedTuple):
    """A piece of work that still needs somebody to do it."""

    activity: str
    function: str
    minutes: int


class School:
    """Deals out the hours of one school, month after month; what one month leaves over the next delivers."""

    def __init__(self, draft: Draft, school: str):
        self._draft, self._rng = draft, draft.rng(f"urenstaat {school}")
        self.school = school
        self.open_days = draft.calendars[school].open_days
        self.classes = [c for c in draft.classes if c.school == school and c.year_hundredths]
        self._due: dict[str, float] = defaultdict(float)
        self._care_due: dict[str, float] = defaultdict(float)
        self._teams = _teams(self.classes, school, self._rng)
        self._pool = sorted({employee for team in self._teams.values() for employee in team})

    def month(self, month: int) -> list[Line]:
        """The lines of one calendar month, in order of day, class and begin."""
        lines: list[Line] = []
        for day in self.open_days:
            if day.month == month:
                busy: dict[str, int] = {}
                for school_class in self.classes:
                    lines += self._class_day(school_class, day, busy)
        self._sign(lines, month)
        return sorted(lines, key=_reading_order)

    def _class_day(self, c: SchoolClass, day: date, busy: dict[str, int]) -> list[Line]:
        """Direct care up to what is due by now, and now and then something else."""
        rng, lines = self._rng, list[Line]()
        share = rng.uniform(0.92, 1.04)
        self._due[c.code] += c.year_hundredths * 60 / 100 / len(self.open_days) * share
        self._care_due[c.code] += c.year_care_hundredths * 60 / 100 / len(self.open_days) * share
        while self._due[c.code] >= (minutes := rng.choice(_LENGTHS)):
            function = CARE if self._care_due[c.code] >= minutes else GUIDANCE
            if not self._work(c, day, busy, _Work(DIRECT, function, minutes), lines):
                break  # nobody has time left today: it stays due
            self._due[c.code] -= minutes
            self._care_due[c.code] -= minutes if function == CARE else 0
        if rng.random() < 0.10:
            other = rng.choices(((INDIRECT, 30), (TRAVEL, 15), (TRAINING, 120)), weights=(70, 22, 8))[0]
            self._work(c, day, busy, _Work(other[0], GUIDANCE, other[1]), lines)
        return lines

    def _work(self, c: SchoolClass, day: date, busy: dict[str, int], work: _Work, lines: list[Line]) -> bool:
        """Add a line for somebody who has time and has no such line yet: one per employee, class, day and activity."""
        taken = {line.employee for line in lines if (line.activity, line.function) == (work.activity, work.function)}
        employee = self._who(c, busy, work.minutes, taken)
        if employee is None:
            return False
        begin = busy.get(employee, DAY_BEGINS)
        line = Line(c.code, employee, day, begin, work.minutes, work.activity, work.function)
        busy[employee] = begin + line.minutes + line.pause + QUARTER
        lines.append(line)
        return True

    def _who(self, c: SchoolClass, busy: dict[str, int], minutes: int, taken: set[str]) -> str | None:
        """Mostly a fixed face of the class; now and then, or when they are taken, somebody who stands in."""
        team = self._teams[c.code]
        first = self._rng.randrange(len(team))
        stands_in = self._rng.random() < 0.05
        candidates = [] if stands_in else [*team[first:], *team[:first]]
        offset = self._rng.randrange(len(self._pool))
        candidates += [self._pool[(offset + n) % len(self._pool)] for n in range(min(12, len(self._pool)))]
        latest = DAY_ENDS - minutes - QUARTER
        return next((e for e in candidates if e not in taken and busy.get(e, DAY_BEGINS) <= latest), None)

    def _sign(self, lines: list[Line], month: int) -> None:
        """Handed in early in the next month, approved and forwarded after; some not approved, in June more."""
        year = self._draft.year.first_calendar_year + (month < 8)
        after = date(year + month // 12, month % 12 + 1, 1)
        missing = 0.10 if month == MONTHS[-1] else 0.03
        approved: dict[tuple[str, int], bool] = {}
        for line in sorted(lines, key=_reading_order):
            week = (line.class_code, line.day.isocalendar().week)
            if week not in approved:
                approved[week] = self._rng.random() >= missing
            line.handed_in = after + timedelta(days=2 + len(line.class_code) % 3)
            if approved[week]:
                line.approved = line.handed_in + timedelta(days=3)
                line.forwarded = line.handed_in + timedelta(days=5)


def _reading_order(line: Line) -> tuple[date, str, int, str]:
    return line.day, line.class_code, line.begin, line.employee


def _teams(classes: list[SchoolClass], school: str, rng: random.Random) -> dict[str, list[str]]:
    """Two or three fixed faces per class; an employee may belong to two classes."""
    first = 200_000 if school == "02ZX00" else 400_000
    staff = [str(first + 7 * n + rng.randrange(7)) for n in range(len(classes) + len(classes) // 3 + 3)]
    return {
        c.code: [staff[(i + step) % len(staff)] for step in range(3 if c.year_hundredths >= 40_000 else 2)]
        for i, c in enumerate(classes)
    }
