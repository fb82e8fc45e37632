"""The absence file of the demo year says what was planted, and its days can be counted again out of the files alone."""

from collections import Counter
from datetime import date, timedelta

from tests.demo.conftest import Made
from tests.demo.raw import Row, read, setup_rows
from zio_pipeline.school_year import is_working_day

SCHOOL = "02ZX00"


def absences(made: Made) -> list[Row]:
    (path,) = made.folder.glob("afwezigheid-*")
    return read(path, "pupil_absence")


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def test_the_file_is_of_one_school_and_says_until_when_it_is_complete(small: Made):
    rows = absences(small)
    assert len(rows) == small.year.counts["absence_rows"]
    assert {(row["school"], row["list_date"]) for row in rows} == {(SCHOOL, "2026-01-31")}
    assert {row["reason"] for row in rows} <= {"ziek", "verlof", "verblijf elders", "overig"}


def test_one_pupil_is_away_for_good_and_one_is_named_twice(small: Made):
    rows = absences(small)
    assert [row["pupil"] for row in rows if not row["absent_to"]] == small.year.planted["absence_goes_on"]
    names = Counter(row["pupil"] for row in rows)
    assert [pupil for pupil, count in names.items() if count > 1] == small.year.planted["absence_overlaps"]


def test_absent_days_per_pupil_add_up_to_those_of_the_zorgkantoren_and_the_others(small: Made):
    """Every day once per pupil, on open days only; what the zorgkantoren have is a part of it."""
    closed = {
        day
        for row in setup_rows(small.folder, "calendar")
        if row["school"] == SCHOOL
        for day in days(row["closed_from"].date(), row["closed_to"].date())
    }
    end = date(2026, 1, 31)
    away = set()
    for row in absences(small):
        last = date.fromisoformat(row["absent_to"]) if row["absent_to"] else end
        period = days(date.fromisoformat(row["absent_from"]), min(last, end))
        away |= {(row["pupil"], day) for day in period if is_working_day(day) and day not in closed}
    wlz = sum(count for name, count in small.year.counts.items() if name.startswith("absence_days_"))
    assert 0 < wlz <= len(away)
    (ill,) = small.year.planted["absence_goes_on"]
    assert sum(pupil == ill for pupil, _ in away) > 60
