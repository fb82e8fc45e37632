"""The days on which a school gives lessons, by its own calendar: defined here and nowhere else.

Belongs here: a school's open days of one school year, counting them over a stretch of days, per week and per month, and the
holidays of region Zuid for a school that does not state its own (`reference_data/schoolvakanties_zuid.csv`: one row per school
year and holiday, both days inclusive, each with its source).
Does not belong here: what is counted with them (`accruals`, hours), when something falls due (`school_year`), which closure is
plausible (rules of sheet `kalender` in the contract of the setup).
"""

import csv
import io
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from zio_pipeline.errors import SetupError
from zio_pipeline.school_year import SchoolYear, is_working_day
from zio_pipeline.settings import Settings

REGION = "Zuid"
HOLIDAYS = ("herfst", "kerst", "voorjaar", "mei", "zomer")
_HOLIDAY_OF_MONTH = MappingProxyType(
    {6: "zomer", 7: "zomer", 10: "herfst", 11: "herfst", 12: "kerst", 1: "kerst"}
    | {2: "voorjaar", 3: "voorjaar", 4: "mei", 5: "mei"}
)
"""Which holiday of the school year begins in a calendar month; in August and September that of the year before still runs."""
SHORTEST_HOLIDAY = 5
"""Days: what is shorter (a long weekend, the Friday after Hemelvaartsdag) takes no holiday's place."""


@lru_cache(4096)
def week_of(day: date) -> str:
    """The ISO week of a day, `2025-W40`; around New Year its year may be another than that of the day."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


@lru_cache(4096)
def month_of(day: date) -> str:
    """The calendar month of a day, `2025-10`."""
    return f"{day:%Y-%m}"


@dataclass(frozen=True)
class WeekPart:
    """The open days of a week that lie in one month: `passed` open days of the year came before them."""

    month: str
    week: str
    passed: int
    days: int


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

    @cached_property
    def parts(self) -> tuple[WeekPart, ...]:
        """The year in weeks, a week that spans two months in two parts; weeks without open days are not there."""
        found: dict[tuple[str, str], list[int]] = {}
        for passed, day in enumerate(self.days):
            found.setdefault((month_of(day), week_of(day)), []).append(passed)
        return tuple(WeekPart(month, week, at[0], len(at)) for (month, week), at in found.items())

    @cached_property
    def _in_part(self) -> dict[tuple[str, str], int]:
        return {(part.month, part.week): part.days for part in self.parts}

    def in_part(self, month: str, week: str) -> int:
        """Open days of a week that lie in a month."""
        return self._in_part.get((month, week), 0)

    @property
    def per_week(self) -> dict[str, int]:
        """Open weeks, in order, with their open days."""
        return _added(self.parts, lambda part: part.week)

    @property
    def per_month(self) -> dict[str, int]:
        """Months with lessons, in order, with their open days."""
        return _added(self.parts, lambda part: part.month)


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


def open_days_or_region(settings: Settings, calendar: Iterable[Mapping[str, Any]], school: str) -> OpenDays:
    """As `open_days`, with the holidays of region Zuid where the school states none of its own (SPEC section 7).

    What the school states goes before the region, holiday by holiday: a carnival week of its own takes the place of the spring
    holiday that was advised, study days come beside the holidays, and a school that is not in the calendar has those of the
    region alone. A holiday is known by the month it begins in.

    Args:
        settings, calendar, school: as `open_days`; of a row its `kind` too.

    Raises:
        SetupError: a holiday is not stated and those of the region are not known for this school year.
    """
    own = [row for row in calendar if row["school"] == school]
    stated = {_holiday(row) for row in own}
    missing = [name for name in HOLIDAYS if name not in stated]
    region = [{"school": school, **_region_holiday(settings.school_year, name, school)} for name in missing]
    return open_days(settings, [*own, *region], school)


def _holiday(row: Mapping[str, Any]) -> str | None:
    """Which holiday of the school year a closure is, if any."""
    long = (row["closed_to"] - row["closed_from"]).days + 1 >= SHORTEST_HOLIDAY
    return _HOLIDAY_OF_MONTH.get(row["closed_from"].month) if long and row["kind"] == "holiday" else None


def _region_holiday(year: SchoolYear, name: str, school: str) -> dict[str, date]:
    found = region_holidays().get((year.key, name))
    if found is None:
        raise SetupError(
            f"Blad 'kalender' noemt de {name}vakantie van vestiging {school} niet, en die van regio {REGION} zijn voor "
            f"schooljaar {year} niet bekend; vul de vakanties van de school in."
        )
    return dict(zip(("closed_from", "closed_to"), found, strict=True))


@cache
def region_holidays() -> Mapping[tuple[str, str], tuple[date, date]]:
    """First and last day by school year and holiday."""
    text = resources.files("zio_pipeline").joinpath("reference_data", "schoolvakanties_zuid.csv").read_text("utf-8")
    return {
        (row["school_year"], row["holiday"]): (
            date.fromisoformat(row["first_day"]),
            date.fromisoformat(row["last_day"]),
        )
        for row in csv.DictReader(io.StringIO(text), delimiter=";", strict=True)
    }


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _added(parts: Iterable[WeekPart], key: Callable[[WeekPart], str]) -> dict[str, int]:
    totals = Counter[str]()
    for part in parts:
        totals[key(part)] += part.days
    return dict(totals)
