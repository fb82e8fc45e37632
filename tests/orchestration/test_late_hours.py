"""Late, corrected and withdrawn timesheets ask for their own months, and the year of hours is told about on time."""

import datetime as dt
import json
from pathlib import Path

import dagster as dg
import pytest

from resources.dagster_home import HomeResource
from tests.hours.timesheets import deliver_hours, line
from tests.region import JULY, KEY, Region, quick
from tests.year_builder import Year
from zio_pipeline.orchestration.schedules import AMSTERDAM, hours_schedule, hours_year_schedule
from zio_pipeline.orchestration.sensors import late_hours_sensor
from zio_pipeline.stages.timesheets import TIMESHEETS

Asked = set[tuple[str, str]]


class Watch:
    """The sensor as the daemon runs it: every tick has the cursor of the one before."""

    def __init__(self, region: Region):
        self.home, self.cursor = HomeResource(folder=str(region.folder)), None

    def tick(self) -> Asked:
        context = dg.build_sensor_context(cursor=self.cursor)
        answer = late_hours_sensor(context, home=self.home)
        if isinstance(answer, dg.SkipReason):
            return set()
        self.cursor = answer.cursor
        return {(request.job_name, request.partition_key) for request in answer.run_requests}


@pytest.fixture
def region(tmp_path: Path) -> Region:
    with quick():
        made = Region(tmp_path / "home")
        made.deliver(a_year())
        made.establish(JULY)
    return made


def a_year() -> Year:
    year = Year(pgb_beleid="zorgkantoor")
    year.pupils(3)
    return year


def day(month: int, number: int) -> dt.date:
    return dt.date(2025 if month >= 8 else 2026, month, number)


def test_a_file_asks_once_for_its_own_month_and_year(region: Region) -> None:
    watch = Watch(region)
    assert watch.tick() == set()
    deliver_hours(region, [line(day(10, 6), 60), line(day(10, 14), 60)])
    assert watch.tick() == {("uren", "2025-10"), ("urenjaar", KEY)}
    assert watch.tick() == set()
    deliver_hours(region, [line(day(11, 6), 60), line(day(11, 14), 60)])
    assert watch.tick() == {("uren", "2025-11"), ("urenjaar", KEY)}


def test_a_corrected_and_a_withdrawn_file_ask_again_also_for_a_state_that_was_there_before(region: Region) -> None:
    watch = Watch(region)
    deliver_hours(region, [line(day(10, 6), 60), line(day(10, 14), 60)])
    watch.tick()
    deliver_hours(region, [line(day(10, 6), 90), line(day(10, 14), 60)])
    october = {("uren", "2025-10"), ("urenjaar", KEY)}
    assert watch.tick() == october
    newest = region.home.warehouse.active(TIMESHEETS, KEY)[-1]
    (earlier,) = [e for e in region.home.warehouse.manifest(source=newest.source) if not e.active]
    region.home.warehouse.withdraw(newest, earlier, [])
    assert watch.tick() == october
    region.home.warehouse.withdraw(earlier, None, [])
    assert watch.tick() == october, "a month without any file is a change too"
    assert watch.tick() == set()


def test_a_week_of_two_months_asks_for_both_and_never_for_another_year(region: Region) -> None:
    watch = Watch(region)
    deliver_hours(region, [line(day(9, 29), 60), line(day(10, 1), 60)])
    assert watch.tick() == {("uren", "2025-09"), ("uren", "2025-10"), ("urenjaar", KEY)}
    deliver_hours(region, [line(day(7, 30), 60)])
    assert watch.tick() == {("uren", "2026-07"), ("urenjaar", KEY)}


def test_a_new_workbook_may_move_the_plan_of_every_month(region: Region) -> None:
    watch = Watch(region)
    deliver_hours(region, [line(day(10, 6), 60), line(day(10, 14), 60)])
    deliver_hours(region, [line(day(11, 6), 60), line(day(11, 14), 60)])
    watch.tick()
    later = a_year()
    later.add("calendar", school="02ZX00", closed_from=day(11, 7), closed_to=day(11, 7), kind="study_day")
    with quick():
        region.deliver(later)
    assert watch.tick() == {("uren", "2025-10"), ("uren", "2025-11"), ("urenjaar", KEY)}


def test_a_new_version_of_the_year_may_grant_other_hours(region: Region) -> None:
    watch = Watch(region)
    deliver_hours(region, [line(day(10, 6), 60), line(day(10, 14), 60)])
    watch.tick()
    later = a_year()
    later.sheets["doelgroepen"][0]["granted_hours_hundredths"] *= 2
    with quick():
        region.deliver(later)
        watch.tick()
        region.establish(JULY, "parameterfout")
    assert watch.tick() == {("uren", "2025-10"), ("urenjaar", KEY)}


def test_the_cursor_names_no_file_and_no_person(region: Region) -> None:
    watch = Watch(region)
    deliver_hours(region, [line(day(10, 6), 60), line(day(10, 14), 60)])
    watch.tick()
    assert {month: len(state) for month, state in json.loads(watch.cursor or "").items()} == {"2025-10": 16}


@pytest.mark.parametrize(
    ("tick", "month", "years"),
    [
        (dt.date(2025, 10, 13), ["2025-09"], ["2025-2026"]),
        (dt.date(2026, 7, 13), ["2026-06"], ["2025-2026"]),
        (dt.date(2026, 8, 11), ["2026-07"], ["2025-2026"]),
        (dt.date(2026, 9, 11), ["2026-08"], ["2025-2026", "2026-2027"]),
        (dt.date(2025, 10, 11), [], []),
    ],
)
def test_hours_are_told_about_on_the_first_working_day_after_they_are_due(
    tick: dt.date, month: list[str], years: list[str]
) -> None:
    """Of July, too: its timesheets are due on 10 August, and the approval of its school on the 20th."""
    for schedule, partitions, steps in (
        (hours_schedule, month, {"hour_signals", "wlz_hours", "provider_timesheets_op_tijd"}),
        (hours_year_schedule, years, {"missing_statements", "alerts", "lawfulness", "recalibration_and_effect"}),
    ):
        moment = dt.datetime.combine(tick, dt.time(7), tzinfo=AMSTERDAM)
        answer = schedule(dg.build_schedule_context(scheduled_execution_time=moment))
        if not partitions:
            assert isinstance(answer, dg.SkipReason)
            continue
        requests = answer if isinstance(answer, list) else [answer]
        assert [request.partition_key for request in requests] == partitions
        for request in requests:
            asked = {name: op["config"]["as_of"] for name, op in request.run_config["ops"].items()}
            assert asked == dict.fromkeys(steps, tick.isoformat())
