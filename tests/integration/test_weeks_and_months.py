"""Timesheets of weeks and of months beside each other: the newest that covers a day counts for it, and no day goes in silence."""

from pathlib import Path

import pytest

from tests.intake.files import csv_of, line
from tests.integration.test_intake_versions import NEXT_DAY, YEAR, Office
from zio_pipeline.stages.rereading import reread
from zio_pipeline.stages.withdrawing import withdraw


@pytest.fixture(autouse=True)
def without_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit of deliveries has tests of its own and says nothing of what is tried here."""
    monkeypatch.setattr("zio_pipeline.stages.receiving.audit_deliveries", lambda *_, **__: None)


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str) -> Office:
    return Office(tmp_path, sqlite_url)


def test_a_file_of_one_week_counts_for_that_week_beside_the_file_of_the_month(office: Office):
    """The newest file that covers a day counts for it; a month that lacks a week which was delivered is refused."""
    month = office.offer({"a.csv": csv_of(line(1, datum="29-09-2025"), line(1, datum="22-09-2025"))})["a.csv"]
    crossing = [line(1, datum="29-09-2025", uren="2,0"), line(1, datum="01-10-2025", uren="3,0")]
    week = office.offer({"b.csv": csv_of(*crossing)}, NEXT_DAY)["b.csv"]
    assert office.counting("provider_timesheets") == [month.label, week.label]
    assert office.worked() == {("2025-09-22", month.label), ("2025-09-29", week.label), ("2025-10-01", week.label)}
    without = csv_of(line(1, datum="09-10-2025"), line(1, datum="15-10-2025"))
    refused = office.offer({"c.csv": without}, NEXT_DAY)["c.csv"]
    assert "mist week 40" in (refused.reason or "")
    both = csv_of(line(1, datum="01-10-2025"), line(1, datum="02-10-2025"))
    part = office.offer({"e.csv": both}, NEXT_DAY)["e.csv"]
    assert office.worked() == {
        ("2025-09-22", month.label),
        ("2025-09-29", week.label),
        ("2025-10-01", part.label),
        ("2025-10-02", part.label),
    }, "of a week of two months a file covers the part it speaks of"
    october = [line(1, datum=day) for day in ("01-10-2025", "02-10-2025", "09-10-2025")]
    newest = office.offer({"d.csv": csv_of(*october)}, NEXT_DAY)["d.csv"]
    assert office.worked() == {
        ("2025-09-22", month.label),
        ("2025-09-29", week.label),
        *((f"2025-10-{day}", newest.label) for day in ("01", "02", "09")),
    }


def test_a_week_and_its_month_offered_together_must_say_the_same_of_their_days(office: Office):
    month = [line(1, datum="01-09-2025"), line(1, datum="08-09-2025")]
    same = office.offer({"maand.csv": csv_of(*month), "week.csv": csv_of(month[0])})
    assert {one.status for one in same.values()} == {"accepted"}
    other = [line(1, datum="06-10-2025"), line(1, datum="13-10-2025")]
    both = {"maand.csv": csv_of(*other), "week.csv": csv_of(line(1, datum="06-10-2025", uren="1,0"))}
    assert {one.status for one in office.offer(both, NEXT_DAY).values()} == {"contradicting"}


def test_a_week_in_which_one_line_is_dated_in_another_week_empties_no_week(office: Office):
    """One wrong date makes a month of a week: it may not take the place of the week that stands."""
    days = [f"{day:02d}-09-2025" for day in range(8, 13)]
    standing = office.offer({"37.csv": csv_of(*(line(1, datum=day) for day in days))})["37.csv"]
    wrong = csv_of(line(1, datum="01-09-2025"), line(1, datum="02-09-2025"), line(1, datum="12-09-2025"))
    late = office.offer({"36.csv": wrong}, NEXT_DAY)["36.csv"]
    assert late.status == "refused"
    assert "geen uren op 08-09-2025, 09-09-2025, 10-09-2025, 11-09-2025" in (late.reason or "")
    assert office.counting("provider_timesheets") == [standing.label]


def test_a_month_without_one_of_its_weeks_counts_once_what_it_lacks_is_withdrawn(office: Office):
    """It was refused because of what stood; offered again after that is gone it is judged anew."""
    weeks = [line(1, datum=f"{day}-10-2025") for day in ("06", "13", "20")]
    first = office.offer({"a.csv": csv_of(*weeks)})["a.csv"]
    less = {"b.csv": csv_of(weeks[0], weeks[2])}
    assert office.offer(less, NEXT_DAY)["b.csv"].status == "refused"
    assert office.offer(less, NEXT_DAY)["b.csv"].status == "refused"
    withdraw(office.home, first.label, "contractmanager", "week 42 is niet gewerkt", NEXT_DAY)
    assert office.offer(less, NEXT_DAY)["b.csv"].status == "accepted"
    assert {day for day, _ in office.worked()} == {"2025-10-06", "2025-10-20"}


def test_whoever_sends_a_part_is_told_that_the_rest_goes_on_counting(office: Office):
    office.offer({"a.csv": csv_of(line(1, datum="06-10-2025"), line(1, datum="14-10-2025"))})
    week = office.offer({"b.csv": csv_of(line(1, datum="06-10-2025", uren="1,0"))}, NEXT_DAY)["b.csv"]
    (told,) = office.home.warehouse.rows("quarantine", rule="part_of_period")
    assert (told["label"], told["severity"]) == (week.label, "warning")
    assert told["explanation"] == (
        "Gelezen als week 41 van 2025: wat over de rest van de maand 2025-10 eerder is ingeleverd blijft gelden."
    )


def test_rows_that_were_set_apart_still_say_that_a_file_is_about_more_than_a_week(office: Office):
    office.offer({"a.csv": csv_of(line(1, datum="06-10-2025"), line(1, datum="14-10-2025"))})
    corrected = csv_of(line(1, datum="06-10-2025"), line(1, datum="14-10-2025", uren="veel"))
    late = office.offer({"b.csv": corrected}, NEXT_DAY)["b.csv"]
    assert "mist week 42" in (late.reason or ""), "else the old hours of week 42 would go on counting"


def test_a_file_that_is_read_again_as_another_period_counts_once(office: Office, monkeypatch: pytest.MonkeyPatch):
    """An older reader knew of two weeks, a newer one of one, or the other way round: of one content one reading counts."""
    office.offer({"a.csv": csv_of(line(1, datum="06-10-2025"), line(1, datum="14-10-2025", uren="veel"))})
    (before,) = office.home.warehouse.active("provider_timesheets", YEAR)
    monkeypatch.setattr("zio_pipeline.intake.scope.periods_of", lambda days: ["2025-W41"])
    for module in ("intake", "stages.receiving", "stages.rereading"):
        monkeypatch.setattr(f"zio_pipeline.{module}.PARSER_VERSION", "later", raising=False)
    reread(office.home)
    (after,) = office.home.warehouse.active("provider_timesheets", YEAR)
    assert (before.period, after.period) == ("2025-10", "2025-W41")
    assert office.worked() == {("2025-10-06", after.label)}
