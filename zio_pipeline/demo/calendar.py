"""When school is open in a demo year: published holidays of region Zuid, public holidays, and *fictieve* study days.

Belongs here: the reviewed table of school years this generator knows, and the closed periods of each school.
Does not belong here: the calendar of a real school (that is the sheet `kalender` of its own setup workbook).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from zio_pipeline.errors import ZioError
from zio_pipeline.school_year import SchoolYear, public_holidays

SATURDAY = 5
Span = tuple[date, date]


@dataclass(frozen=True)
class _Published:
    """One school year of region Zuid: first school day, and each holiday from its first to its last day."""

    start: date
    autumn: Span
    christmas: Span
    carnival: Span
    may: Span
    summer: Span


def _year(start: str, *spans: str) -> _Published:
    days = [date.fromisoformat(text) for span in spans for text in span.split("/")]
    pairs = [(days[i], days[i + 1]) for i in range(0, len(days), 2)]
    return _Published(date.fromisoformat(start), *pairs)


# fmt: off
PUBLISHED = {
    2022: _year("2022-09-05", "2022-10-22/2022-10-30", "2022-12-24/2023-01-08", "2023-02-18/2023-02-26",
                "2023-04-29/2023-05-07", "2023-07-15/2023-08-27"),
    2023: _year("2023-08-28", "2023-10-14/2023-10-22", "2023-12-23/2024-01-07", "2024-02-10/2024-02-18",
                "2024-04-27/2024-05-05", "2024-07-06/2024-08-18"),
    2024: _year("2024-08-19", "2024-10-19/2024-10-27", "2024-12-21/2025-01-05", "2025-03-01/2025-03-09",
                "2025-04-26/2025-05-04", "2025-07-05/2025-08-17"),
    2025: _year("2025-08-18", "2025-10-11/2025-10-19", "2025-12-20/2026-01-04", "2026-02-14/2026-02-22",
                "2026-04-25/2026-05-03", "2026-07-11/2026-08-23"),
    2026: _year("2026-08-24", "2026-10-17/2026-10-25", "2026-12-19/2027-01-03", "2027-02-06/2027-02-14",
                "2027-04-24/2027-05-02", "2027-07-24/2027-09-05"),
    2027: _year("2027-09-06", "2027-10-23/2027-10-31", "2027-12-25/2028-01-09", "2028-02-26/2028-03-05",
                "2028-04-29/2028-05-07", "2028-07-22/2028-09-03"),
}
# fmt: on
"""Rijksoverheid, region Zuid; Brabant schools take the carnival week where it differs from the advised spring week."""

SCHOOL_HOLIDAY, STUDY_DAY, PUBLIC_HOLIDAY = "holiday", "study_day", "public_holiday"


@dataclass(frozen=True)
class Closure:
    """A closed period of one school, both days inclusive; `kind` as in the contract."""

    first: date
    last: date
    kind: str
    description: str


@dataclass(frozen=True)
class SchoolCalendar:
    """One school in one school year: its closures in order of date."""

    year: SchoolYear
    closures: tuple[Closure, ...]

    @cached_property
    def open_days(self) -> tuple[date, ...]:
        """Every day with lessons, in order."""
        closed = {day for c in self.closures for day in _days(c.first, c.last)}
        year = _days(self.year.first_day, self.year.last_day)
        return tuple(day for day in year if day.weekday() < SATURDAY and day not in closed)


def start_date(year: SchoolYear) -> date:
    """The first school day of a known school year.

    Raises:
        ZioError: the holidays of this school year are not in the table.
    """
    if year.first_calendar_year not in PUBLISHED:
        first, last = (SchoolYear(y).key for y in (min(PUBLISHED), max(PUBLISHED)))
        raise ZioError(f"Voor schooljaar {year.key} zijn geen vakanties bekend; kies {first} tot en met {last}.")
    return PUBLISHED[year.first_calendar_year].start


def school_calendar(year: SchoolYear, rng: random.Random) -> SchoolCalendar:
    """The closures of one school; `rng` picks its *fictieve* study days."""
    start, table = start_date(year), PUBLISHED[year.first_calendar_year]
    holidays = [
        Closure(year.first_day, start - timedelta(days=1), SCHOOL_HOLIDAY, "Zomervakantie vorig schooljaar"),
        Closure(*table.autumn, SCHOOL_HOLIDAY, "Herfstvakantie"),
        Closure(*table.christmas, SCHOOL_HOLIDAY, "Kerstvakantie"),
        Closure(*table.carnival, SCHOOL_HOLIDAY, "Carnavalsvakantie"),
        Closure(*table.may, SCHOOL_HOLIDAY, "Meivakantie"),
        Closure(*table.summer, SCHOOL_HOLIDAY, "Zomervakantie"),
    ]
    free = [*holidays, *_single_days(year, holidays)]
    open_days = SchoolCalendar(year, tuple(free)).open_days
    study = [_study_day(open_days, month, rng) for month in (10, 1, 3, 6)]
    closures = free + [Closure(day, day, STUDY_DAY, "Studiedag (fictief)") for day in study]
    return SchoolCalendar(year, tuple(sorted(closures, key=lambda c: (c.first, c.last))))


def _single_days(year: SchoolYear, holidays: list[Closure]) -> Iterator[Closure]:
    """Public holidays on a school day, and the Friday after Ascension Day, which schools in Zuid take off."""
    covered = {day for c in holidays for day in _days(c.first, c.last)}
    both = public_holidays(year.first_calendar_year) | public_holidays(year.first_calendar_year + 1)
    for day in sorted(both):
        if day.weekday() >= SATURDAY or not year.contains(day):
            continue
        name = _name(day, both)
        if day not in covered:
            yield Closure(day, day, PUBLIC_HOLIDAY, name)
        friday = day + timedelta(days=1)
        if name == "Hemelvaartsdag" and friday not in covered:
            yield Closure(friday, friday, SCHOOL_HOLIDAY, "Vrijdag na Hemelvaart")


def _name(day: date, holidays: frozenset[date]) -> str:
    fixed = {
        (1, 1): "Nieuwjaarsdag",
        (5, 5): "Bevrijdingsdag",
        (12, 25): "Eerste Kerstdag",
        (12, 26): "Tweede Kerstdag",
    }
    if (day.month, day.day) in fixed:
        return fixed[day.month, day.day]
    if (day.month, day.day) in ((4, 26), (4, 27)):
        return "Koningsdag"
    if day.weekday() == 4:
        return "Goede Vrijdag"
    if day.weekday() == 3:
        return "Hemelvaartsdag"
    return "Tweede Paasdag" if day - timedelta(days=3) in holidays else "Tweede Pinksterdag"


def _study_day(open_days: tuple[date, ...], month: int, rng: random.Random) -> date:
    """A day in that month; rather not the first of it, when timesheets are handed in."""
    return rng.choice([day for day in open_days if day.month == month and day.day > 3])


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
