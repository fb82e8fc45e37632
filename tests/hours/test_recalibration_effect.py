"""What a proposal of hours would mean in euros per payer: by the code of the budget, and for any numbers (SPEC section 7)."""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hours.measured import FEW, MONDAYS, YEAR_END, base_of, cents, effect, line, proposed, three_classes
from tests.money.shapes import Shape
from tests.year_builder import BREDA, HEUSDEN, LEIJPARK, TILBURG, WAALWIJK, Year
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.errors import SetupError
from zio_pipeline.figures import YearFigures, compute_year
from zio_pipeline.hours.class_weeks import (
    COMING,
    DOUBTFUL,
    INDIRECT,
    MEASURED,
    MISSING,
    UNAPPROVED,
    ClassWeek,
)
from zio_pipeline.hours.recalibration import (
    RULES,
    Rules,
    deviation,
    proposals,
    recalibration_rows,
)
from zio_pipeline.hours.recalibration_effect import effect_rows, proposed_setup

# --- amounts that stand in the contract ---------------------------------------------------------------------------------


def test_an_agreed_amount_is_left_for_hours_times_tariff_and_said() -> None:
    """9.090,00 was agreed for what comes to 9.000,00: letting that go is 90,00 less, the hours another 225,00."""
    year, rows = three_classes()
    year.sheets["orders"][0] |= {"amount_basis": "agreed", "stated_amount_cents": 9_090_00, "tolerance_cents": 500_00}
    found = effect(year, proposed(year, rows))
    assert cents(found, "established_cents") == {TILBURG: 6_060_00, HEUSDEN: 3_030_00}
    assert cents(found, "proposed_cents") == {TILBURG: 5_850_00, HEUSDEN: 2_925_00}
    assert cents(found, "agreement_difference_cents") == {TILBURG: -60_00, HEUSDEN: -30_00}
    assert cents(found, "hours_difference_cents") == {TILBURG: -150_00, HEUSDEN: -75_00}
    assert {row["basis"] for row in found} == {"computed_not_agreed"}
    assert found[0]["explanation"] == (
        "Uren maal tarief: € 8.775,00 met de voorgestelde uren, € 9.000,00 met de toegekende. Het afgesproken bedrag "
        "€ 9.090,00 hoort alleen bij de toegekende uren; het loslaten daarvan (€ -90,00) staat apart."
    )


def test_an_agreed_amount_stays_where_no_hours_change() -> None:
    year, rows = three_classes()
    year.sheets["orders"][0] |= {"amount_basis": "agreed", "stated_amount_cents": 9_090_00, "tolerance_cents": 500_00}
    found = effect(year, proposed(year, rows, RULES))
    assert [(row["basis"], row["difference_cents"]) for row in found] == [("unchanged", 0)] * 2


def test_a_stated_amount_does_not_stop_the_proposal() -> None:
    year, rows = three_classes()
    year.sheets["orders"][0]["stated_amount_cents"] = 9_000_00
    assert sum(cents(effect(year, proposed(year, rows)), "proposed_cents").values()) == 8_775_00


def test_an_order_whose_contributions_would_exceed_it_is_left_out_and_said() -> None:
    """Of LP 8.900,00 is contributed, and the proposal makes it 8.775,00; BO has its effect all the same."""
    year, rows = three_classes()
    year.order("BO", weeks=5, tariff_cents=50_00)
    year.doelgroep("BO", "ZML", 10_00)
    year.school_class("ZML1", "BO", "ZML")
    year.pupil("breda", "ZML1", BREDA)
    year.contribution("LP", "SWV", 8_900_00)
    rows += [line("ZML1", monday, "8", employee="z") for monday in MONDAYS]
    found = proposed(year, rows, replace(FEW, fewest_class_weeks=5))
    assert [p.changes for p in found] == [True, True], "the hours are proposed whatever the euros"
    figures = year.figures()
    effects = effect_rows(figures.setup, found, figures.outcome, base_of(figures))
    other, left_out = ([row for row in effects if row["order_id"] == order_id] for order_id in ("BO", "LP"))
    assert [(r["established_cents"], r["proposed_cents"]) for r in other] == [(2_500_00, 2_000_00)]
    assert sum(row["established_cents"] for row in left_out) == 9_000_00
    names = ("proposed_cents", "difference_cents", "agreement_difference_cents", "hours_difference_cents")
    assert {row[name] for row in left_out for name in names} == {None}
    assert {(row["basis"], row["explanation"]) for row in left_out} == {
        (
            "not_computed",
            "Wat het voorstel zou schelen, is voor deze opdracht niet te berekenen. "
            "Opdracht LP: de bijdragen (€ 8.900,00) zijn hoger dan de opdracht.",
        )
    }


def test_beside_a_second_version_the_same_hours_move_no_cent() -> None:
    """100,03 over four: in version 2 Waalwijk kept a cent that it would not have got afresh (tests/test_versions.py)."""

    def four(*codes: str) -> Year:
        year = Year(empty=True)
        year.order("LP", weeks=1, tariff_cents=100_03)
        year.doelgroep("LP", "EMB", 1_00)
        year.school_class("EMB1")
        for n, code in enumerate(codes):
            year.pupil(f"p{n}", municipality=code)
        return year

    first = replace(base_of(four(HEUSDEN, HEUSDEN, TILBURG, WAALWIJK).figures()), reason="peildatum_error")
    year = four(BREDA, HEUSDEN, TILBURG, WAALWIJK)
    second = compute_year(replace(year.inputs(), base=first), 2)
    found = proposals(second.setup, [])
    rows = effect_rows(second.setup, found, second.outcome, base_of(second, 2))
    assert [(row["payer"], row["proposed_cents"]) for row in rows if row["payer"] == WAALWIJK] == [(WAALWIJK, 25_01)]
    assert not any(row["difference_cents"] for row in rows)


# --- whatever the numbers -----------------------------------------------------------------------------------------------

ANY = Rules(fewest_class_weeks=1, least_measured_permille=0, least_of_year_permille=0, widest_permille=10**6)
SMALL = [("LP", "02ZX00", "EMB1"), ("LP", "02ZX00", "MG1"), ("DB", "01FX00", "BOD1")]
STATES = (MEASURED, MEASURED, UNAPPROVED, DOUBTFUL, INDIRECT, MISSING, COMING)
WEEK = st.tuples(st.integers(1, 5), st.sampled_from(STATES), st.integers(0, 3000))


@cache
def region() -> YearFigures:
    """Two orders with three doelgroepen; one has a contribution, the other an agreed amount."""
    year = Shape().year()
    year.contribution("LP", "SWV", 333_33)
    year.sheets["orders"][1] |= {
        "amount_basis": "agreed",
        "stated_amount_cents": 18_412_34,
        "tolerance_cents": 100_00,
    }
    return year.figures()


@st.composite
def measured_weeks(draw: st.DrawFn) -> list[ClassWeek]:
    found = []
    for _, school, code in SMALL:
        for n, (days, state, minutes) in enumerate(draw(st.lists(WEEK, max_size=8))):
            found.append(ClassWeek(school, code, f"2025-W{n + 34}", days, state, minutes))
    return found


@settings(max_examples=60)
@given(measured_weeks())
def test_the_euros_add_up_to_what_the_budget_code_gives(weeks: list[ClassWeek]) -> None:
    """Per order, contributions among them; nobody comes or goes, and what was established is what was signed."""
    figures = region()
    found = proposals(figures.setup, weeks, ANY)
    rows = effect_rows(figures.setup, found, figures.outcome, base_of(figures))
    proposed = proposed_setup(figures.setup, found)
    for order in proposed.orders:
        mine = [row for row in rows if row["order_id"] == order.order_id]
        try:
            whole = sum(b.budget_cents for b in doelgroep_budgets(replace(proposed, orders=(order,))))
        except SetupError:  # the contribution is more than the order would be
            assert {(row["basis"], row["proposed_cents"]) for row in mine} == {("not_computed", None)}
        else:
            assert sum(row["proposed_cents"] for row in mine) == whole
    signed = {(r["order_id"], r["stream"], r["payer"]): r["amount_cents"] for r in figures.tables["municipal_shares"]}
    assert {(r["order_id"], r["stream"], r["payer"]): r["established_cents"] for r in rows} == signed
    still = {o.order_id for o in figures.setup.orders} - {p.granted.order_id for p in found if p.changes}
    assert not any(row["difference_cents"] for row in rows if row["order_id"] in still)
    agreed = [row["agreement_difference_cents"] for row in rows if row["order_id"] == "LP"]
    assert not any(agreed), "no agreed amount there"


@settings(max_examples=60)
@given(measured_weeks(), st.randoms(use_true_random=False))
def test_the_order_of_the_weeks_never_matters(weeks: list[ClassWeek], chance: Any) -> None:
    shuffled = list(weeks)
    chance.shuffle(shuffled)
    assert proposals(region().setup, shuffled, ANY) == proposals(region().setup, weeks, ANY)


@settings(max_examples=60)
@given(measured_weeks())
def test_proposing_what_was_granted_changes_nothing(weeks: list[ClassWeek]) -> None:
    """Whatever was measured: with the granted hours the setup is the established one, and no payer moves a cent."""
    figures = region()
    found = [
        replace(p, hundredths=p.granted.hundredths, care_hundredths=p.granted.care_hundredths)
        for p in proposals(figures.setup, weeks, ANY)
    ]
    assert proposed_setup(figures.setup, found) == figures.setup
    rows = effect_rows(figures.setup, found, figures.outcome, base_of(figures))
    assert rows
    assert not any(value for row in rows for name, value in row.items() if name.endswith("difference_cents"))


@given(measured_weeks())
def test_every_class_week_is_counted_once(weeks: list[ClassWeek]) -> None:
    setup = region().setup
    rows = recalibration_rows(setup, 1, YEAR_END, proposals(setup, weeks, ANY))
    kinds = ("class_weeks", *(f"{kind}_class_weeks" for kind in ("unapproved", "doubtful", "indirect", "missing")))
    for row in rows:
        assert sum(row[kind] for kind in kinds) == row["open_class_weeks"]
    assert sum(row["open_class_weeks"] + row["coming_class_weeks"] for row in rows) == len(weeks)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5000)), min_size=1, max_size=45))
def test_the_mean_times_the_contract_weeks_is_all_that_was_delivered(weeks: list[tuple[int, int]]) -> None:
    """When every week was measured: 40 contract weeks of the mean are the hours of the year, to the minute."""
    year = [ClassWeek(LEIJPARK, "EMB1", str(n), days, MEASURED, minutes) for n, (days, minutes) in enumerate(weeks)]
    mean = proposals(region().setup, year, ANY)[1].measurement.mean
    assert mean is not None
    assert mean * 40 == Fraction(sum(minutes for _, minutes in weeks) * 100, 60)


@given(st.fractions(min_value=0, max_value=10**9, max_denominator=10**4))
def test_the_deviation_is_the_root_rounded_half_up(variance: Fraction) -> None:
    half = Fraction(1, 2)
    root = deviation(variance)
    assert root == 0 or (root - half) ** 2 <= variance
    assert variance < (root + half) ** 2
