"""Open days of a school by hand, and against the counts of six real school years of region Zuid."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.year_builder import DE_BODDE, LEIJPARK, SETTINGS, sheet_row
from zio_pipeline.demo.calendar import PUBLISHED
from zio_pipeline.errors import SetupError
from zio_pipeline.open_days import OpenDays, open_days
from zio_pipeline.school_year import SchoolYear, public_holidays
from zio_pipeline.settings import Settings, read_settings


def settings(**changed: str) -> Settings:
    return read_settings([sheet_row("settings", key=key, value=value) for key, value in (SETTINGS | changed).items()])


def closed(first: str, last: str, school: str = LEIJPARK) -> dict:
    return {"school": school, "closed_from": date.fromisoformat(first), "closed_to": date.fromisoformat(last)}


SUMMER = closed("2026-07-11", "2026-08-23")


def test_a_school_is_open_on_working_days_that_its_calendar_does_not_close():
    days = open_days(settings(), [closed("2025-08-20", "2025-08-21"), SUMMER], LEIJPARK)
    assert days.days[:5] == tuple(date(2025, 8, day) for day in (18, 19, 22, 25, 26))
    assert days.days[-1] == date(2026, 7, 10)
    assert date(2025, 8, 18) in days
    assert date(2025, 8, 20) not in days, "closed by the calendar"
    assert date(2025, 8, 23) not in days, "a Saturday"
    assert date(2025, 12, 25) not in days, "a public holiday, also when the calendar does not name it"
    assert date(2025, 8, 15) not in days, "before the startdatum"


def test_counting_takes_both_ends_along():
    days = open_days(settings(), [closed("2025-08-20", "2025-08-21"), SUMMER], LEIJPARK)
    assert days.up_to(date(2025, 8, 17)) == 0
    assert days.up_to(date(2025, 8, 18)) == 1
    assert days.up_to(date(2025, 8, 24)) == 3
    assert days.between(date(2025, 8, 18), date(2025, 8, 22)) == 3
    assert days.between(date(2025, 8, 19), date(2025, 8, 19)) == 1
    assert days.between(date(2025, 8, 22), date(2025, 8, 18)) == 0
    assert days.up_to(date(2030, 1, 1)) == len(days)


def test_every_school_has_its_own_calendar():
    calendar = [SUMMER, closed("2026-07-18", "2026-08-23", DE_BODDE)]
    assert open_days(settings(), calendar, DE_BODDE).days[-1] == date(2026, 7, 17)
    assert open_days(settings(), calendar, LEIJPARK).days[-1] == date(2026, 7, 10)


def test_a_school_without_a_calendar_stops():
    with pytest.raises(SetupError, match=f"geen sluitingen van vestiging {DE_BODDE}"):
        open_days(settings(), [SUMMER], DE_BODDE)


def test_a_school_that_is_never_open_stops():
    with pytest.raises(SetupError, match="geen dag open"):
        open_days(settings(), [closed("2025-08-01", "2026-07-31")], LEIJPARK)


@pytest.mark.parametrize(
    ("first", "last_day", "count", "permille"),
    [
        (2022, "2023-07-14", 194, 387),
        (2023, "2024-07-05", 195, 410),
        (2024, "2025-07-04", 199, 427),
        (2025, "2026-07-10", 204, 417),
        (2026, "2027-07-23", 209, 383),
        (2027, "2028-07-21", 199, 377),
    ],
)
def test_real_years_count_what_was_counted_by_hand(first: int, last_day: str, count: int, permille: int):
    """Published holidays and the Friday after Ascension Day, before study days; the part up to 31 December, per mille."""
    table, year = PUBLISHED[first], SchoolYear(first)
    spans = [table.autumn, table.christmas, table.carnival, table.may, table.summer]
    ascension = next(d for d in sorted(public_holidays(first + 1)) if d.weekday() == 3 and d.month in (4, 5, 6))
    spans.append((ascension + timedelta(days=1), ascension + timedelta(days=1)))
    calendar = [{"school": LEIJPARK, "closed_from": a, "closed_to": b} for a, b in spans]
    changed = {"schooljaar": year.key, "startdatum": f"{table.start:%d-%m-%Y}", "peildatum": f"01-07-{first}"}
    rows = [sheet_row("settings", key=k, value=v, valid_from=year.first_day) for k, v in (SETTINGS | changed).items()]
    days = open_days(read_settings(rows), calendar, LEIJPARK)
    assert (days.days[0], days.days[-1], len(days)) == (table.start, date.fromisoformat(last_day), count)
    in_first_year = days.up_to(date(first, 12, 31))
    assert (2000 * in_first_year + count) // (2 * count) == permille


@given(st.sets(st.dates(date(2025, 8, 1), date(2026, 7, 31)), min_size=1), st.lists(st.dates(), min_size=1, max_size=9))
def test_stretches_that_follow_each_other_add_up_to_the_year(days: set[date], cuts: list[date]):
    found = OpenDays(LEIJPARK, tuple(sorted(days)))
    ends = [*sorted(cuts), date.max]
    starts = [date.min, *(cut + timedelta(days=1) if cut < date.max else cut for cut in ends[:-1])]
    assert sum(found.between(a, b) for a, b in zip(starts, ends, strict=True)) == len(found)
