"""The calendar of the program: school years, their months and halves, and working days.

Belongs here: what follows from the calendar and the law alone, the same for every region.
Does not belong here: a region's own choices (start date, reference date, term months: settings of the set-up workbook),
or a school's holidays and study days (its own calendar).
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

FIRST_MONTH = 8
SATURDAY = 5


@dataclass(frozen=True, order=True)
class SchoolYear:
    """A school year, 1 August up to and including 31 July, named by the calendar year it begins in."""

    first_calendar_year: int

    @classmethod
    def parse(cls, text: str) -> "SchoolYear":
        """Read '2025-2026'; ValueError for anything else, also for years that do not follow each other."""
        match = re.fullmatch(r"([1-9][0-9]{3})-([0-9]{4})", text)
        if match is None or int(match[2]) != int(match[1]) + 1:
            raise ValueError("Een schooljaar wordt geschreven als 2025-2026.")
        return cls(int(match[1]))

    @classmethod
    def containing(cls, day: date) -> "SchoolYear":
        """The school year a day falls in."""
        return cls(day.year if day.month >= FIRST_MONTH else day.year - 1)

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """The partition key, '2025-2026'."""
        return f"{self.first_calendar_year:04d}-{self.first_calendar_year + 1:04d}"

    @property
    def first_day(self) -> date:
        """1 August."""
        return date(self.first_calendar_year, FIRST_MONTH, 1)

    @property
    def last_day(self) -> date:
        """31 July, itself included."""
        return date(self.first_calendar_year + 1, FIRST_MONTH - 1, 31)

    def contains(self, day: date) -> bool:
        """Whether a day falls in this school year."""
        return self.first_day <= day <= self.last_day

    def month_key(self, month: int) -> str:
        """The partition key of calendar month 1-12 in this school year: 9 -> '2025-09', 1 -> '2026-01'."""
        if not 1 <= month <= 12:
            raise ValueError("Een maand is een getal van 1 tot en met 12.")
        year = self.first_calendar_year + (month < FIRST_MONTH)
        return f"{year:04d}-{month:02d}"

    def months(self) -> tuple[str, ...]:
        """The twelve month keys in order, August up to and including July."""
        return tuple(self.month_key((FIRST_MONTH - 1 + step) % 12 + 1) for step in range(12))

    def half_key(self, half: int) -> str:
        """The partition key of half 1 or 2: '2025-2026-H1'. Which terms a half holds is a setting."""
        if half not in (1, 2):
            raise ValueError("Een schooljaar heeft een eerste (1) en een tweede (2) helft.")
        return f"{self.key}-H{half}"


def is_working_day(day: date) -> bool:
    """Monday to Friday and none of `public_holidays` (SPEC section 5)."""
    return day.weekday() < SATURDAY and day not in public_holidays(day.year)


def first_working_day(year: int, month: int) -> date:
    """The first working day of a calendar month; ValueError for a month that does not exist."""
    day = date(year, month, 1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


@cache
def public_holidays(year: int) -> frozenset[date]:
    """The days on which nothing falls due (SPEC section 5).

    Algemene termijnenwet art. 3: lid 1 names the general public holidays, 5 May in every year among them; lid 2 treats
    Goede Vrijdag as one of them. Easter Sunday and Whit Sunday, Sundays anyway, complete the list. The King's birthday
    is celebrated on 27 April, on the 26th when the 27th is a Sunday.

    Raises:
        ValueError: a year before 2014, when another birthday was celebrated.
    """
    if year < 2014:
        raise ValueError("De feestdagen zijn bekend vanaf 2014.")
    easter = _easter_sunday(year)
    kings_day = date(year, 4, 27)
    if kings_day.weekday() > SATURDAY:
        kings_day = date(year, 4, 26)
    # Goede Vrijdag, Easter Sunday and Monday, Hemelvaartsdag, Whit Sunday and Monday.
    moving = {easter + timedelta(days=days) for days in (-2, 0, 1, 39, 49, 50)}
    fixed = {date(year, 1, 1), kings_day, date(year, 5, 5), date(year, 12, 25), date(year, 12, 26)}
    return frozenset(moving | fixed)


def _easter_sunday(year: int) -> date:
    """The Sunday after the first ecclesiastical full moon of spring, by the rules of the Gregorian calendar.

    The full moon returns on the same dates every 19 years (the golden number), shifted by the leap days that centuries
    skip and by eight days of lunar correction in every 2500 years.
    """
    golden, century = year % 19, year // 100
    skipped_leap_days = century - century // 4
    lunar_correction = (8 * century + 13) // 25
    full_moon = (skipped_leap_days - lunar_correction + 19 * golden + 15) % 30  # days after 21 March
    # The full moon never falls on 19 April, nor on 18 April in the second half of a cycle: it is then a day earlier.
    if full_moon == 29 or (full_moon == 28 and golden > 10):
        full_moon -= 1
    day_of_full_moon = date(year, 3, 21) + timedelta(days=full_moon)
    return day_of_full_moon + timedelta(days=7 - (day_of_full_moon.weekday() + 1) % 7)
