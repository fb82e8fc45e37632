"""Faces, the Wlz side and the lawfulness file over the demo year: recounted line by line, drawn again, and naming nobody."""

import argparse
import io
import shutil
from collections import Counter, defaultdict
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
from zio_pipeline.cli import lawfulness as command
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.hours.planning import granted_minutes
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.stages.faces import publish_faces
from zio_pipeline.stages.hours import hours_year
from zio_pipeline.stages.lawfulness import Draw, dossier_path, publish_lawfulness
from zio_pipeline.stages.standing import accepted_rows
from zio_pipeline.stages.wlz_hours import measured_absence, publish_wlz_hours

YEAR, AS_OF = "2025-2026", date(2026, 7, 31)
LEIJPARK, DE_BODDE = "LP-SIZA-2025", "BO-AMARANT-2025"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def home(settled_year: SettledYear, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A settled home of one's own."""
    folder = tmp_path_factory.mktemp("lawfulness") / "home"
    shutil.copytree(settled_year.folder, folder)
    return Home.open(folder, {})


@pytest.fixture(scope="module")
def accepted(home: Home) -> Rows:
    """Every accepted line with its minutes, as a plain list."""
    return list(_accepted(home))


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
    _, tables = publish_lawfulness(home, YEAR, AS_OF)
    orders = orders_of(home)
    minutes = Counter[tuple[str, str, bool]]()
    for row in accepted:
        order = orders.get((row["school"], row["class_code"]))
        if order and row["activity"] == "direct":
            minutes[order, row["function"], row["approved_on"] is not None] += row["minutes"]
    setup = hours_year(home, YEAR).setup
    declared = Counter[str]()
    for term in home.warehouse.rows("terms", school_year=YEAR, version=1):
        declared[term["order_id"]] += term["amount_cents"] if term["payer_kind"] != "pgb_holders" else 0
    for row in tables["lawfulness"]:
        order = setup.order(row["order_id"])
        care, guidance = (minutes[order.order_id, function, True] for function in ("care", "guidance"))
        assert (row["approved_minutes"], row["approved_care_minutes"]) == (care + guidance, care)
        assert row["provisional_minutes"] == sum(minutes[order.order_id, f, False] for f in ("care", "guidance"))
        assert row["declared_cents"] == declared[order.order_id]
        assert row["granted_minutes"] == sum(
            granted_minutes(setup, c) for c in setup.classes if c.order_id == order.order_id
        )
        worth = care * (order.care_tariff_cents or order.tariff_cents) + guidance * order.tariff_cents
        budget = sum(
            b["budget_cents"]
            for b in home.warehouse.rows("doelgroep_budgets", school_year=YEAR, version=1)
            if b["order_id"] == order.order_id
        )
        assert abs(row["covered_cents"] * 60 * budget - worth * declared[order.order_id]) <= 30 * budget
        assert row["uncovered_cents"] == max(0, row["declared_cents"] - row["covered_cents"])
    assert {row["order_id"] for row in tables["lawfulness"]} == {LEIJPARK, DE_BODDE}


def test_in_december_only_the_months_that_are_over_count(home: Home, accepted: Rows):
    _, tables = publish_lawfulness(home, YEAR, date(2025, 12, 15))
    rows = {row["order_id"]: row for row in tables["lawfulness"]}
    assert {row["through"] for row in rows.values()} == {date(2025, 11, 30)}
    terms = home.warehouse.rows("monthly_declarations", school_year=YEAR, version=1)
    for order_id, row in rows.items():
        due = [t for t in terms if t["order_id"] == order_id and t["month"] <= "2025-11"]
        assert row["declared_cents"] == sum(t["amount_cents"] for t in due)
    assert all(row["work_date"] <= date(2025, 11, 30) for row in tables["lawfulness_sample"])
    publish_lawfulness(home, YEAR, AS_OF)


def test_the_sample_stands_in_the_files_and_is_drawn_again_the_same(home: Home, accepted: Rows):
    path, first = publish_lawfulness(home, YEAR, AS_OF, Draw("accountant 2026", 10))
    written = path.read_bytes()
    rows = first["lawfulness_sample"]
    assert Counter(row["order_id"] for row in rows) == {LEIJPARK: 10, DE_BODDE: 10}
    by_ref = {row["row_ref"]: row for row in accepted}
    for row in rows:
        line = by_ref[row["row_ref"]]
        names = ("file_label", "work_date", "school", "class_code", "activity", "function", "minutes", "approved_on")
        assert {name: row[name] for name in names} == {name: line[name] for name in names}
    again, second = publish_lawfulness(home, YEAR, AS_OF, Draw("accountant 2026", 10))
    assert (second, again.read_bytes()) == (first, written)
    _, other = publish_lawfulness(home, YEAR, AS_OF, Draw("iets anders", 10))
    assert {r["row_ref"] for r in other["lawfulness_sample"]} != {r["row_ref"] for r in rows}


def test_the_dossier_and_the_tables_name_nobody(home: Home, accepted: Rows):
    path, _ = publish_lawfulness(home, YEAR, AS_OF)
    assert path == home.outbox / YEAR / "vertrouwelijk" / f"rechtmatigheid-{YEAR}.xlsx"
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
        lambda: publish_wlz_hours(empty, YEAR, "2025-10"),
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


# --- the Wlz side ---------------------------------------------------------------------------------------------------------


def test_wlz_minutes_add_up_with_those_of_the_others(home: Home, accepted: Rows):
    """In every doelgroep the part of the zorgkantoren is, within a minute each, their pupils over those counted."""
    month = "2025-10"
    rows, orders = publish_wlz_hours(home, YEAR, month), orders_of(home)
    groups = {c.key: c.doelgroep for c in hours_year(home, YEAR).setup.classes}
    delivered = Counter[tuple[str, str]]()
    for line in accepted:
        key = line["school"], line["class_code"]
        if (
            key in orders
            and line["activity"] == "direct"
            and line["approved_on"]
            and f"{line['work_date']:%Y-%m}" == month
        ):
            delivered[orders[key], groups[key]] += line["minutes"]
    counted = Counter[tuple[str, str]]()
    for share in home.warehouse.rows("share_details", school_year=YEAR, version=1):
        counted[share["order_id"], share["doelgroep"]] += share["pupils"]
    assert rows
    for row in rows:
        group = row["order_id"], row["doelgroep"]
        assert abs(row["delivered_minutes"] * counted[group] - delivered[group] * row["pupils"]) < counted[group]
        assert row["volume_minutes"] == row["delivered_minutes"]


def test_planned_minutes_of_the_year_are_those_of_the_wlz_part_of_the_grant(home: Home):
    months = SchoolYear.parse(YEAR).months()
    rows = [row for month in months for row in publish_wlz_hours(home, YEAR, month)]
    setup = hours_year(home, YEAR).setup
    granted, counted = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for c in setup.classes:
        granted[c.order_id, c.doelgroep] += granted_minutes(setup, c)
    for share in home.warehouse.rows("share_details", school_year=YEAR, version=1):
        counted[share["order_id"], share["doelgroep"]] += share["pupils"]
    planned, pupils = Counter[tuple[str, str, str]](), {}
    for row in rows:
        planned[row["order_id"], row["doelgroep"], row["payer"]] += row["planned_minutes"]
        pupils[row["order_id"], row["doelgroep"], row["payer"]] = row["pupils"]
    for (order_id, doelgroep, payer), minutes in planned.items():
        whole, part = counted[order_id, doelgroep], pupils[order_id, doelgroep, payer]
        assert abs(minutes * whole - granted[order_id, doelgroep] * part) < whole * len(months), "a minute a month"


def test_absence_is_measured_where_and_when_it_was_delivered(home: Home):
    for month, measured in (("2025-09", True), ("2026-01", True), ("2026-02", False)):
        rows = publish_wlz_hours(home, YEAR, month)
        leijpark = [row["absent_paid_minutes"] for row in rows if row["order_id"] == LEIJPARK]
        assert (None not in leijpark) == measured
        assert {row["absent_paid_minutes"] for row in rows if row["order_id"] == DE_BODDE} == {None}, "niet gemeten"
        assert all((row["absent_paid_minutes"] or 0) <= row["planned_minutes"] for row in rows)
    assert sum(row["absent_paid_minutes"] or 0 for row in publish_wlz_hours(home, YEAR, "2025-11")) > 0


def test_absent_days_are_those_that_were_planted(home: Home, settled_year: SettledYear):
    standing = home.warehouse.establishment(YEAR)
    assert standing is not None
    year, days = hours_year(home, YEAR), Counter[str]()
    for month in SchoolYear.parse(YEAR).months():
        for absent in measured_absence(home, standing, year, month).values():
            for (_, stream, payer), count in absent.pupil_days.items():
                days[payer] += count if stream == "wlz_zin" else 0
    counts = settled_year.demo.counts
    planted = {name.rpartition("_")[2]: n for name, n in counts.items() if name.startswith("absence_days_")}
    assert +days == planted


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
    status, shown = run(home, "lawfulness", "--as-of", "2026-07-31", "--seed", "a", "--sample", "5")
    rows = {row["order_id"]: row for row in home.warehouse.rows("lawfulness", school_year=YEAR)}
    assert all(f"{order_id}: {row['conclusion']}" in shown for order_id, row in rows.items())
    assert status == int(any(row["status"] == "not_covered" for row in rows.values()))
    assert f"Dossier met 10 regels steekproef: {dossier_path(home, YEAR)}" in shown
    assert "Vaste gezichten 2025-2026" in run(home, "faces")[1]
    shown = run(home, "wlz-hours", "--month", "2026-02")[1]
    assert "5527" in shown
    assert "niet gemeten" in shown


def test_what_names_lines_or_counts_people_leaves_in_the_confidential_folder_only(home: Home):
    run(home, "lawfulness", "--as-of", "2026-07-31")
    folder = home.outbox / YEAR
    assert (folder / "lawfulness.csv").exists()
    for name in ("lawfulness_sample", "wlz_hours"):
        assert (folder / "vertrouwelijk" / f"{name}.csv").exists()
        assert not (folder / f"{name}.csv").exists()
    assert "employees" not in (folder / "fixed_faces.csv").read_text("utf-8-sig")
    assert "employees" in (folder / "vertrouwelijk" / "fixed_faces.csv").read_text("utf-8-sig")


@pytest.mark.parametrize(("asset", "key"), [(lawfulness, YEAR), (fixed_faces, YEAR), (wlz_hours, "2025-10")])
def test_the_assets_publish_with_their_checks(home: Home, asset: dg.AssetsDefinition, key: str):
    result = dg.materialize(
        [asset],
        partition_key=key,
        resources={"home": HomeResource(folder=str(home.folder)), "clock": ClockResource(fixed="2026-07-31")},
    )
    assert result.success
    checks = result.get_asset_check_evaluations()
    assert {check.asset_key for check in checks} == asset.keys
    assert all(check.passed for check in checks)
