"""Partitions and schedules from 2022 on: every key maps right, and every term is asked for once, on a working day."""

import datetime as dt

import dagster as dg
import pytest

from zio_pipeline.definitions import build_defs
from zio_pipeline.orchestration.partitions import (
    SCHOOL_YEARS,
    halves,
    halves_to_year,
    months,
    months_to_year,
    school_years,
    year_of,
    year_to_halves,
    year_to_months,
)
from zio_pipeline.orchestration.schedules import (
    AMSTERDAM,
    control_schedule,
    half_due,
    half_year_schedule,
    hours_due,
    month_due,
    monthly_schedule,
    retention_schedule,
)
from zio_pipeline.school_year import is_working_day

DAYS = [dt.date(2022, 8, 1) + dt.timedelta(days=n) for n in range((dt.date(2036, 8, 1) - dt.date(2022, 8, 1)).days)]


def test_keys_are_what_a_finance_officer_reads():
    assert school_years.get_partition_keys()[0] == "2022-2023"
    assert months.get_partition_keys()[:2] == ["2022-08", "2022-09"]
    assert halves.get_partition_keys()[:2] == ["2022-2023-H1", "2022-2023-H2"]


@pytest.mark.parametrize("year", SCHOOL_YEARS, ids=str)
def test_every_month_and_half_belongs_to_its_school_year(year):
    for month in year.months():
        assert year_of(month) == year.key
    assert [year_of(year.half_key(half)) for half in (1, 2)] == [year.key, year.key]


@pytest.mark.parametrize(
    ("fine", "mapping"), [(months, year_to_months), (halves, year_to_halves)], ids=["months", "halves"]
)
def test_every_finer_partition_comes_from_exactly_its_own_year(fine, mapping):
    for key in fine.get_partition_keys():
        subset = fine.subset_with_partition_keys([key])
        upstream = mapping.get_upstream_mapped_partitions_result_for_partitions(
            subset, fine, school_years
        ).partitions_subset
        assert list(upstream.get_partition_keys()) == [year_of(key)]


@pytest.mark.parametrize(
    ("fine", "mapping"), [(months, months_to_year), (halves, halves_to_year)], ids=["months", "halves"]
)
def test_a_year_waits_for_exactly_its_own_parts(fine, mapping):
    for key in school_years.get_partition_keys():
        subset = school_years.subset_with_partition_keys([key])
        parts = mapping.get_upstream_mapped_partitions_result_for_partitions(
            subset, school_years, fine
        ).partitions_subset
        assert set(parts.get_partition_keys()) == {part for part in fine.get_partition_keys() if year_of(part) == key}


def test_each_term_is_asked_for_once_on_the_first_working_day_of_its_month():
    asked = [(month_due(day), day) for day in DAYS if month_due(day)]
    assert all(is_working_day(day) and day.day <= 7 and key == f"{day:%Y-%m}" for key, day in asked)
    assert [key for key, _ in asked] == [
        m for year in SCHOOL_YEARS for m in year.months() if m[-2:] not in ("07", "08")
    ]


def test_each_half_is_asked_for_once_in_january_and_july():
    asked = [(half_due(day), day) for day in DAYS if half_due(day)]
    assert {day.month for _, day in asked} == {1, 7}
    assert [key for key, _ in asked] == [year.half_key(half) for year in SCHOOL_YEARS for half in (1, 2)]


@pytest.mark.parametrize(
    ("day", "partition"),
    [
        (dt.date(2025, 9, 1), "2025-09"),
        (dt.date(2026, 1, 2), "2026-01"),
        (dt.date(2026, 2, 2), "2026-02"),
        (dt.date(2026, 2, 3), None),
        (dt.date(2026, 7, 1), None),
        (dt.date(2027, 5, 3), "2027-05"),
    ],
)
def test_monthly_schedule_books_on_the_day_of_its_tick(day, partition):
    tick = dt.datetime.combine(day, dt.time(5, 0), tzinfo=dt.UTC)
    answer = monthly_schedule(dg.build_schedule_context(scheduled_execution_time=tick))
    if partition is None:
        assert isinstance(answer, dg.SkipReason)
    else:
        assert answer.partition_key == partition
        assert answer.run_config["ops"]["in_region_invoices"]["config"] == {"as_of": day.isoformat()}


@pytest.mark.parametrize(
    ("day", "key"),
    [
        (dt.date(2026, 7, 1), "2026-07"),
        (dt.date(2026, 8, 3), "2026-08"),
        (dt.date(2026, 8, 4), None),
        (dt.date(2027, 1, 1), None),
        (dt.date(2027, 1, 4), "2027-01"),
    ],
)
def test_retention_runs_on_the_first_working_day_of_every_month(day, key):
    tick = dt.datetime.combine(day, dt.time(5, 30), tzinfo=dt.UTC)
    answer = retention_schedule(dg.build_schedule_context(scheduled_execution_time=tick))
    if key is None:
        assert isinstance(answer, dg.SkipReason)
    else:
        assert answer.run_key == key
        assert answer.run_config == {"ops": {"removals": {"config": {"as_of": day.isoformat()}}}}


def test_tick_late_in_the_evening_of_utc_belongs_to_the_next_day_in_the_netherlands():
    tick = dt.datetime(2025, 12, 31, 23, 30, tzinfo=dt.UTC)
    answer = half_year_schedule(dg.build_schedule_context(scheduled_execution_time=tick))
    assert isinstance(answer, dg.SkipReason), "1 January is no working day"
    tick = dt.datetime(2026, 1, 1, 23, 30, tzinfo=dt.UTC)
    assert half_year_schedule(dg.build_schedule_context(scheduled_execution_time=tick)).partition_key == "2025-2026-H1"


@pytest.mark.parametrize(
    ("day", "partition"),
    [
        (dt.date(2025, 9, 1), "2025-2026"),
        (dt.date(2026, 8, 3), "2025-2026"),
        (dt.date(2026, 9, 1), "2026-2027"),
        (dt.date(2026, 9, 2), None),
    ],
)
def test_the_books_are_looked_over_after_the_terms_and_in_august_of_the_year_that_ended(day, partition):
    tick = dt.datetime(day.year, day.month, day.day, 8, tzinfo=AMSTERDAM)
    answer = control_schedule(dg.build_schedule_context(scheduled_execution_time=tick))
    if partition is None:
        assert isinstance(answer, dg.SkipReason)
        return
    assert (answer.partition_key, answer.run_key) == (partition, f"{day:%Y-%m}")
    assert dg.validate_run_config(build_defs().resolve_job_def("controle"), answer.run_config)


@pytest.mark.parametrize(
    ("day", "month"),
    [
        (dt.date(2025, 10, 13), "2025-09"),  # the eleventh is a Saturday
        (dt.date(2025, 10, 11), None),
        (dt.date(2025, 11, 11), "2025-10"),
        (dt.date(2026, 1, 12), "2025-12"),
        (dt.date(2026, 1, 13), None),
    ],
)
def test_hours_of_a_month_are_looked_at_when_its_timesheets_are_in(day, month):
    assert hours_due(day) == month
