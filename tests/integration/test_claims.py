"""Claims over the demo year: what was planted is found, what is published adds up, and a corrected file keeps its day."""

import argparse
import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import openpyxl
import pytest
from rich.console import Console

from assets.claims import claim_control
from resources.dagster_home import ClockResource, HomeResource
from resources.home import Home
from tests.integration.conftest import SettledYear
from tests.region import quick
from zio_pipeline.claims import Place, settled_claims
from zio_pipeline.cli import claims as command
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.stages import claims as stage
from zio_pipeline.stages.claims import ANSWERS, CLAIM_TABLES, judged_claims, publish_claims
from zio_pipeline.stages.receiving import receive

YEAR, AS_OF = "2025-2026", date(2026, 7, 31)
SIZA, AMARANT = "41415701", "41415702"


def planted(year: SettledYear, case: str) -> Place:
    (place,) = year.demo.planted[case]
    return Place(*place.split())


def test_what_was_planted_is_found_and_everything_else_matches(settled_year: SettledYear):
    months = {month.place: month for month in judged_claims(settled_year.home, YEAR, AS_OF).control.months}
    expected = {
        planted(settled_year, "claim_duplicate"): "duplicate",
        planted(settled_year, "claim_without_term"): "wrong_period",
        planted(settled_year, "claim_late"): "late",
    }
    assert len(months) == 4 * 10 + 1, "two orders, two laws, ten months, and July"
    assert {place: month.status for place, month in months.items()} == dict.fromkeys(months, "matched") | expected
    assert months[planted(settled_year, "claim_corrected")].line_count == 3
    duplicate = months[planted(settled_year, "claim_duplicate")]
    assert duplicate.difference_cents == duplicate.declared_cents
    assert settled_claims(months.values()) == months.keys() - {
        planted(settled_year, "claim_duplicate"),
        planted(settled_year, "claim_without_term"),
    }


def test_in_december_later_months_are_still_to_come(settled_year: SettledYear):
    months = judged_claims(settled_year.home, YEAR, date(2025, 12, 1)).control.months
    status = {month.month: month.status for month in months if month.law == "jw" and month.order_id.startswith("LP")}
    assert [status[month] for month in ("2025-09", "2025-10", "2025-11", "2025-12")] == [
        "matched",
        "matched",
        "expected",
        "expected",
    ]


def test_everything_that_was_sent_is_counted_or_set_aside(settled_year: SettledYear):
    control = judged_claims(settled_year.home, YEAR, AS_OF).control
    assert len(control.lines) == settled_year.demo.counts["claim_rows"]
    assert all(verdict.counted for verdict in control.lines)
    sent = sum(verdict.line.signed_cents for verdict in control.lines)
    assert sent == sum(month.claimed_cents for month in control.months)


# --- a home to write in -------------------------------------------------------------------------------------------------


@pytest.fixture
def drop(small_year: SettledYear) -> Path:
    """The claims of a small demo year, not received yet."""
    return small_year.rest


@pytest.fixture
def audited(small_year: SettledYear, tmp_path: Path) -> Home:
    """A settled home of one's own in which no claim was received yet."""
    shutil.copytree(small_year.folder, tmp_path / "home")
    return Home.open(tmp_path / "home", {})


@pytest.fixture
def home(audited: Home) -> Iterator[Home]:
    """The same, and nothing is audited."""
    with quick():
        yield audited


def offer(home: Home, paths: list[Path], on: date, tmp_path: Path) -> list[str]:
    folder = tmp_path / f"post-{on}"
    folder.mkdir()
    for path in paths:
        shutil.copy(path, folder)
    return [one.status for one in receive(home, folder, on)]


def test_published_tables_and_answers(home: Home, drop: Path, tmp_path: Path):
    files = sorted(drop.glob("declaratie-*"))
    assert set(offer(home, files, AS_OF, tmp_path)) == {"accepted"}
    claims, tables = publish_claims(home, YEAR, AS_OF)
    for name in CLAIM_TABLES:
        assert len(home.warehouse.rows(name, school_year=YEAR)) == len(tables[name])
    rows = home.warehouse.rows("claim_control", school_year=YEAR)
    assert all(row["difference_cents"] == row["claimed_cents"] - row["declared_cents"] for row in rows)
    lines = home.warehouse.rows("claim_lines", school_year=YEAR)
    assert sum(r["amount_cents"] for r in lines if r["counted"]) == sum(row["claimed_cents"] for row in rows)
    answers = sorted((home.outbox / YEAR / ANSWERS).iterdir())
    assert [path.name for path in answers] == [f"{ANSWERS}-{agb}-{YEAR}.xlsx" for agb in (SIZA, AMARANT)]
    before = [path.read_bytes() for path in answers]
    publish_claims(home, YEAR, AS_OF)
    assert [path.read_bytes() for path in answers] == before
    own = [m for m in claims.control.months if m.provider == SIZA]
    sheet = openpyxl.load_workbook(answers[0])["Per maand"]
    assert sheet.max_row == 1 + len(own)
    assert not any(str(cell).startswith("BO-") for row in sheet.iter_rows(values_only=True) for cell in row)


def test_without_any_claim_everything_due_is_missing(home: Home):
    claims, _ = publish_claims(home, YEAR, AS_OF)
    assert {month.status for month in claims.control.months} == {"missing", "expected"}
    assert {month.month for month in claims.control.months if month.status == "expected"} == {"2026-06"}


def test_the_command_shows_what_somebody_must_look_at(home: Home, drop: Path, tmp_path: Path):
    offer(home, sorted(drop.glob("declaratie-*")), AS_OF, tmp_path)
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()

    def add(name: str, run, help_text: str, *, year: bool = True) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=help_text)
        sub.set_defaults(command=run, home=home.folder)
        sub.add_argument("--school-year", required=year)
        return sub

    command.add_to(add)
    args = parser.parse_args(["claims", "--school-year", YEAR, "--as-of", "2026-07-31"])
    out = io.StringIO()
    assert args.command(args, Console(file=out, width=200)) == 0
    shown = out.getvalue()
    assert "LP-SIZA-2025, Jeugdwet, 2025-11: dubbel. Dezelfde factuur is meer dan één keer ingediend." in shown
    assert "BO-AMARANT-2025, Jeugdwet, 2026-03: klopt, te laat." in shown
    assert ANSWERS in shown


def test_the_asset_publishes_both_tables_with_their_checks(audited: Home, drop: Path, tmp_path: Path):
    with quick():
        offer(audited, sorted(drop.glob("declaratie-*")), AS_OF, tmp_path)
    result = dg.materialize(
        [claim_control],
        partition_key=YEAR,
        resources={"home": HomeResource(folder=str(audited.folder)), "clock": ClockResource(fixed="2026-07-31")},
    )
    assert result.success
    assert {check.asset_key.to_user_string() for check in result.get_asset_check_evaluations()} == set(CLAIM_TABLES)
    assert all(check.passed for check in result.get_asset_check_evaluations())
    assert audited.warehouse.rows("claim_control", school_year=YEAR)


def test_nothing_may_be_declared_before_the_year_is_established(tmp_path: Path):
    with pytest.raises(EstablishmentBlocked, match="nog niet vastgesteld"):
        judged_claims(Home.open(tmp_path, {}), YEAR, AS_OF)


# --- a real year: the day of delivery counts ----------------------------------------------------------------------------


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same year as if its workbook did not say it is fictitious."""
    fictitious = stage.current_setup

    def setup(home: Home, school_year: str) -> SchoolYearSetup:
        found = fictitious(home, school_year)
        return replace(found, settings=replace(found.settings, fictitious=False))

    monkeypatch.setattr(stage, "current_setup", setup)


def october(drop: Path) -> Path:
    """Amarant's file of October, which claims September."""
    (path,) = drop.glob(f"declaratie-{AMARANT}-2025-10.csv")
    return path


def test_in_a_real_year_the_day_of_delivery_decides(home: Home, drop: Path, tmp_path: Path, real: None):
    offer(home, [october(drop)], date(2025, 11, 1), tmp_path)
    months = judged_claims(home, YEAR, AS_OF).control.months
    assert {m.status for m in months if m.provider == AMARANT and m.month == "2025-09"} == {"late"}


def test_a_corrected_file_takes_the_place_of_the_whole_and_what_stayed_keeps_its_day(
    home: Home, drop: Path, tmp_path: Path, real: None
):
    offer(home, [october(drop)], date(2025, 10, 6), tmp_path)
    first = judged_claims(home, YEAR, AS_OF).control
    assert {v.status for v in first.lines} == {"matched"}
    corrected = tmp_path / "verbeterd.csv"
    header, *lines = october(drop).read_bytes().decode("utf-8-sig").splitlines(keepends=True)
    assert len(lines) == 2, "jeugdwet and Wlz"
    lines[1] = lines[1].replace("AM-2025-002", "AM-2025-902")
    corrected.write_bytes((header + "".join(lines)).encode())
    offer(home, [corrected], date(2026, 5, 1), tmp_path)
    second = judged_claims(home, YEAR, AS_OF).control
    found = {v.line.invoice_number: (v.line.received_on, v.status) for v in second.lines}
    assert found == {
        "AM-2025-001": (date(2025, 10, 6), "matched"),
        "AM-2025-902": (date(2026, 5, 1), "refused"),
    }
