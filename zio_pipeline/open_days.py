"""The days on which a school gives lessons, by its own calendar: defined here and nowhere else.

Belongs here: a school's open days of one school year, counting them over a stretch of days, per week and per month, and the
holidays of region Zuid for a school that does not state its own (`reference_data/schoolvakanties_zuid.csv`: one row per school
year and holiday, both days inclusive, each with its source).
Does not belong here: what is counted with them (`accruals`, hours), when something falls due (`school_year`), which closure is
plausible (rules of sheet `kalender` in the contract of the setup, and `setup_checks` for what needs the whole calendar).
"""

import csv
import io
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from importlib import resources
from typing import Any

from zio_pipeline.errors import SetupError
from zio_pipeline.periods import month_of, week_of
from zio_pipeline.school_year import SATURDAY, SchoolYear, is_working_day
from zio_pipeline.settings import Settings

REGION = "Zuid"
HOLIDAYS = ("herfst", "kerst", "voorjaar", "mei", "zomer")
SHORTEST_HOLIDAY = 5
"""Weekdays, a whole school week: a long weekend around Goede Vrijdag, Hemelvaart or Pinksteren takes no holiday's place."""
ADVISED = frozenset({"herfst", "voorjaar"})
"""Holidays that a school may lay in another week: by law only Christmas, one week in May and summer are fixed (DOMAIN 4.1)."""
MOVED_AT_MOST = timedelta(days=21)
"""How far from the region's an advised holiday may lie: carnival, and the autumn weeks of the regions, differ by a week or two."""
FEWEST_OPEN_DAYS, MOST_OPEN_DAYS = 170, 212
"""What is plausible in a year. Six real years have 194 to 209 before study days (DOMAIN 4.1): five weeks less leaves room for those
and a second week in May; the longest, of 43 school weeks, may have a few more where a public holiday falls in a holiday."""
_USUAL = {
    "herfst": ((10, 1), (11, 15)),
    "kerst": ((12, 25), (1, 1)),
    "voorjaar": ((2, 1), (3, 15)),
    "mei": ((4, 27), (5, 5)),
    "zomer": ((7, 24), (7, 31)),
}
"""Month and day between which a holiday falls in every year: how one is known where the region's own is not in the table."""


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


def order_periods(orders: Iterable[Mapping[str, Any]], order_id: str, provider: str) -> list[tuple[date, date]]:
    """First and last day of every row of an order, both inclusive; rows of the same order with another provider are not its own.

    Args:
        orders: rows of the sheet `contracten` (order_id, provider, valid_from, valid_to; no valid_to is open).
        order_id: of the order.
        provider: AGB code.
    """
    own = [row for row in orders if (row["order_id"], row["provider"]) == (order_id, provider)]
    return [(row["valid_from"], row["valid_to"] or date.max) for row in own]


def days_of_order(days: OpenDays, orders: Iterable[Mapping[str, Any]], order_id: str, provider: str) -> OpenDays:
    """The open days of a school on which an order holds: an amended contract is several rows, an ended one ends (SPEC section 5).

    Args:
        days: the open days of the school.
        orders, order_id, provider: as in `order_periods`.

    Raises:
        SetupError: the school is open on none of them: hours that were granted would be planned nowhere.
    """
    held = order_periods(orders, order_id, provider)
    found = tuple(day for day in days.days if any(first <= day <= last for first, last in held))
    if not found:
        raise SetupError(
            f"Opdracht {order_id} geldt op geen enkele dag waarop vestiging {days.school} open is; haar toegekende uren zijn dan "
            "nergens te plannen. Verbeter de geldigheid op blad 'contracten' of de sluitingen op blad 'kalender'."
        )
    return days if found == days.days else OpenDays(days.school, found)


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
    holiday that was advised; study days, long weekends, a second week in May come beside the holidays; and a school that is not in
    the calendar has those of the region alone. A row takes the place of a holiday when it is that one: of at least a school week,
    with a working day in the region's own period in this school year, or within three weeks of one that is advised only. Last
    summer and last Christmas are those of another year.

    Args:
        settings, calendar, school: as `open_days`; of a row its `kind` too.

    Raises:
        SetupError: a holiday is not stated and those of the region are not known for this school year.
    """
    own = [row for row in calendar if row["school"] == school]
    missing = not_stated(settings.school_year, own)
    region = [{"school": school, **_region_holiday(settings.school_year, name, school)} for name in missing]
    return open_days(settings, [*own, *region], school)


def not_stated(year: SchoolYear, own: Iterable[Mapping[str, Any]]) -> list[str]:
    """The holidays of a school year that none of a school's own rows is, in order."""
    holidays = [row for row in own if row["kind"] == "holiday"]
    return [name for name in HOLIDAYS if not any(_is_holiday(row, year, name) for row in holidays)]


def _is_holiday(row: Mapping[str, Any], year: SchoolYear, name: str) -> bool:
    first, last = _when(year, name)
    days = [day for day in _days(row["closed_from"], row["closed_to"]) if day.weekday() < SATURDAY]
    return len(days) >= SHORTEST_HOLIDAY and any(first <= day <= last and is_working_day(day) for day in days)


def _when(year: SchoolYear, name: str) -> tuple[date, date]:
    """First and last day of the school year between which a closure is this holiday."""
    found = region_holidays().get((year.key, name))
    if found is None:
        first, last = (date(int(year.month_key(month)[:4]), month, day) for month, day in _USUAL[name])
        return first, last
    moved = MOVED_AT_MOST if name in ADVISED else timedelta(0)
    return found[0] - moved, min(found[1] + moved, year.last_day)


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
