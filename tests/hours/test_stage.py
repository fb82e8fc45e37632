"""Hours on the real stores: a late and a corrected file change their own month only, and it is told what they changed."""

import argparse
import io
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from rich.console import Console

from assets.hours import delivery, delivery_summary
from resources.dagster_home import HomeResource
from resources.home import Home
from tests.hours.timesheets import deliver_hours, line
from tests.region import JULY, KEY, Region, quick
from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK, Year
from zio_pipeline.cli import hours as command
from zio_pipeline.errors import EstablishmentBlocked, SetupError, ZioError
from zio_pipeline.hours.differences import Difference
from zio_pipeline.stages.hours import hours_year, publish_delivery, publish_summary, read_lines
from zio_pipeline.stages.timesheets import TIMESHEETS

SEPTEMBER, OCTOBER = "2025-09", "2025-10"


@pytest.fixture(autouse=True)
def unaudited() -> Iterator[None]:
    with quick():
        yield


def a_year() -> Year:
    """Leijpark with EMB1 of Siza, De Bodde with MG1 of Amarant; neither school has a calendar of its own."""
    year = Year(pgb_beleid="zorgkantoor")
    year.order("BO", school=DE_BODDE, provider=AMARANT)
    year.doelgroep("BO", "MG", 5_00)
    year.school_class("MG1", "BO", "MG", school=DE_BODDE)
    year.pupils(3)
    year.pupils(2, "MG1", school=DE_BODDE)
    return year


@pytest.fixture(scope="module")
def established(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the established year and nothing else."""
    folder = tmp_path_factory.mktemp("hours") / "home"
    with quick():
        made = Region(folder)
        made.deliver(a_year())
        made.establish(JULY)
    return folder


@pytest.fixture
def region(established: Path, tmp_path: Path) -> Region:
    shutil.copytree(established, tmp_path / "home")
    return Region(tmp_path / "home")


def test_a_line_knows_on_which_day_its_file_came_in(region: Region) -> None:
    deliver_hours(region, [line(date(2025, 10, 6), 60)])
    (entry,) = region.home.warehouse.active(TIMESHEETS, KEY)
    with read_lines(region.home, KEY) as connection:
        assert connection.sql("select received_on from line").fetchall() == [(entry.received_on,)]


def rows_of(home: Home, month: str) -> list[dict[str, Any]]:
    return home.warehouse.rows("delivery_control", school_year=KEY, month=month)  # type: ignore[no-any-return]


def everything(home: Home) -> dict[str, list[dict[str, Any]]]:
    """The published rows by month."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in home.warehouse.rows("delivery_control", school_year=KEY):
        found.setdefault(row["month"], []).append(row)
    return found


def of_bodde(day: date, minutes: int, **values: Any) -> dict[str, Any]:
    return line(day, minutes, "MG1", school=DE_BODDE, provider=AMARANT, **values)


def september_and_october(region: Region) -> None:
    """Both schools over September, Leijpark over October; De Bodde is late."""
    for day in (date(2025, 9, 29), date(2025, 10, 1)):
        deliver_hours(region, [line(day, 120), line(day, 60, approved_on=None)])
    deliver_hours(region, [of_bodde(date(2025, 9, 30), 90)])
    publish_delivery(region.home, KEY)


def test_a_late_and_then_a_corrected_file_change_october_only_twice(region: Region) -> None:
    september_and_october(region)
    before = everything(region.home)
    place = (OCTOBER, "2025-W40", DE_BODDE, "MG1", AMARANT)

    deliver_hours(region, [of_bodde(date(2025, 10, 2), 100), of_bodde(date(2025, 10, 3), 20, approved_on=None)])
    late = publish_delivery(region.home, KEY)
    assert late.differences == [
        Difference(place, "delivered_minutes", 0, 100),
        Difference(place, "provisional_minutes", 0, 20),
    ]
    after_late = everything(region.home)
    assert {m: rows for m, rows in after_late.items() if m != OCTOBER} == {
        m: rows for m, rows in before.items() if m != OCTOBER
    }

    deliver_hours(region, [of_bodde(date(2025, 10, 2), 75), of_bodde(date(2025, 10, 3), 20)])
    corrected = publish_delivery(region.home, KEY, OCTOBER)
    assert corrected.differences == [
        Difference(place, "delivered_minutes", 100, 95),
        Difference(place, "provisional_minutes", 20, 0),
    ]
    after = everything(region.home)
    assert {m for m in after if after[m] != after_late[m]} == {OCTOBER}
    unchanged = [row for row in after[OCTOBER] if row["school"] == LEIJPARK]
    assert unchanged == [row for row in before[OCTOBER] if row["school"] == LEIJPARK]

    assert publish_delivery(region.home, KEY).differences == []
    assert everything(region.home) == after


def test_the_year_is_the_sum_of_its_months_and_of_the_granted_hours(region: Region) -> None:
    september_and_october(region)
    summary = publish_summary(region.home, KEY).summary
    year = {row["subject"]: row for row in summary if (row["level"], row["period_kind"]) == ("order", "year")}
    assert {order: row["planned_minutes"] for order, row in year.items()} == {"LP": 400 * 60, "BO": 200 * 60}
    assert (year["LP"]["delivered_minutes"], year["LP"]["provisional_minutes"]) == (240, 120)
    week = [row for row in summary if (row["level"], row["period"]) == ("class", "2025-W40")]
    assert {row["subject"]: row["delivered_minutes"] for row in week} == {
        f"{LEIJPARK} / EMB1": 240,
        f"{DE_BODDE} / MG1": 90,
    }, "a week that lies in two months is whole again"


def test_the_summary_publishes_a_month_that_nobody_published(region: Region) -> None:
    deliver_hours(region, [line(date(2025, 9, 29), 120)])
    publish_summary(region.home, KEY)
    assert sum(row["delivered_minutes"] for row in rows_of(region.home, SEPTEMBER)) == 120


def test_a_month_that_was_tampered_with_is_made_again_and_told(region: Region) -> None:
    september_and_october(region)
    publish_summary(region.home, KEY)
    true = rows_of(region.home, OCTOBER)
    region.home.warehouse.replace(
        {"delivery_control": [row | {"indirect_minutes": 5} for row in true]}, school_year=KEY, month=OCTOBER
    )
    again = publish_summary(region.home, KEY)
    assert rows_of(region.home, OCTOBER) == true
    assert {(one.before, one.after) for one in again.differences} == {(5, 0)}


def test_a_late_file_and_a_new_calendar_reach_the_summary_whatever_was_published_before(region: Region) -> None:
    """Months are published at different moments; the year is always that of the files and the calendar of today."""
    september_and_october(region)
    publish_summary(region.home, KEY)
    deliver_hours(region, [of_bodde(date(2025, 10, 2), 100)])
    later = a_year()
    for day in range(6, 11):
        study = date(2025, 10, day)
        later.add("calendar", school=LEIJPARK, closed_from=study, closed_to=study, kind="study_day")
    region.deliver(later)
    publish_delivery(region.home, KEY, SEPTEMBER)
    year = {
        row["subject"]: row
        for row in publish_summary(region.home, KEY).summary
        if (row["level"], row["period_kind"]) == ("order", "year")
    }
    assert {order: row["planned_minutes"] for order, row in year.items()} == {"LP": 400 * 60, "BO": 200 * 60}
    assert year["BO"]["delivered_minutes"] == 190


def test_a_file_about_days_without_a_plan_is_told_too(region: Region) -> None:
    """Schools open on 18 August; a file of the weeks before that comes late is no less a change."""
    publish_summary(region.home, KEY)
    deliver_hours(region, [of_bodde(date(2025, 8, 5), 60, activity="training"), of_bodde(date(2025, 8, 12), 60)])
    told = publish_summary(region.home, KEY).differences
    assert {(one.place[1], one.measure, one.after) for one in told} == {
        ("2025-W32", "training_minutes", 60),
        ("2025-W33", "delivered_minutes", 60),
    }


def test_hours_need_an_established_year(tmp_path: Path) -> None:
    region = Region(tmp_path / "home")
    region.deliver(a_year())
    with pytest.raises(EstablishmentBlocked, match="nog niet vastgesteld"):
        publish_delivery(region.home, KEY)


def test_a_month_of_another_year_is_refused(region: Region) -> None:
    with pytest.raises(ZioError, match=r"2026-09 valt niet in schooljaar 2025-2026"):
        publish_delivery(region.home, KEY, "2026-09")


def test_a_later_workbook_renames_a_class_and_mends_a_calendar_but_grants_no_hours(region: Region) -> None:
    """The hours of EMB1x count for EMB1; a study day moves the plan; twice the hours per week change nothing."""
    before = {row["week"]: row["open_days"] for row in publish_delivery(region.home, KEY, OCTOBER).control}
    later = a_year()
    later.sheets["doelgroepen"][0]["granted_hours_hundredths"] *= 2
    names = {"class_code": "EMB1x", "established_class_code": "EMB1", "valid_from": date(2025, 10, 1)}
    later.add("class_names", school=LEIJPARK, **names)
    study = date(2025, 10, 7)
    later.add("calendar", school=LEIJPARK, closed_from=study, closed_to=study, kind="study_day")
    region.deliver(later)
    deliver_hours(region, [line(date(2025, 10, 8), 120, "EMB1x")])
    rows = [row for row in publish_delivery(region.home, KEY, OCTOBER).control if row["school"] == LEIJPARK]
    week = next(row for row in rows if row["week"] == "2025-W41")
    assert (week["class_code"], week["delivered_minutes"], week["open_days"]) == ("EMB1", 120, 4)
    assert before["2025-W41"] == 5
    planned = [
        row for row in publish_summary(region.home, KEY).summary if (row["level"], row["period"]) == ("order", KEY)
    ]
    assert {row["subject"]: row["planned_minutes"] for row in planned} == {"LP": 400 * 60, "BO": 200 * 60}


def test_without_a_calendar_of_its_own_a_school_has_the_holidays_of_the_region(region: Region) -> None:
    days = hours_year(region.home, KEY).open_days[LEIJPARK]
    assert date(2025, 10, 13) not in days, "herfstvakantie"
    assert (days.days[0], days.days[-1]) == (date(2025, 8, 18), date(2026, 7, 10))


def test_a_year_the_region_does_not_know_asks_for_the_calendar_of_the_school(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zio_pipeline.open_days.region_holidays", dict)
    with pytest.raises(SetupError, match=r"herfstvakantie van vestiging .* schooljaar 2025-2026 niet bekend"):
        publish_delivery(region.home, KEY)


def test_lines_are_those_of_the_files_that_count(region: Region) -> None:
    deliver_hours(region, [line(date(2025, 9, 29), 120)])
    second = deliver_hours(region, [line(date(2025, 9, 29), 130)])
    deliver_hours(region, [line(date(2025, 10, 1), 10)])
    with read_lines(region.home, KEY, SEPTEMBER) as lines:
        assert lines.sql("select label, minutes from line").fetchall() == [(second, 130)]
    with read_lines(region.home, KEY) as lines:
        assert lines.sql("select sum(minutes)::int from line").fetchall() == [(140,)]


def test_the_command_shows_the_hours_and_what_changed(region: Region) -> None:
    september_and_october(region)
    deliver_hours(region, [line(date(2025, 10, 1), 100), line(date(2025, 10, 1), 60, approved_on=None)])
    out = Console(file=io.StringIO(), width=150)
    asked = argparse.Namespace(home=region.folder, school_year=KEY, month=OCTOBER, as_of=JULY)
    assert command.show_hours(asked, out) == 0
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert "Uren per doelgroep, 2025-10" in text
    shown = next(text_line for text_line in text.splitlines() if "LP / EMB" in text_line)
    # 24000 minutes over 205 days; 32 days before October and 18 in it: 5853 - 3746 = 2107 minutes. 100 / 2107 = 0,0475.
    assert [cell.strip() for cell in shown.strip("│").split("│")] == ["LP / EMB", "35:07", "1:40", "1:00", "4,7 %"]
    assert "Uren, gewijzigd sinds de vorige publicatie: 1 cijfer." in text
    assert "klas EMB1 van 02ZX00, aanbieder 41410101: geleverd van 120 naar 100 minuten." in text


def test_the_assets_tell_dagster_what_changed(region: Region) -> None:
    september_and_october(region)
    deliver_hours(region, [line(date(2025, 10, 1), 100), line(date(2025, 10, 1), 60, approved_on=None)])
    home = HomeResource(folder=str(region.folder))
    result = dg.materialize([delivery], partition_key=OCTOBER, resources={"home": home})
    of_hours, made = result.asset_materializations_for_node("delivery")
    assert "gewijzigde cijfers" not in of_hours.metadata
    assert made.metadata["gewijzigde cijfers"].value == 1
    assert "geleverd van 120 naar 100 minuten" in str(made.metadata["wijzigingen"].value)
    assert dg.materialize([delivery_summary], partition_key=KEY, resources={"home": home}).success
    assert region.home.warehouse.rows("delivery_summary", school_year=KEY)
