"""The calendar of the demo: as many school days as the published holidays leave, and dates on which nobody teaches."""

import random
from datetime import date

import pytest

from zio_pipeline.demo.calendar import PUBLIC_HOLIDAY, STUDY_DAY, school_calendar
from zio_pipeline.school_year import SchoolYear

# Counted apart from this code: Monday to Friday, less holidays of region Zuid and public holidays, before study days.
SCHOOL_DAYS = {
    2022: (194, date(2022, 9, 5), date(2023, 7, 14)),
    2023: (195, date(2023, 8, 28), date(2024, 7, 5)),
    2024: (199, date(2024, 8, 19), date(2025, 7, 4)),
    2025: (204, date(2025, 8, 18), date(2026, 7, 10)),
    2026: (209, date(2026, 8, 24), date(2027, 7, 23)),
    2027: (199, date(2027, 9, 6), date(2028, 7, 21)),
}


@pytest.mark.parametrize("first", SCHOOL_DAYS)
def test_open_days_are_those_the_published_holidays_leave(first: int):
    calendar = school_calendar(SchoolYear(first), random.Random(1))
    study = [closure for closure in calendar.closures if closure.kind == STUDY_DAY]
    days = calendar.open_days
    assert (len(days) + len(study), days[0], days[-1]) == SCHOOL_DAYS[first]


def test_public_holidays_are_named():
    calendar = school_calendar(SchoolYear(2025), random.Random(1))
    named = {c.description: c.first for c in calendar.closures if c.kind == PUBLIC_HOLIDAY}
    assert named == {
        "Goede Vrijdag": date(2026, 4, 3),
        "Tweede Paasdag": date(2026, 4, 6),
        "Bevrijdingsdag": date(2026, 5, 5),
        "Hemelvaartsdag": date(2026, 5, 14),
        "Tweede Pinksterdag": date(2026, 5, 25),
    }
