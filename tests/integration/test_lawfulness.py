"""Faces and the lawfulness file over the demo year: recounted line by line, drawn again, and naming nobody."""

import argparse
import io
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import openpyxl
import pytest
from rich.console import Console

from assets.faces import fixed_faces, wlz_hours
from assets.lawfulness import lawfulness
from resources.dagster_home import ClockResource, HomeResource
from resources.home import Home
from tests.integration.conftest import SettledYear
from tests.region import quick
from zio_pipeline.cli import lawfulness as command
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.hours.planning import granted_minutes
from zio_pipeline.orchestration.metadata import CHECK
from zio_pipeline.stages.faces import publish_faces
from zio_pipeline.stages.hours import hours_year
from zio_pipeline.stages.lawfulness import Draw, publish_lawfulness
from zio_pipeline.stages.standing import accepted_rows
from zio_pipeline.stages.wlz_hours import publish_wlz_hours

YEAR, AS_OF = "2025-2026", date(2026, 8, 15)
LEIJPARK, DE_BODDE = "LP-SIZA-2025", "BO-AMARANT-2025"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def own(settled_year: SettledYear, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A settled home of one's own."""
    folder = tmp_path_factory.mktemp("lawfulness") / "home"
    shutil.copytree(settled_year.folder, folder)
    return Home.open(folder, {})


@pytest.fixture
def home(own: Home) -> Iterator[Home]:
    """The same, and nothing is audited."""
    with quick():
        yield own


@pytest.fixture
def audited(small_whole_year: SettledYear, tmp_path: Path) -> Home:
    """A small settled home of which none of these tables was published before."""
    shutil.copytree(small_whole_year.folder, tmp_path / "home")
    return Home.open(tmp_path / "home", {})


@pytest.fixture(scope="module")
def accepted(own: Home) -> Rows:
    """Every accepted line with its minutes, as a plain list."""
    return list(_accepted(own))


@cache
def _accepted(home: Home) -> tuple[dict[str, Any], ...]:
    rows = [
        row | {"file_label": entry.label}
        for entry in home.warehouse.active("provider_timesheets", YEAR)
        for row in accepted_rows(home, entry, "provider_timesheets")
    ]
    return tuple(row | {"minutes": _minutes(row)} for row in rows)


def _minutes(row: dict[str, Any]) -> int:
    stated = row["duration_minutes"] or row["stated_minutes"]
    return int(stated or row["end_minute"] - row["begin_minute"] - (row["pause_minutes"] or 0))


def orders_of(home: Home) -> dict[tuple[str, str], str]:
    return {c.key: c.order_id for c in hours_year(home, YEAR).setup.classes}


# --- lawfulness -----------------------------------------------------------------------------------------------------------


def test_coverage_is_what_a_recount_gives(home: Home, accepted: Rows):
    made, scope = publish_lawfulness(home, YEAR, AS_OF), {"school_year": YEAR, "version": 1}
    orders = orders_of(home)
    minutes = Counter[tuple[str, str, bool]]()
    for row in accepted:
        order = orders.get((row["school"], row["class_code"]))
        if order and row["activity"] == "direct":
            approved = row["approved_on"] is not None and row["work_date"] <= row["approved_on"] <= AS_OF
            minutes[order, row["function"], approved] += row["minutes"]
    setup = hours_year(home, YEAR).setup
    declared, claimed = Counter[str](), Counter[str]()
    for term in home.warehouse.rows("terms", **scope):
        declared[term["order_id"]] += term["amount_cents"] if term["payer_kind"] != "pgb_holders" else 0
    for row in home.warehouse.rows("claim_control", **scope):
        claimed[row["order_id"]] += row["claimed_cents"]
    for row in made.orders:
        order = setup.order(row["order_id"])
        care, guidance = (minutes[order.order_id, function, True] for function in ("care", "guidance"))
        assert (row["approved_minutes"], row["approved_care_minutes"]) == (care + guidance, care)
        assert row["provisional_minutes"] == sum(minutes[order.order_id, f, False] for f in ("care", "guidance"))
        assert row["declared_cents"] == row["to_prove_cents"] == declared[order.order_id]
        assert row["claimed_cents"] == claimed[order.order_id]
        granted = [c for c in setup.classes if c.order_id == order.order_id]
        assert row["granted_minutes"] == row["planned_minutes"] == sum(granted_minutes(setup, c) for c in granted)
        tariffs = order.care_tariff_cents or order.tariff_cents, order.tariff_cents
        worth = care * tariffs[0] + guidance * tariffs[1]
        hours = [setup.hours_of(c) for c in granted]
        whole = sum(h.care_hundredths * tariffs[0] + h.guidance_hundredths * tariffs[1] for h in hours) * 6 // 10
        assert abs(row["covered_cents"] * whole - worth * declared[order.order_id]) <= whole, "to the cent"
        assert row["uncovered_cents"] == max(0, row["declared_cents"] - row["covered_cents"])
        assert row["ungranted_minutes"] == 0
    assert {row["order_id"] for row in made.orders} == {LEIJPARK, DE_BODDE}
    assert sum(row["serious_minutes"] for row in made.orders) > 0, "faults that were planted"


def test_in_december_only_the_months_whose_timesheets_are_due_count(home: Home, accepted: Rows):
    made = publish_lawfulness(home, YEAR, date(2025, 12, 15), Draw("winter"))
    rows = {row["order_id"]: row for row in made.orders}
    assert {row["through"] for row in rows.values()} == {date(2025, 11, 30)}
    terms = home.warehouse.rows("monthly_declarations", school_year=YEAR, version=1)
    for order_id, row in rows.items():
        due = [t for t in terms if t["order_id"] == order_id and t["month"] <= "2025-11"]
        assert row["declared_cents"] == sum(t["amount_cents"] for t in due)
    assert all(row["work_date"] <= date(2025, 11, 30) for row in made.sample)


def test_the_sample_stands_in_the_files_and_is_drawn_again_the_same(home: Home, accepted: Rows):
    first = publish_lawfulness(home, YEAR, AS_OF, Draw("accountant 2026", 10))
    assert Counter(row["order_id"] for row in first.sample) == {LEIJPARK: 10, DE_BODDE: 10}
    by_ref = {row["row_ref"]: row for row in accepted}
    for row in first.sample:
        line = by_ref[row["row_ref"]]
        names = ("file_label", "work_date", "school", "class_code", "activity", "function", "minutes", "approved_on")
        assert {name: row[name] for name in names} == {name: line[name] for name in names}
    again = publish_lawfulness(home, YEAR, AS_OF, Draw("accountant 2026", 10))
    assert (again.sample, again.path, again.written) == (first.sample, first.path, False)
    other = publish_lawfulness(home, YEAR, AS_OF, Draw("iets anders", 10))
    assert {r["row_ref"] for r in other.sample}.isdisjoint(r["row_ref"] for r in first.sample)


def test_the_dossier_and_the_tables_name_nobody(home: Home, accepted: Rows):
    path = publish_lawfulness(home, YEAR, AS_OF, Draw("namen")).path
    assert path is not None
    assert path.parent == home.outbox / YEAR / "vertrouwelijk"
    publish_faces(home, YEAR)
    book = openpyxl.load_workbook(path)
    text = " ".join(str(cell) for page in book for row in page.iter_rows(values_only=True) for cell in row)
    for name in ("lawfulness", "lawfulness_sample", "fixed_faces"):
        text += str(home.warehouse.rows(name, school_year=YEAR))
    people = {row["employee"] for row in accepted}
    pupils = {
        row["pupil"]
        for entry in home.warehouse.active("pupil_registrations", YEAR)
        for row in accepted_rows(home, entry, "pupil_registrations")
    }
    assert len(people) > 50
    assert not [name for name in people | pupils if name in text]


def test_nothing_is_lawful_before_the_year_is_established(tmp_path: Path):
    empty = Home.open(tmp_path, {})
    for publish in (
        lambda: publish_lawfulness(empty, YEAR, AS_OF),
        lambda: publish_faces(empty, YEAR),
        lambda: publish_wlz_hours(empty, YEAR, date(2026, 7, 31), "2025-10"),
    ):
        with pytest.raises(EstablishmentBlocked, match="nog niet vastgesteld"):
            publish()


# --- faces ----------------------------------------------------------------------------------------------------------------


def test_faces_are_what_a_recount_gives(home: Home, accepted: Rows):
    rows = publish_faces(home, YEAR)
    orders, seen = orders_of(home), defaultdict[tuple[str, str, str], Counter[str]](Counter)
    per_day = defaultdict[tuple[str, str, str], dict[date, set[str]]](lambda: defaultdict(set))
    for line in accepted:
        school, code, day = line["school"], line["class_code"], line["work_date"]
        if (school, code) in orders and line["activity"] == "direct":
            seen[school, code, f"{day:%Y-%m}"][line["employee"]] += line["minutes"]
            per_day[school, code, f"{day:%Y-%m}"][day].add(line["employee"])
    assert len(rows) == len(seen) > 300
    before = defaultdict[tuple[str, str], set[str]](set)
    for row in sorted(rows, key=lambda r: r["month"]):
        key = row["school"], row["class_code"]
        minutes = seen[*key, row["month"]]
        days = [len(who) for who in per_day[*key, row["month"]].values()]
        assert row["employees"] == len(minutes)
        assert row["newcomers"] == len(minutes.keys() - before[key])
        assert (row["days"], row["most_per_day"]) == (len(days), max(days))
        assert row["average_per_day_hundredths"] == (200 * sum(days) + len(days)) // (2 * len(days))
        top = sum(count for _, count in minutes.most_common(3))
        assert row["top_three_permille"] == (2000 * top + minutes.total()) // (2 * minutes.total())
        before[key] |= minutes.keys()
        assert row["employees_so_far"] == len(before[key])


# --- command and assets ---------------------------------------------------------------------------------------------------


def run(home: Home, *arguments: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()

    def add(name: str, work: Any, help_text: str, *, year: bool = True) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=help_text)
        sub.set_defaults(command=work, home=home.folder)
        sub.add_argument("--school-year", required=year)
        return sub

    command.add_to(add)
    args = parser.parse_args([arguments[0], "--school-year", YEAR, *arguments[1:]])
    out = io.StringIO()
    status = args.command(args, Console(file=out, width=600))
    return status, out.getvalue()


def test_the_commands_say_what_it_comes_to(home: Home):
    status, shown = run(home, "lawfulness", "--as-of", "2026-08-15", "--seed", "a", "--sample", "5")
    rows = {row["order_id"]: row for row in home.warehouse.rows("lawfulness", school_year=YEAR)}
    assert all(f"{order_id}: {row['conclusion']}" in shown for order_id, row in rows.items())
    assert status == int(any(row["status"] == "not_covered" for row in rows.values()))
    assert "10 regels in dossier" in shown
    assert "Vaste gezichten 2025-2026" in run(home, "faces")[1]
    shown = run(home, "wlz-hours", "--as-of", "2026-08-15", "--month", "2026-02")[1]
    assert "5527" in shown
    assert "niet gemeten" in shown


def test_what_names_lines_or_counts_people_leaves_in_the_confidential_folder_only(home: Home):
    run(home, "lawfulness", "--as-of", "2026-08-15", "--seed", "a")
    run(home, "faces")
    run(home, "wlz-hours", "--as-of", "2026-08-15", "--month", "2026-02")
    folder = home.outbox / YEAR
    assert (folder / "lawfulness.csv").exists()
    for name in ("lawfulness_sample", "wlz_hours"):
        assert (folder / "vertrouwelijk" / f"{name}.csv").exists()
        assert not (folder / f"{name}.csv").exists()
    assert "employees" not in (folder / "fixed_faces.csv").read_text("utf-8-sig")
    assert "employees" in (folder / "vertrouwelijk" / "fixed_faces.csv").read_text("utf-8-sig")


@pytest.mark.parametrize(("asset", "key"), [(lawfulness, YEAR), (fixed_faces, YEAR), (wlz_hours, "2025-10")])
def test_the_assets_publish_with_their_checks(audited: Home, asset: dg.AssetsDefinition, key: str):
    result = dg.materialize(
        [asset],
        partition_key=key,
        resources={"home": HomeResource(folder=str(audited.folder)), "clock": ClockResource(fixed="2026-08-15")},
    )
    assert result.success
    checks = result.get_asset_check_evaluations()
    assert {check.asset_key for check in checks} == asset.keys
    assert all(check.passed for check in checks if check.check_name == CHECK)
