"""Lines that go wrong on purpose: bad rows for quarantine, and odd but valid rows that should only give a signal.

Belongs here: which lines are added to or left out of which month. Does not belong here: ordinary lines (timesheets).
"""

import random
from dataclasses import replace
from datetime import date, timedelta

from zio_pipeline.demo.timesheets import MONTHS, Line

DECIMAL, CLOCK, MINUTES, BEGIN_END = "uren als 7,5", "uren als 7:30", "minuten", "begin en eind"
"""The ways in which a file may state a duration: one per file."""

BAD = "bad_timesheet_rows"
"""Every line with this tag must end in quarantine, and no other line may."""

_TOO_LONG: dict[str, dict[str, str | int]] = {
    DECIMAL: {"duration_minutes": "25,0"},
    CLOCK: {"duration_minutes": "25:00"},
    MINUTES: {"stated_minutes": 1500},
    BEGIN_END: {"begin_minute": "8:00", "end_minute": "33:00"},
}
_NEGATIVE: dict[str, dict[str, str | int]] = {
    DECIMAL: {"duration_minutes": "-1,5"},
    CLOCK: {"duration_minutes": "-1:30"},
    MINUTES: {"stated_minutes": -90},
    BEGIN_END: {"begin_minute": "14:00", "end_minute": "12:30"},
}


def add_bad_rows(lines: list[Line], form: str, number: int, rng: random.Random) -> None:
    """Three to five bad copies of ordinary lines in every third file.

    Args:
        lines: of one file, extended in place.
        form: how the file states a duration.
        number: of the file, from 0.
    """
    if number % 3 != 1 or not lines:
        return
    faults: list[dict[str, str | int]] = [
        {"work_date": f"31-02-{lines[0].day.year}"},
        {"class_code": ""},
        _TOO_LONG[form],
        _NEGATIVE[form],
        {"work_date": "volgt"},
    ]
    for fault in faults[: rng.randrange(3, 6)]:
        lines.append(replace(rng.choice(lines[:200]), raw=fault, tag=BAD))


def add_odd_rows(lines: list[Line], month: int, form: str) -> str | None:
    """In some months one thing that is valid and yet strange (SPEC section 7, signals).

    Returns:
        Code of the class whose week is left out, with that week, where this month has one.
    """
    if not lines:
        return None
    line = next(line for line in lines if line.activity == "direct")
    if month == MONTHS[1]:
        saturday = line.day + timedelta(days=5 - line.day.weekday())
        lines.append(replace(line, day=saturday, tag="hours_weekend"))
    elif month == MONTHS[2]:
        lines.append(replace(line, tag="hours_line_twice"))
    elif month == MONTHS[3] and form != BEGIN_END:
        lines.append(replace(line, minutes=13 * 60, tag="hours_over_twelve"))
    elif month == MONTHS[5]:
        lines.append(replace(line, class_code="EMB-00", tag="hours_unknown_class"))
    elif month == MONTHS[6]:
        return _leave_out_a_week(lines, line.class_code)
    elif month == MONTHS[8]:
        other = next(o for o in lines if o.class_code != line.class_code)
        lines.append(replace(line, class_code=other.class_code, begin=line.begin + 15, tag="hours_two_classes_at_once"))
    return None


def _leave_out_a_week(lines: list[Line], class_code: str) -> str:
    """Nothing was handed in for one class in its second week of the month."""
    weeks = sorted({_week(line.day) for line in lines if line.class_code == class_code})
    week = weeks[min(1, len(weeks) - 1)]
    lines[:] = [line for line in lines if line.class_code != class_code or _week(line.day) != week]
    return f"{class_code} {week}"


def _week(day: date) -> str:
    iso = day.isocalendar()
    return f"{iso.year}-W{iso.week:02d}"
