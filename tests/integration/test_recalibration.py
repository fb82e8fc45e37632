"""The proposal of hours over the demo year: recounted from the timesheets, added up by the budget, published and shown."""

import argparse
import io
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from rich.console import Console

from assets.recalibration import recalibration_and_effect
from resources.dagster_home import HomeResource
from resources.home import Home
from tests.integration.conftest import SCHOOL_YEAR, SettledYear
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.cli import recalibration as command
from zio_pipeline.cli.commands import export
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.hours.recalibration import class_weeks, proposals
from zio_pipeline.hours.recalibration_effect import proposed_setup
from zio_pipeline.money import format_euro
from zio_pipeline.open_days import open_days
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.stages.hours import read_lines
from zio_pipeline.stages.recalibration import RECALIBRATION_TABLES, publish_recalibration
from zio_pipeline.stages.standing import accepted_rows
from zio_pipeline.stages.year import current_setup

Rows = list[dict[str, Any]]
AGREED = "BO-AMARANT-2025"
"""Its amount was agreed; the other order is hours times tariff."""


@pytest.fixture(scope="module")
def home(settled_year: SettledYear, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The settled demo year to write in."""
    folder = tmp_path_factory.mktemp("recalibration") / "home"
    shutil.copytree(settled_year.folder, folder)
    return Home.open(folder, {})


@pytest.fixture(scope="module")
def tables(home: Home) -> Mapping[str, Rows]:
    return publish_recalibration(home, SCHOOL_YEAR)


def test_every_doelgroep_has_a_proposal_and_every_class_with_its_own_hours(home: Home, tables: Mapping[str, Rows]):
    setup, rows = current_setup(home, SCHOOL_YEAR), tables["recalibration"]
    own = [(c.order_id, c.doelgroep, c.class_code) for c in setup.classes if c.hours_per_week_hundredths is not None]
    groups = [(d.order_id, d.doelgroep, "*") for d in setup.doelgroepen]
    assert sorted((r["order_id"], r["doelgroep"], r["class_code"]) for r in rows) == sorted(groups + own)
    assert sum(row["classes"] for row in rows) == len(setup.classes)
    assert own
    for row in rows:
        counted = row["class_weeks"] + row["unapproved_class_weeks"] + row["missing_class_weeks"]
        assert counted == row["open_class_weeks"]
        if row["certainty"] != "measured":
            assert row["proposed_hours_hundredths"] == row["granted_hours_hundredths"]
    assert {row["certainty"] for row in rows} >= {"measured", "not_granted"}


def test_the_demo_delivers_about_what_was_granted(tables: Mapping[str, Rows]):
    """Drawn at 0,92 to 1,04 of what was granted (fictief); weeks of August and July have no statement."""
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
            signed = any(row["approved_on"] for row in lines) and all(row["approved_on"] for row in direct)
            if stated and signed:
                own = "*" if c.hours_per_week_hundredths is None else c.class_code
                minutes = sum(_minutes(row) for row in direct)
                found[c.order_id, c.doelgroep, own].append((minutes, Fraction(count * contract, len(days))))
    return found


def _minutes(row: Mapping[str, Any]) -> int:
    given: int | None = row["duration_minutes"] or row["stated_minutes"]
    return given or row["end_minute"] - row["begin_minute"] - (row["pause_minutes"] or 0)


def test_the_euros_are_the_output_of_the_budget(home: Home, tables: Mapping[str, Rows]):
    setup, rows = current_setup(home, SCHOOL_YEAR), tables["recalibration_effect"]
    days = {o.school: open_days(setup.settings, setup.sheets["calendar"], o.school) for o in setup.orders}
    with read_lines(home, SCHOOL_YEAR) as connection:
        found = proposals(setup, class_weeks(connection, setup, days))
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
    assert publish_recalibration(home, SCHOOL_YEAR) == tables
    export(home, SCHOOL_YEAR)
    folder = home.outbox / SCHOOL_YEAR
    assert (folder / "vertrouwelijk" / "recalibration_effect.csv").exists()
    assert not (folder / "recalibration_effect.csv").exists(), "a difference tells how many pupils a payer has"


def test_the_asset_publishes_both_tables(home: Home, tables: Mapping[str, Rows]):
    resource = HomeResource(folder=str(home.folder))
    result = dg.materialize([recalibration_and_effect], partition_key=SCHOOL_YEAR, resources={"home": resource})
    assert result.success
    made = result.asset_materializations_for_node("recalibration_and_effect")
    rows = {one.asset_key.to_user_string(): one.metadata["dagster/row_count"].value for one in made}
    assert rows == {name: len(tables[name]) for name in RECALIBRATION_TABLES}


def test_the_command_shows_hours_reasons_and_euros(home: Home, tables: Mapping[str, Rows]):
    text = io.StringIO()
    arguments = argparse.Namespace(home=home.folder, school_year=SCHOOL_YEAR)
    assert command.propose(arguments, Console(file=text, width=500, highlight=False)) == 0
    shown = text.getvalue()
    for row in tables["recalibration"]:
        assert row["explanation"] in shown.replace("\n", " ")
    total = format_euro(sum(row["proposed_cents"] for row in tables["recalibration_effect"]))
    assert total in shown.splitlines()[next(n for n, s in enumerate(shown.splitlines()) if "totaal" in s)]


def test_a_year_that_is_not_established_has_nothing_to_lay_beside(tmp_path: Path):
    with pytest.raises(EstablishmentBlocked, match="nog niet vastgesteld"):
        publish_recalibration(Home.open(tmp_path / "home", {}), SCHOOL_YEAR)
