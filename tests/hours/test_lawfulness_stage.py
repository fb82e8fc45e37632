"""The lawfulness file on the real stores: the verdict through a year, what was claimed, and draws that stay."""

import argparse
import io
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import openpyxl
import pytest
from rich.console import Console

from assets.lawfulness import lawfulness
from resources.dagster_home import ClockResource, HomeResource
from tests.hours.test_stage import a_year
from tests.hours.timesheets import deliver_hours, line
from tests.region import JULY, KEY, Region, quick
from tests.year_builder import AMARANT, DE_BODDE, LEIJPARK, SIZA
from zio_pipeline.cli import lawfulness as command
from zio_pipeline.errors import NotProved, ZioError
from zio_pipeline.hours.planning import plans
from zio_pipeline.periods import last_day_of, month_of, week_of
from zio_pipeline.stages.claims import publish_claims
from zio_pipeline.stages.hours import hours_year
from zio_pipeline.stages.lawfulness import Draw, draws, publish_lawfulness

AUTUMN, WINTER = date(2025, 10, 11), date(2025, 11, 11)
"""The first days on which the timesheets of September, and of October, have to be in."""


@pytest.fixture(autouse=True)
def unaudited() -> Iterator[None]:
    with quick():
        yield


@pytest.fixture(scope="module")
def established(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EMB1 of Siza at Leijpark, 400 hours, and MG1 of Amarant at De Bodde, 200 hours; 60 euro an hour."""
    folder = tmp_path_factory.mktemp("lawfulness") / "home"
    with quick():
        made = Region(folder)
        made.deliver(a_year())
        made.establish(JULY)
    return folder


@pytest.fixture
def region(established: Path, tmp_path: Path) -> Region:
    shutil.copytree(established, tmp_path / "home")
    return Region(tmp_path / "home")


def by_order(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["order_id"]: row for row in rows}


def september(region: Region, *minutes: int) -> None:
    """A line a day from 1 September on at Leijpark, each approved in September."""
    deliver_hours(region, [line(date(2025, 9, 1 + n), m, approved_on=date(2025, 9, 30)) for n, m in enumerate(minutes)])


def seen(path: Path) -> str:
    """The accountant writes what he saw beside the first line."""
    book = openpyxl.load_workbook(path)
    book["Steekproef"].cell(2, book["Steekproef"].max_column - 1).value = "gezien, akkoord"
    book.save(path)
    return str(path)


# --- the verdict ----------------------------------------------------------------------------------------------------------


def test_through_a_whole_year_the_verdict_follows_the_delivery(region: Region):
    """Leijpark gets every planned minute, De Bodde 65 % of them, all approved the same day."""
    year = hours_year(region.home, KEY)
    parts = {LEIJPARK: (SIZA, 100), DE_BODDE: (AMARANT, 65)}
    rows = defaultdict[tuple[str, str], list[dict[str, Any]]](list)
    for plan in plans(year.setup, year.open_days):
        day = next(d for d in year.open_days[plan.school].days if (month_of(d), week_of(d)) == (plan.month, plan.week))
        provider, part = parts[plan.school]
        written = line(day, plan.minutes * part // 100, plan.class_code, school=plan.school, provider=provider)
        rows[plan.school, plan.month].append(written | {"approved_on": day})
    for lines in rows.values():
        deliver_hours(region, lines)
    for month in ("2025-09", "2026-02"):
        made = by_order(publish_lawfulness(region.home, KEY, last_day_of(month) + timedelta(11)).orders)
        assert {o: row["status"] for o, row in made.items()} == {"LP": "on_plan", "BO": "behind_plan"}, month
    made = by_order(publish_lawfulness(region.home, KEY, date(2026, 8, 11)).orders)
    assert {o: row["status"] for o, row in made.items()} == {"LP": "covered", "BO": "not_covered"}
    assert (made["LP"]["covered_cents"], made["LP"]["to_prove_cents"]) == (24_000_00, 24_000_00)
    assert made["LP"]["planned_minutes"] == made["LP"]["granted_minutes"] == 400 * 60


def test_a_month_whose_timesheets_need_not_be_in_is_not_lacking(region: Region):
    september(region, 600)
    before, after = (
        by_order(publish_lawfulness(region.home, KEY, day).orders)["LP"] for day in (WINTER - timedelta(1), WINTER)
    )
    assert (before["through"], after["through"]) == (date(2025, 9, 30), date(2025, 10, 31))
    assert before["planned_minutes"] < after["planned_minutes"]


def test_what_it_rests_on_stands_in_the_row(region: Region):
    """Two equal lines: both count, an hour of them is a copy."""
    deliver_hours(region, [line(date(2025, 9, 1), 60, approved_on=date(2025, 9, 30)) for _ in range(2)])
    row = by_order(publish_lawfulness(region.home, KEY, AUTUMN).orders)["LP"]
    assert (row["approved_minutes"], row["serious_minutes"]) == (120, 60)
    assert "Bij 1:00 uur staat een ernstig signaal" in row["conclusion"]


def test_what_was_claimed_is_unknown_until_claims_are_judged(region: Region):
    row = by_order(publish_lawfulness(region.home, KEY, WINTER).orders)["LP"]
    assert (row["declared_cents"], row["claimed_cents"]) == (4_800_00, None)
    assert "nog niet gecontroleerd" in row["conclusion"]
    publish_claims(region.home, KEY, WINTER)
    row = by_order(publish_lawfulness(region.home, KEY, WINTER).orders)["LP"]
    assert row["claimed_cents"] == 0, "judged, and nobody claimed anything"
    control = region.rows("claim_control")
    claimed = [r | {"claimed_cents": 1_00 if r["month"] <= "2025-10" else 7} for r in control]
    region.home.warehouse.replace({"claim_control": claimed}, school_year=KEY, version=1)
    with pytest.raises(NotProved, match="claim_control"):
        publish_lawfulness(region.home, KEY, WINTER)


@pytest.mark.parametrize("tolerance", [-1, 1001])
def test_a_tolerance_is_a_share(region: Region, tolerance: int):
    with pytest.raises(ZioError, match="tolerantie van 0 tot en met 1000"):
        publish_lawfulness(region.home, KEY, WINTER, tolerance_permille=tolerance)


# --- draws ----------------------------------------------------------------------------------------------------------------


def test_nothing_is_drawn_unless_a_seed_is_given(region: Region):
    september(region, 60, 61, 62)
    made = publish_lawfulness(region.home, KEY, AUTUMN)
    assert (made.sample, made.path) == ([], None)
    assert draws(region.home, KEY) == []
    assert not (region.home.outbox / KEY / "vertrouwelijk").exists()


def test_a_seed_is_a_text_and_a_draw_has_a_line_at_least():
    for seed in ("", "  "):
        with pytest.raises(ZioError, match="Geef een startwaarde"):
            Draw(seed)
    with pytest.raises(ZioError, match="ten minste één regel"):
        Draw("7", 0)


def test_where_nothing_is_approved_there_is_nothing_to_draw(region: Region):
    deliver_hours(region, [line(date(2025, 9, 1), 60, approved_on=None)])
    assert publish_lawfulness(region.home, KEY, AUTUMN, Draw("7")).path is None


def test_the_same_draw_leaves_a_dossier_as_somebody_filled_it_in(region: Region):
    """Also on a later day, and after runs that draw nothing."""
    september(region, *range(30, 50))
    first = publish_lawfulness(region.home, KEY, AUTUMN, Draw("accountant", 5))
    assert first.written
    assert first.path is not None
    seen(first.path)
    filled_in = first.path.read_bytes()
    publish_lawfulness(region.home, KEY, WINTER)
    again = publish_lawfulness(region.home, KEY, AUTUMN + timedelta(3), Draw("accountant", 5))
    assert (again.sample, again.path, again.written) == (first.sample, first.path, False)
    assert {row["drawn_on"] for row in draws(region.home, KEY)} == {AUTUMN}, "the day on which it was drawn"
    assert first.path.read_bytes() == filled_in
    assert [path.name for path in first.path.parent.iterdir()] == [first.path.name]


def test_every_draw_stays_and_the_dossier_lists_them(region: Region):
    """Who draws until a sample suits leaves every draw behind him."""
    september(region, *range(30, 50))
    made = [publish_lawfulness(region.home, KEY, AUTUMN, Draw(seed, 4)) for seed in ("een", "twee", "drie")]
    assert len({m.path for m in made}) == 3
    kept = draws(region.home, KEY)
    for number, (one, seed) in enumerate(zip(made, ("een", "twee", "drie"), strict=True), start=1):
        assert [row for row in kept if row["seed"] == seed] == one.sample
        assert {row["draw_number"] for row in one.sample} == {number}
    last = made[-1].path
    assert last is not None
    listed = list(openpyxl.load_workbook(last)["Trekkingen"].iter_rows(min_row=2, values_only=True))
    assert [(row[0], row[2].date(), row[5], row[6], row[7]) for row in listed] == [
        (1, AUTUMN, "een", 4, None),
        (2, AUTUMN, "twee", 4, None),
        (3, AUTUMN, "drie", 4, "ja"),
    ]


def test_after_a_file_has_changed_the_draw_is_another_one_beside_it(region: Region):
    """The label of a file holds its hash, so its lines have other lots; and what was drawn before stays."""
    september(region, *range(30, 50))
    first = publish_lawfulness(region.home, KEY, AUTUMN, Draw("7", 4))
    september(region, *range(31, 51))
    second = publish_lawfulness(region.home, KEY, AUTUMN, Draw("7", 4))
    assert first.path is not None
    assert second.path is not None
    assert second.path != first.path
    assert first.path.exists()
    assert second.written
    assert [row["draw_number"] for row in draws(region.home, KEY)].count(1) == 4


def test_a_later_file_of_a_later_month_is_no_other_draw(region: Region):
    september(region, *range(30, 50))
    first = publish_lawfulness(region.home, KEY, AUTUMN, Draw("7", 4))
    deliver_hours(region, [line(date(2025, 10, 1), 60, approved_on=date(2025, 10, 2))])
    again = publish_lawfulness(region.home, KEY, AUTUMN, Draw("7", 4))
    assert (again.path, again.written) == (first.path, False)
    november = publish_lawfulness(region.home, KEY, WINTER, Draw("7", 4))
    assert {row["through"] for row in november.sample} == {date(2025, 10, 31)}
    assert november.path != first.path


def test_a_dossier_that_was_lost_is_written_again(region: Region):
    september(region, *range(30, 50))
    first = publish_lawfulness(region.home, KEY, AUTUMN, Draw("7", 4))
    assert first.path is not None
    written = first.path.read_bytes()
    first.path.unlink()
    again = publish_lawfulness(region.home, KEY, AUTUMN, Draw("7", 4))
    assert again.written
    assert first.path.read_bytes() == written


# --- command and asset ----------------------------------------------------------------------------------------------------


def run(region: Region, *arguments: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()

    def add(name: str, work: Any, help_text: str, *, year: bool = True) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=help_text)
        sub.set_defaults(command=work, home=region.folder)
        sub.add_argument("--school-year", required=year)
        return sub

    command.add_to(add)
    args = parser.parse_args(["lawfulness", "--school-year", KEY, *arguments])
    out = io.StringIO()
    return args.command(args, Console(file=out, width=600)), out.getvalue()


def test_the_command_says_what_it_comes_to_and_draws_only_when_asked(region: Region):
    september(region, *range(30, 50))
    status, shown = run(region, "--as-of", "2025-10-11")
    assert status == 1, "nothing was delivered at De Bodde, and too little at Leijpark"
    assert "LP: Achter op planning: tot en met 30-09-2025" in shown
    assert "Er is geen steekproef getrokken" in shown
    _, shown = run(region, "--as-of", "2025-10-11", "--seed", "7", "--sample", "5")
    assert "Trekking 1 van 11-10-2025: 5 regels in dossier" in shown
    _, shown = run(region, "--as-of", "2025-10-12", "--seed", "7", "--sample", "5")
    assert "Zij was al gedaan; het dossier is niet overschreven." in shown
    status, shown = run(region, "--as-of", "2025-08-20", "--seed", "7")
    assert status == 0
    assert "LP: Tot en met 31-07-2025 is er niets te bewijzen." in shown
    assert "Er is niets getrokken: er zijn nog geen goedgekeurde regels." in shown


def materialized(region: Region, **config: Any) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    result = dg.materialize(
        [lawfulness],
        partition_key=KEY,
        resources={"home": HomeResource(folder=str(region.folder)), "clock": ClockResource(fixed="2025-10-11")},
        run_config={"ops": {"lawfulness": {"config": config}}} if config else None,
    )
    assert result.success
    return {(c.asset_key.to_user_string(), c.check_name): c for c in result.get_asset_check_evaluations()}


def test_a_scheduled_run_draws_nothing_and_its_check_says_who_lacks_hours(region: Region):
    september(region, *range(30, 50))
    kept = publish_lawfulness(region.home, KEY, AUTUMN, Draw("7", 4)).sample
    checks = materialized(region)
    assert draws(region.home, KEY) == kept
    coverage = checks["lawfulness", "dekking"]
    assert not coverage.passed
    assert "BO: Achter op planning" in (coverage.description or "")
    assert checks["lawfulness_sample", "contract"].metadata["rijen"].value == 4, "the draws that stand"
    materialized(region, seed="8", sample_size=2)
    assert {row["seed"] for row in draws(region.home, KEY)} == {"7", "8"}


def test_the_check_is_well_when_nobody_lacks_hours(region: Region):
    september(region, *[600] * 20)
    minutes = hours_year(region.home, KEY)
    planned = sum(
        p.minutes for p in plans(minutes.setup, minutes.open_days) if p.month <= "2025-09" and p.school == DE_BODDE
    )
    day = date(2025, 9, 1)
    deliver_hours(region, [line(day, planned, "MG1", school=DE_BODDE, provider=AMARANT, approved_on=day)])
    checks = materialized(region)
    assert checks["lawfulness", "dekking"].passed
