"""The days on which a school gives lessons, by its own calendar: defined here and nowhere else.

Belongs here: a school's open days of one school year, and counting them over a stretch of days.
Does not belong here: what is counted with them (`accruals`, hours), when something falls due (`school_year`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from zio_pipeline.errors import SetupError
from zio_pipeline.school_year import is_working_day
from zio_pipeline.settings import Settings


@dataclass(frozen=True)
class OpenDays:
    """The days with lessons of one school in one school year, ascending; never empty."""

    school: str
    days: tuple[date, ...]

    def __len__(self) -> int:
        """Open days of the whole year."""
        return len(self.days)

    def __contains__(self, day: date) -> bool:
        """Whether school is open that day."""
        return self.between(day, day) == 1

    def up_to(self, last: date) -> int:
        """Open days up to and including a day."""
        return bisect_right(self.days, last)

    def between(self, first: date, last: date) -> int:
        """Open days from the first up to and including the last day; 0 when they stand the other way round."""
        return max(0, self.up_to(last) - bisect_left(self.days, first))


def open_days(settings: Settings, calendar: Iterable[Mapping[str, Any]], school: str) -> OpenDays:
    """The open days of a school: working days from the startdatum on that its calendar does not close (SPEC section 5).

    A working day is Monday to Friday and none of `school_year.public_holidays`. The year ends with the last day that the
    calendar leaves open: the summer holiday must stand in it.

    Args:
        settings: the startdatum and the school year.
        calendar: rows of the sheet `kalender` (school, closed_from, closed_to; both inclusive), of any school.
        school: BRIN and vestiging.

    Raises:
        SetupError: the school has no calendar, or is never open.
    """
    closures = [(row["closed_from"], row["closed_to"]) for row in calendar if row["school"] == school]
    if not closures:
        raise SetupError(f"Blad 'kalender' noemt geen sluitingen van vestiging {school}; vul haar vakanties in.")
    closed = {day for first, last in closures for day in _days(first, last)}
    year = _days(settings.start_date, settings.school_year.last_day)
    days = tuple(day for day in year if day not in closed and is_working_day(day))
    if not days:
        raise SetupError(f"Volgens blad 'kalender' is vestiging {school} in {settings.school_year} geen dag open.")
    return OpenDays(school, days)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
