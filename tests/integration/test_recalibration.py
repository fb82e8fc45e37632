"""The proposal of hours over the demo year: recounted from the timesheets, added up by the budget, published and shown."""

import argparse
import io
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from rich.console import Console

from assets.recalibration import recalibration_and_effect
from resources.dagster_home import ClockResource, HomeResource
from resources.home import Home
from tests.integration.conftest import SCHOOL_YEAR, SettledYear
from tests.region import quick
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.cli import recalibration as command
from zio_pipeline.cli.commands import export
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.hours.recalibration import proposals
from zio_pipeline.hours.recalibration_effect import proposed_setup
from zio_pipeline.hours.signals import line_signals
from zio_pipeline.money import format_euro
from zio_pipeline.open_days import open_days
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.stages.hours import hours_year, read_lines
from zio_pipeline.stages.recalibration import RECALIBRATION_TABLES, publish_recalibration
from zio_pipeline.stages.standing import accepted_rows
from zio_pipeline.stages.year import current_setup

Rows = list[dict[str, Any]]
AS_OF = date(2026, 8, 31)
AGREED = "BO-AMARANT-2025"
"""Its amount was agreed; the other order is hours times tariff."""
KINDS = ("class_weeks", *(f"{kind}_class_weeks" for kind in ("unapproved", "doubtful", "indirect", "missing")))


@pytest.fixture(scope="module")
def home(settled_year: SettledYear, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The settled demo year to write in."""
    folder = tmp_path_factory.mktemp("recalibration") / "home"
    shutil.copytree(settled_year.folder, folder)
    return Home.open(folder, {})


@pytest.fixture(scope="module")
def tables(home: Home) -> Mapping[str, Rows]:
    """Published; that the tables pass their audit is shown where the asset publishes them."""
    with quick():
        return publish_recalibration(home, SCHOOL_YEAR, AS_OF)


def test_every_doelgroep_has_a_proposal_and_every_class_with_its_own_hours(home: Home, tables: Mapping[str, Rows]):
    setup, rows = current_setup(home, SCHOOL_YEAR), tables["recalibration"]
    own = [(c.order_id, c.doelgroep, c.class_code) for c in setup.classes if c.hours_per_week_hundredths is not None]
    groups = [(d.order_id, d.doelgroep, "*") for d in setup.doelgroepen]
    assert sorted((r["order_id"], r["doelgroep"], r["class_code"]) for r in rows) == sorted(groups + own)
    assert sum(row["classes"] for row in rows) == len(setup.classes)
    assert own
    for row in rows:
        assert sum(row[name] for name in KINDS) == row["open_class_weeks"]
        assert row["coming_class_weeks"] == 0
        if row["certainty"] != "measured":
            assert row["proposed_hours_hundredths"] == row["granted_hours_hundredths"]
    assert {row["certainty"] for row in rows} >= {"measured", "not_granted"}


def test_the_demo_delivers_about_what_was_granted(tables: Mapping[str, Rows]):
    """Drawn at 0,92 to 1,04 of what was granted (fictief); weeks without a statement are missing."""
    large = [row for row in tables["recalibration"] if row["class_weeks"] >= 100]
    assert len(large) > 5
    for row in large:
        ratio = Fraction(row["measured_hours_hundredths"], row["granted_hours_hundredths"])
        assert Fraction(92, 100) < ratio < Fraction(104, 100), row


def test_the_measured_hours_are_those_of_the_timesheets(home: Home, tables: Mapping[str, Rows]):
    """The mean of every doelgroep once more, out of the accepted rows, in plain Python and by the calendar of the demo."""
    setup = current_setup(home, SCHOOL_YEAR)
    measured = _recount(home, setup)
    for row in tables["recalibration"]:
        group = (row["order_id"], row["doelgroep"], row["class_code"])
        weeks = measured.get(group, [])
        assert row["class_weeks"] == len(weeks), group
        if weeks:
            mean = Fraction(100 * sum(minutes for minutes, _ in weeks), 60 * sum(stands for _, stands in weeks))
            assert abs(row["measured_hours_hundredths"] - mean) <= Fraction(1, 2), group


def _recount(home: Home, setup: SchoolYearSetup) -> dict[tuple[str, str, str], list[tuple[int, Fraction]]]:
    """Per group the minutes of its measured class-weeks with the contract weeks each stands for."""
    doubtful = _doubtful(home)
    entries = home.warehouse.active("provider_timesheets", SCHOOL_YEAR)
    rows = [row for entry in entries for row in accepted_rows(home, entry, "provider_timesheets")]
    months = {(row["school"], row["work_date"].strftime("%Y-%m")) for row in rows}
    of_week: dict[tuple[str, str, Any], Rows] = defaultdict(list)
    for row in rows:
        of_week[row["school"], row["class_code"], row["work_date"].isocalendar()[:2]].append(row)
    found: dict[tuple[str, str, str], list[tuple[int, Fraction]]] = defaultdict(list)
    for c in setup.classes:
        days = open_days(setup.settings, setup.sheets["calendar"], c.school).days
        contract = setup.order(c.order_id).weeks if c.weeks is None else c.weeks
        for week, count in Counter(day.isocalendar()[:2] for day in days).items():
            lines = of_week[c.school, c.class_code, week]
            stated = all((c.school, d.strftime("%Y-%m")) in months for d in days if d.isocalendar()[:2] == week)
            direct = [row for row in lines if row["activity"] == "direct"]
            signed = direct and all(row["approved_on"] for row in direct)
            if stated and signed and (*c.key, f"{week[0]}-W{week[1]:02d}") not in doubtful:
                own = "*" if c.hours_per_week_hundredths is None else c.class_code
                minutes = sum(_minutes(row) for row in direct)
                found[c.order_id, c.doelgroep, own].append((minutes, Fraction(count * contract, len(days))))
    return found


def _doubtful(home: Home) -> set[tuple[str, str, str]]:
    """The class-weeks with a serious signal about their lines."""
    year = hours_year(home, SCHOOL_YEAR)
    kinds = {"duplicate_line", "over_twelve_hours", "two_classes_at_once"}
    found = set()
    for month in SchoolYear.parse(SCHOOL_YEAR).months():
        with read_lines(home, SCHOOL_YEAR, month, year) as connection:
            signals = line_signals(connection, year.open_days, SCHOOL_YEAR, month)
        found |= {(s["school"], s["class_code"], s["week"]) for s in signals if s["kind"] in kinds}
    assert found
    return found


def _minutes(row: Mapping[str, Any]) -> int:
    given: int | None = row["duration_minutes"] or row["stated_minutes"]
    return given or row["end_minute"] - row["begin_minute"] - (row["pause_minutes"] or 0)


def test_the_euros_are_the_output_of_the_budget(home: Home, tables: Mapping[str, Rows]):
    """Of the established year with the proposed hours of the table written into it."""
    setup, rows = current_setup(home, SCHOOL_YEAR), tables["recalibration_effect"]
    hours = {(r["order_id"], r["doelgroep"], r["class_code"]): r for r in tables["recalibration"]}
    found = [
        replace(
            p,
            hundredths=hours[p.granted.key]["proposed_hours_hundredths"],
            care_hundredths=hours[p.granted.key]["proposed_care_hours_hundredths"],
        )
        for p in proposals(setup, [])
    ]
    budgets = doelgroep_budgets(proposed_setup(setup, found))
    for order in setup.orders:
        proposed = sum(row["proposed_cents"] for row in rows if row["order_id"] == order.order_id)
        assert proposed == sum(b.budget_cents for b in budgets if b.order_id == order.order_id)
    signed = home.warehouse.rows("municipal_shares", school_year=SCHOOL_YEAR, version=1)
    assert {(r["order_id"], r["stream"], r["payer"]): r["established_cents"] for r in rows} == {
        (r["order_id"], r["stream"], r["payer"]): r["amount_cents"] for r in signed
    }
    assert any(row["difference_cents"] for row in rows)


def test_on_which_basis_the_effect_was_computed(home: Home, tables: Mapping[str, Rows]):
    basis = {row["order_id"]: row["basis"] for row in tables["recalibration_effect"]}
    assert sorted(basis.values()) == ["computed", "computed_not_agreed"]
    assert basis[AGREED] == "computed_not_agreed"
    left: Counter[str] = Counter()
    for row in tables["recalibration_effect"]:
        left[row["order_id"]] += row["agreement_difference_cents"]
    order = current_setup(home, SCHOOL_YEAR).order(AGREED)
    computed = sum(
        row["computed_cents"]
        for row in home.warehouse.rows("doelgroep_budgets", school_year=SCHOOL_YEAR, version=1)
        if row["order_id"] == AGREED
    )
    assert order.stated_amount_cents is not None
    assert left == {AGREED: computed - order.stated_amount_cents, **{o: 0 for o in left if o != AGREED}}


def test_what_is_published_is_what_was_computed_and_leaves_by_the_right_door(home: Home, tables: Mapping[str, Rows]):
    for name in RECALIBRATION_TABLES:
        assert len(home.warehouse.rows(name, school_year=SCHOOL_YEAR)) == len(tables[name])
    assert publish_recalibration(home, SCHOOL_YEAR, AS_OF) == tables
    export(home, SCHOOL_YEAR)
    folder = home.outbox / SCHOOL_YEAR
    assert (folder / "vertrouwelijk" / "recalibration_effect.csv").exists()
    assert not (folder / "recalibration_effect.csv").exists(), "a difference tells how many pupils a payer has"


def test_the_asset_publishes_both_tables(settled_year: SettledYear, tmp_path: Path, tables: Mapping[str, Rows]):
    home = Home.open(shutil.copytree(settled_year.folder, tmp_path / "home"), {})
    resource = HomeResource(folder=str(home.folder))
    resources = {"home": resource, "clock": ClockResource(fixed=AS_OF.isoformat())}
    result = dg.materialize([recalibration_and_effect], partition_key=SCHOOL_YEAR, resources=resources)
    assert result.success
    checks = {
        (one.asset_key.to_user_string(), one.check_name): one.passed for one in result.get_asset_check_evaluations()
    }
    assert checks == {
        **{(name, "contract"): True for name in RECALIBRATION_TABLES},
        ("recalibration_effect", "euros_berekend"): True,
    }
    made = result.asset_materializations_for_node("recalibration_and_effect")
    rows = {one.asset_key.to_user_string(): one.metadata["dagster/row_count"].value for one in made}
    assert rows == {name: len(tables[name]) for name in RECALIBRATION_TABLES}


def test_the_command_shows_hours_reasons_and_euros(home: Home, tables: Mapping[str, Rows]):
    text = io.StringIO()
    arguments = argparse.Namespace(home=home.folder, school_year=SCHOOL_YEAR, as_of=AS_OF)
    assert command.propose(arguments, Console(file=text, width=500, highlight=False)) == 0
    shown = text.getvalue()
    for row in tables["recalibration"]:
        assert row["explanation"] in shown.replace("\n", " ")
    total = format_euro(sum(row["proposed_cents"] for row in tables["recalibration_effect"]))
    assert total in shown.splitlines()[next(n for n, s in enumerate(shown.splitlines()) if "totaal" in s)]


def test_an_order_whose_euros_are_not_known_is_told_and_left_out_of_the_table():
    names = (
        "established_cents",
        "proposed_cents",
        "difference_cents",
        "agreement_difference_cents",
        "hours_difference_cents",
    )
    known = dict.fromkeys(names, 0) | {"order_id": "A", "payer": "0855", "basis": "computed", "explanation": "Gewoon."}
    known |= {"established_cents": 100_00, "proposed_cents": 90_00, "difference_cents": -10_00}
    unknown = dict.fromkeys(names) | {
        "order_id": "B",
        "payer": "0855",
        "basis": "not_computed",
        "explanation": "Bijdragen.",
    }
    unknown["established_cents"] = 7_777_00
    text = io.StringIO()
    command.show_effect(Console(file=text, width=200, highlight=False), [known, unknown])
    shown = text.getvalue()
    assert "100,00" in shown
    assert "7.777,00" not in shown
    assert "B: staat niet in deze tabel. Bijdragen." in shown


def test_a_year_that_is_not_established_has_nothing_to_lay_beside(tmp_path: Path):
    with pytest.raises(EstablishmentBlocked, match="nog niet vastgesteld"):
        publish_recalibration(Home.open(tmp_path / "home", {}), SCHOOL_YEAR, AS_OF)
