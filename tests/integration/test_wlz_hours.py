"""The Wlz side of the hours over the demo year: the same part as of the money, and absence where it was delivered."""

import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from resources.home import Home
from tests.integration.conftest import SCHOOL_YEAR, SettledYear
from tests.region import quick
from zio_pipeline.hours.wlz import FEWEST_PUPILS
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.stages.hours import hours_year
from zio_pipeline.stages.wlz_hours import publish_wlz_hours, pupil_absence

AS_OF = date(2026, 7, 31)
LEIJPARK, DE_BODDE = "LP-SIZA-2025", "BO-AMARANT-2025"
MONTHS = SchoolYear.parse(SCHOOL_YEAR).months()
Rows = list[dict[str, Any]]
Group = tuple[str, str]


@pytest.fixture(scope="module")
def home(settled_year: SettledYear, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The settled demo year to write in."""
    folder = tmp_path_factory.mktemp("wlz") / "home"
    shutil.copytree(settled_year.folder, folder)
    return Home.open(folder, {})


@pytest.fixture(scope="module")
def published(home: Home) -> dict[str, Rows]:
    """Every month; that the table passes its audit is shown where a month is published by its asset."""
    with quick():
        rows = publish_wlz_hours(home, SCHOOL_YEAR, AS_OF)
    return {month: [row for row in rows if row["month"] == month] for month in MONTHS}


def of_groups(rows: Iterable[dict[str, Any]], name: str) -> Counter[Group]:
    totals = Counter[Group]()
    for row in rows:
        if row["order_id"]:
            totals[row["order_id"], row["doelgroep"]] += row[name]
    return totals


def paid_by_pupils(home: Home) -> dict[Group, Fraction]:
    """Per doelgroep the part of its amount that one counted pupil bears, what is contributed taken off."""
    budgets, details = (
        home.warehouse.rows(name, school_year=SCHOOL_YEAR, version=1) for name in ("doelgroep_budgets", "share_details")
    )
    whole, carried = of_groups(budgets, "budget_cents"), of_groups(budgets, "contribution_cents")
    assert sum(carried.values()) > 0
    counted = of_groups(details, "pupils")
    return {group: Fraction(whole[group] - carried[group], whole[group] * counted[group]) for group in counted}


def test_every_month_the_part_of_a_zorgkantoor_is_that_of_its_pupils_in_the_money(
    home: Home, published: dict[str, Rows]
):
    """Within a minute for every stream, of what was planned and delivered of the doelgroep."""
    part = paid_by_pupils(home)
    for month in ("2025-10", "2026-02"):
        control = home.warehouse.rows("delivery_control", school_year=SCHOOL_YEAR, month=month)
        assert published[month]
        for name in ("planned_minutes", "delivered_minutes"):
            whole = of_groups(control, name)
            for row in published[month]:
                group = row["order_id"], row["doelgroep"]
                assert abs(row[name] - whole[group] * row["pupils"] * part[group]) < 2, (name, row)
        assert all(row["volume_minutes"] == row["delivered_minutes"] for row in published[month])


def test_the_hours_of_the_year_are_those_of_the_statement(home: Home, published: dict[str, Rows]):
    """What was planned in twelve months beside what the statement specifies, which follows the cents: a few minutes apart."""
    stated = Counter[tuple[str, str, str]]()
    for row in home.warehouse.rows("zorgkantoor_statement", school_year=SCHOOL_YEAR, version=1):
        stated[row["payer"], row["order_id"], row["doelgroep"]] += row["hours_hundredths"]
    planned = Counter[tuple[str, str, str]]()
    for rows in published.values():
        for row in rows:
            planned[row["payer"], row["order_id"], row["doelgroep"]] += row["planned_minutes"]
    assert planned.keys() == stated.keys()
    for place, minutes in planned.items():
        assert abs(minutes - Fraction(stated[place] * 60, 100)) < 2 * len(MONTHS), place


def test_absence_is_measured_where_and_when_it_was_delivered(published: dict[str, Rows]):
    """Leijpark delivered it through January; a figure stands only where five pupils are behind it."""
    for month, delivered in (("2025-09", True), ("2026-01", True), ("2026-02", False)):
        for row in published[month]:
            enough = "measured" if row["pupils"] >= FEWEST_PUPILS else "too_few_pupils"
            expected = enough if delivered and row["order_id"] == LEIJPARK else "not_measured"
            assert row["absence_status"] == expected, row
            assert (row["absent_paid_minutes"] is not None) == (expected == "measured")
            assert (row["absent_paid_minutes"] or 0) <= row["planned_minutes"]
    found = published["2025-11"]
    assert {row["absence_status"] for row in found} == {"measured", "too_few_pupils", "not_measured"}
    assert sum(row["absent_paid_minutes"] or 0 for row in found) > 0


def test_absent_days_are_those_that_were_planted(home: Home, settled_year: SettledYear):
    standing = home.warehouse.establishment(SCHOOL_YEAR)
    assert standing is not None
    absence, days = pupil_absence(home, standing, hours_year(home, SCHOOL_YEAR)), Counter[str]()
    for month in MONTHS:
        for absent in absence.measured(month).values():
            for (_, stream, payer), count in absent.pupil_days.items():
                days[payer] += count if stream == "wlz_zin" else 0
    counts = settled_year.demo.counts
    planted = {name.rpartition("_")[2]: n for name, n in counts.items() if name.startswith("absence_days_")}
    assert +days == planted
