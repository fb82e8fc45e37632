"""Which lines count, for any files of weeks and months: of every day those of the newest file that covers it, and each once."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.timesheets import line, table
from tests.year_builder import DE_BODDE, LEIJPARK, SIZA
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.periods import days_of, month_of, periods_of, week_of
from zio_pipeline.stages import timesheets

FIRST = date(2025, 9, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(61)]


def period_around(day: date, kind: str) -> str:
    """The month, the week, or the part of the week in its month."""
    if kind == "month":
        return month_of(day)
    return week_of(day) if kind == "week" else periods_of([day])[0]


@st.composite
def files(draw: st.DrawFn) -> list[tuple[ManifestEntry, pa.Table]]:
    """Files in the order in which they take effect, with lines on some days of their period."""
    made = []
    for number in range(draw(st.integers(1, 6))):
        period = period_around(draw(st.sampled_from(DAYS)), draw(st.sampled_from(["month", "week", "part"])))
        first, last = days_of(period)
        inside = [day for day in DAYS if first <= day <= last]
        worked = draw(st.lists(st.sampled_from(inside), min_size=1, max_size=5))
        school = draw(st.sampled_from([LEIJPARK, DE_BODDE]))
        entry = ManifestEntry(
            content_sha256=f"{number:064d}",
            contract_fingerprint="0" * 64,
            parser_version="test",
            key_id="k",
            label=f"file-{number}",
            source=timesheets.TIMESHEETS,
            status="accepted",
            received_on=date(2025, 11, 1),
            school_year="2025-2026",
            school=school,
            provider=SIZA,
            period=period,
            sequence=number + 1,
        )
        made.append((entry, table(line(day, 60, school=school) for day in worked)))
    return made


def counted(offered: list[tuple[ManifestEntry, pa.Table]], period: str | None) -> Counter[tuple[str, date]]:
    tables = {entry.label: rows for entry, rows in offered}
    with patch.object(timesheets, "accepted_table", lambda _home, entry, _name: tables[entry.label]):
        found = timesheets.counting_lines(None, [entry for entry, _ in offered], period)  # type: ignore[arg-type]
        return Counter((entry.label, day) for entry, rows in found for day in rows["work_date"].to_pylist())


def expected(offered: list[tuple[ManifestEntry, pa.Table]], period: str | None) -> Counter[tuple[str, date]]:
    """Day by day, in words beside the code that does it by stretches."""
    first, last = days_of(period)
    found = Counter[tuple[str, date]]()
    for day in DAYS:
        for school in (LEIJPARK, DE_BODDE):
            covering = [
                (entry, rows)
                for entry, rows in offered
                if entry.school == school and days_of(entry.period)[0] <= day <= days_of(entry.period)[1]
            ]
            if covering and first <= day <= last:
                entry, rows = covering[-1]
                found.update({(entry.label, day): rows["work_date"].to_pylist().count(day)})
    return +found


@settings(max_examples=60)
@given(files(), st.sampled_from([None, "2025-09", "2025-10", "2025-W40"]))
def test_of_every_day_the_newest_file_that_covers_it_counts(
    offered: list[tuple[ManifestEntry, pa.Table]], period: str | None
) -> None:
    assert counted(offered, period) == expected(offered, period)


@settings(max_examples=30)
@given(files())
def test_months_add_up_to_the_year(offered: list[tuple[ManifestEntry, pa.Table]]) -> None:
    months = [counted(offered, month) for month in ("2025-08", "2025-09", "2025-10", "2025-11")]
    whole: Counter[Any] = sum(months, Counter())
    assert whole == counted(offered, None)


@pytest.mark.parametrize(
    ("period", "months"),
    [
        ("2025-10", {"2025-10"}),
        ("2025-W40", {"2025-09", "2025-10"}),
        ("2025-W31", {"2025-08"}),
        ("2026-W31", {"2026-07"}),
    ],
)
def test_the_months_of_a_file_are_of_its_own_school_year(period: str, months: set[str]) -> None:
    entry = ManifestEntry(*"abcdefg", received_on=FIRST, school_year="2025-2026", period=period)
    assert timesheets.months_of(entry) == months
