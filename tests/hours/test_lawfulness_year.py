"""A verdict that does not follow the calendar: a delivery exactly on plan, and one that is not, month by month through a year.

Terms run from September to June; the plan begins in August, stands still in holidays and ends in July.
"""

from datetime import date, timedelta
from fractions import Fraction
from functools import cache

import pytest

from tests.year_builder import Year
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.hours import lawfulness as rules
from zio_pipeline.hours.lawfulness import SHORT, Declared, Minutes, Worked, lawfulness_row
from zio_pipeline.hours.planning import plans
from zio_pipeline.open_days import open_days_or_region
from zio_pipeline.periods import last_day_of
from zio_pipeline.setup import SchoolYearSetup

YEARS = {"2025-2026": "18-08-2025", "2026-2027": "24-08-2026"}
GRACE = 10
BASES = {
    "computed": {},
    "agreed": {"amount_basis": "agreed", "stated_amount_cents": 30_000_00, "tolerance_cents": 3_000_00},
    "two tariffs": {"care_tariff_cents": 48_00},
}
"""An order of 460 hours at 60 euro, 27.600 euro; agreed on for 30.000; and with a third of it care, at 48 euro."""

ON_PLAN, NEARLY = {"on_plan", "covered"}, {"near_plan", "within_tolerance"}


@cache
def setup_of(key: str, basis: str) -> SchoolYearSetup:
    first = int(key[:4])
    year = Year(schooljaar=key, startdatum=YEARS[key], peildatum=f"01-07-{first}")
    year.sheets["orders"][0] |= BASES[basis]
    year.sheets["doelgroepen"][0]["care_hours_hundredths"] = 3_33 if basis == "two tariffs" else None
    year.school_class("EMB2", hours_per_week_hundredths=1_50)
    for row in (row for rows in year.sheets.values() for row in rows):
        row |= {name: date(first, 8, 1) for name in ("valid_from", "ground_from") if row.get(name)}
    year.pupils(4)
    return year.setup()


@cache
def verdicts(key: str, basis: str, part: Fraction) -> dict[date, str]:
    """Verdict by last day of the month, when this part of every month's plan was delivered and approved, in whole minutes."""
    setup = setup_of(key, basis)
    (order,), months = setup.orders, setup.settings.school_year.months()
    plan = list(plans(setup, {order.school: open_days_or_region(setup.settings, (), order.school)}))
    granted, amount = rules.granted(setup)["LP"], sum(budget.budget_cents for budget in doelgroep_budgets(setup))
    found: dict[date, str] = {}
    for at, month in enumerate(months):
        period = rules.period_of(setup.settings.school_year, last_day_of(month) + timedelta(GRACE + 1), GRACE)
        planned = rules.planned(setup, (one for one in plan if one.month <= month))["LP"]
        terms = min(max(0, at), 10)  # none in August and July
        declared = Declared(amount * terms // 10, amount, granted, planned)
        care = round(planned.care * part)
        done = Worked(approved=Minutes(care, int(planned.total * part) - care))
        found[period.through] = lawfulness_row(order, declared, done, period, rules.TOLERANCE_PERMILLE)["status"]
    return found


@pytest.mark.parametrize("key", YEARS)
@pytest.mark.parametrize("basis", BASES)
def test_who_delivers_what_was_planned_is_never_called_short(key: str, basis: str):
    found = verdicts(key, basis, Fraction(1))
    assert len(found) == 12
    allowed = ON_PLAN | NEARLY if basis == "two tariffs" else ON_PLAN  # a part of a minute of care is a few cents
    assert set(found.values()) <= allowed
    *in_course, at_the_end = found.values()
    assert not {*in_course} & {*rules.AT_THE_END}, "before the last month nothing is called covered or not covered"
    assert at_the_end in rules.AT_THE_END


@pytest.mark.parametrize("key", YEARS)
@pytest.mark.parametrize("basis", BASES)
def test_who_delivers_two_thirds_is_never_called_covered(key: str, basis: str):
    """Also in September, when two months of care stand beside one term."""
    found = verdicts(key, basis, Fraction(65, 100))
    assert set(found.values()) == SHORT
    assert [status for status in found.values() if status == "not_covered"] == [found[max(found)]]


@pytest.mark.parametrize(
    ("key", "month", "terms", "part"), [("2025-2026", "2025-09", 1, 65), ("2026-2027", "2027-02", 6, 100)]
)
def test_beside_the_terms_alone_the_calendar_would_decide(key: str, month: str, terms: int, part: int):
    """What the plan is for: through September 65 % of it covers the term, and through February all of it falls short of six."""
    setup = setup_of(key, "computed")
    (order,) = setup.orders
    days = {order.school: open_days_or_region(setup.settings, (), order.school)}
    worth = sum(p.minutes for p in plans(setup, days) if p.month <= month) * 100 * part // 100
    declared = 2_760_00 * terms
    assert worth > declared if part < 100 else worth < declared * 98 // 100
