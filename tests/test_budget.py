"""What a doelgroep costs: hours of its classes times the tariff, to the cent, whoever sits in them (SPEC 4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.year_builder import BREDA, LEIJPARK, TILBURG, Year
from zio_pipeline.budget import DoelgroepBudget, doelgroep_budgets
from zio_pipeline.errors import SetupError


def year_of(*hours: int, order: dict[str, Any] | None = None, group: dict[str, Any] | None = None) -> Year:
    """An order of doelgroepen A, B, ..., each with one class of so many hundredths of an hour a week."""
    year = Year(empty=True)
    year.order("LP", **(order or {}))
    for name, granted in zip("ABCDEFGH", hours, strict=False):
        year.doelgroep("LP", name, granted, **(group or {}))
        year.school_class(f"{name}1", "LP", name)
    return year


def budgets(year: Year) -> list[DoelgroepBudget]:
    return doelgroep_budgets(year.setup())


def amounts(year: Year) -> list[int]:
    return [budget.budget_cents for budget in budgets(year)]


def problem(year: Year) -> str:
    with pytest.raises(SetupError) as stopped:
        budgets(year)
    return str(stopped.value)


def test_k_is_hours_of_the_classes_times_the_tariff() -> None:
    """Two classes x 10 hours x 40 weeks x 60,00 = 48.000,00; a third with 5 hours and 20 weeks adds 6.000,00."""
    year = year_of(10_00)
    year.school_class("A2", "LP", "A")
    assert amounts(year) == [48_000_00]
    year.school_class("A3", "LP", "A", hours_per_week_hundredths=5_00, weeks=20)
    (budget,) = budgets(year)
    assert (budget.budget_cents, budget.classes, budget.granted_hours_hundredths) == (54_000_00, 3, 900_00)


def test_hours_are_granted_per_class_not_per_child() -> None:
    """HvB report: growth of pupils does not raise hours."""
    year = year_of(10_00)
    before = amounts(year)
    year.pupils(12, "A1")
    assert amounts(year) == before


def test_two_tariffs_each_for_its_own_function() -> None:
    """40 weeks x (4 hours verzorging x 50,00 + 6 hours begeleiding x 70,00) = 24.800,00."""
    year = year_of(
        10_00, order={"tariff_cents": 70_00, "care_tariff_cents": 50_00}, group={"care_hours_hundredths": 4_00}
    )
    assert amounts(year) == [24_800_00]


def test_verzorging_without_a_tariff_of_its_own_costs_the_one_tariff() -> None:
    year = year_of(10_00, order={"tariff_cents": 70_00}, group={"care_hours_hundredths": 4_00})
    assert amounts(year) == [28_000_00]


def test_k_is_rounded_half_up_once() -> None:
    """One class of 0,01 hour at 0,50 is half a cent: one cent. Two of them are one cent, not two."""
    tiny = {"tariff_cents": 50, "weeks": 1}
    year = year_of(1, order=tiny)
    assert amounts(year) == [1]
    year.school_class("A2", "LP", "A")
    assert amounts(year) == [1]
    assert amounts(year_of(1, order={"tariff_cents": 49, "weeks": 1})) == [0]


def test_a_stated_amount_must_equal_the_sum() -> None:
    """SPEC 4, `computed`: or the run stops with the difference."""
    assert amounts(year_of(10_00, 5_00, order={"stated_amount_cents": 36_000_00})) == [24_000_00, 12_000_00]
    message = problem(year_of(10_00, 5_00, order={"stated_amount_cents": 36_000_01}))
    assert "€ 36.000,01 is niet gelijk aan uren maal tarief € 36.000,00; verschil € 0,01" in message


def test_an_agreed_amount_leads_and_is_divided_by_hours_times_tariff() -> None:
    """SPEC 4, `agreed`: 100,00 over three equal doelgroepen; the odd cent to the first of equals."""
    agreed = {"amount_basis": "agreed", "stated_amount_cents": 100_00, "tolerance_cents": 1_00, "weeks": 1}
    year = year_of(33_00, 33_00, 33_00, order=agreed | {"tariff_cents": 1_00})
    assert amounts(year) == [33_34, 33_33, 33_33]
    assert [budget.computed_cents for budget in budgets(year)] == [33_00] * 3


@pytest.mark.parametrize(
    ("stated", "stops"), [(24_100_00, False), (23_900_00, False), (24_100_01, True), (23_899_99, True)]
)
def test_an_agreed_amount_off_by_more_than_the_tolerance_stops(stated: int, stops: bool) -> None:
    agreed = {"amount_basis": "agreed", "stated_amount_cents": stated, "tolerance_cents": 100_00}
    if stops:
        assert "de tolerantie is € 100,00" in problem(year_of(10_00, order=agreed))
    else:
        assert amounts(year_of(10_00, order=agreed)) == [stated]


@pytest.mark.parametrize("missing", ["stated_amount_cents", "tolerance_cents"])
def test_an_agreed_amount_that_is_not_stated_never_falls_back_on_the_computed_one(missing: str) -> None:
    agreed = {"amount_basis": "agreed", "stated_amount_cents": 24_000_00, "tolerance_cents": 0} | {missing: None}
    assert "horen het bedrag en de tolerantie" in problem(year_of(10_00, order=agreed))


def test_an_agreed_amount_without_any_hours_stops() -> None:
    agreed = {"amount_basis": "agreed", "stated_amount_cents": 10_00, "tolerance_cents": 10_00}
    assert "wijkt € 10,00 af" in problem(year_of(0, order=agreed))


def test_a_doelgroep_without_hours_costs_nothing() -> None:
    """HvB report, also when the amount is agreed."""
    agreed = {"amount_basis": "agreed", "stated_amount_cents": 24_000_01, "tolerance_cents": 1}
    assert amounts(year_of(10_00, 0, order=agreed)) == [24_000_01, 0]


def test_contributions_come_off_k_first_by_largest_remainder() -> None:
    """1.000,01 off doelgroepen of 24.000,00 and 12.000,00: 666,67 and 333,34."""
    year = year_of(10_00, 5_00)
    year.contribution("LP", TILBURG, 600_00)
    year.contribution("LP", "SWV", 400_01)
    found = budgets(year)
    assert [budget.contribution_cents for budget in found] == [666_67, 333_34]
    assert [budget.amount_cents for budget in found] == [23_333_33, 11_666_66]
    assert [budget.budget_cents for budget in found] == [24_000_00, 12_000_00]


def test_contributions_may_carry_the_whole_order_and_no_more() -> None:
    year = year_of(10_00, 5_00)
    year.contribution("LP", BREDA, 36_000_00)
    assert [budget.amount_cents for budget in budgets(year)] == [0, 0]
    year.contribution("LP", TILBURG, 1)
    assert "de bijdragen (€ 36.000,01) zijn hoger dan de opdracht" in problem(year)


def test_every_order_has_budgets_of_its_own() -> None:
    """Two providers with different tariffs in one doelgroep, never averaged."""
    year = year_of(10_00)
    year.order("BO", tariff_cents=65_00)
    year.doelgroep("BO", "A")
    year.school_class("A9", "BO", "A", school=LEIJPARK)
    assert [(b.order_id, b.budget_cents) for b in budgets(year)] == [("BO", 26_000_00), ("LP", 24_000_00)]


@given(
    hours=st.lists(st.integers(1, 20_000), min_size=1, max_size=8),
    tariff=st.integers(1, 99_99),
    off=st.integers(-50, 50),
    contribution=st.integers(0, 100_000_00),
)
def test_an_agreed_amount_and_contributions_add_up_whatever_the_numbers(
    hours: list[int], tariff: int, off: int, contribution: int
) -> None:
    computed = sum(amounts(year_of(*hours, order={"tariff_cents": tariff})))
    stated = max(1, computed + off)
    agreed = {"amount_basis": "agreed", "stated_amount_cents": stated, "tolerance_cents": 50, "tariff_cents": tariff}
    year = year_of(*hours, order=agreed)
    if contribution:
        year.contribution("LP", TILBURG, min(contribution, stated))
    found = budgets(year)
    assert sum(budget.budget_cents for budget in found) == stated
    assert sum(budget.contribution_cents for budget in found) == min(contribution, stated)
    assert all(0 <= budget.contribution_cents <= budget.budget_cents for budget in found)


def weight_year(pupils: int, hours_per_pupil: int | None, **order: Any) -> Year:
    """Basis `leerlinggewicht`: one class of so many expected pupils, each so many hundredths of an hour a week."""
    year = Year(empty=True, bekostiging="leerlinggewicht")
    year.order("LP", **order)
    year.doelgroep("LP", "EMB", hours_per_pupil_hundredths=hours_per_pupil)
    year.school_class("EMB1", expected_pupils=pupils)
    return year


def test_by_pupil_weight_k_is_pupils_times_hours_times_weeks_times_tariff() -> None:
    """7 pupils x 2,50 hours x 40 weeks = 700 hours x 60,00 = 42.000,00; a class of 5 with 20 weeks adds 15.000,00."""
    year = weight_year(7, 2_50)
    (budget,) = budgets(year)
    assert (budget.budget_cents, budget.granted_hours_hundredths, budget.classes) == (42_000_00, 700_00, 1)
    year.school_class("EMB2", expected_pupils=5, weeks=20)
    (budget,) = budgets(year)
    assert (budget.budget_cents, budget.granted_hours_hundredths, budget.classes) == (57_000_00, 950_00, 2)


def test_by_pupil_weight_the_hours_per_class_play_no_part() -> None:
    year = weight_year(7, 2_50)
    before = amounts(year)
    year.sheets["doelgroepen"][0] |= {"need_hours_hundredths": 99_00, "granted_hours_hundredths": 99_00}
    assert amounts(year) == before


def test_by_class_the_hours_per_pupil_play_no_part() -> None:
    assert amounts(year_of(10_00, group={"hours_per_pupil_hundredths": 9_00})) == [24_000_00]


def test_by_pupil_weight_the_number_is_that_of_the_workbook_and_must_be_placed() -> None:
    """K stands before any child is known; SPEC 3 lets the year go on only when as many are placed."""
    year = weight_year(3, 1_00)
    year.pupils(2)
    assert amounts(year) == [3 * 40 * 60_00]
    assert [point.reason for point in year.outcome().worklist if point.decision_id is None] == ["class_size"]


def test_by_pupil_weight_a_class_without_care_costs_nothing_and_dilutes_nobody() -> None:
    """SPEC 3 rule 2, also here: 0 of its own hours."""
    year = weight_year(2, 1_00)
    year.school_class("VMBO", expected_pupils=1, hours_per_week_hundredths=0)
    year.pupils(2)
    year.pupil("v", "VMBO")
    assert amounts(year) == [2 * 40 * 60_00]
    assert {d.pupil: d.reason for d in year.outcome().decisions}["v"] == "no_hours"


def test_by_pupil_weight_what_is_missing_or_cannot_be_used_stops() -> None:
    """SPEC 2: no fall-through to the hours of the class, and no hours or tariff left out without a word."""
    assert "Doelgroep EMB van LP" in problem(weight_year(7, None))
    assert "'uren per leerling per week' nodig; in 2025-2026 ontbreekt zij" in problem(weight_year(7, None))
    assert "het tarief verzorging kan niet" in problem(weight_year(7, 2_50, care_tariff_cents=50_00))
    year = weight_year(7, 2_50)
    year.school_class("EMB2", expected_pupils=1, hours_per_week_hundredths=3_00)
    assert "Klas EMB2" in problem(year)


def test_zero_hours_per_pupil_is_a_value() -> None:
    assert amounts(weight_year(7, 0)) == [0]


def test_by_pupil_weight_a_stated_or_agreed_amount_works_as_by_class() -> None:
    assert "verschil € 0,01" in problem(weight_year(7, 2_50, stated_amount_cents=42_000_01))
    agreed = {"amount_basis": "agreed", "stated_amount_cents": 42_000_50, "tolerance_cents": 50}
    assert amounts(weight_year(7, 2_50, **agreed)) == [42_000_50]


@given(
    classes=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 53)), min_size=1, max_size=6),
    hours=st.integers(0, 40_00),
    tariff=st.integers(1, 150_00),
)
def test_by_pupil_weight_k_is_rounded_half_up_once(classes: list[tuple[int, int]], hours: int, tariff: int) -> None:
    """The exact product summed over the classes first; never a cent per class."""
    year = Year(empty=True, bekostiging="leerlinggewicht")
    year.order("LP", tariff_cents=tariff)
    year.doelgroep("LP", "EMB", hours_per_pupil_hundredths=hours)
    for number, (pupils, weeks) in enumerate(classes):
        year.school_class(f"K{number}", expected_pupils=pupils, weeks=weeks)
    exact = sum(pupils * weeks for pupils, weeks in classes) * hours * tariff
    assert amounts(year) == [(exact * 2 + 100) // 200]


@given(pupils=st.integers(1, 30), hours=st.integers(0, 6_00), tariff=st.integers(1, 99_99))
def test_both_bases_agree_when_the_class_gets_what_its_pupils_need(pupils: int, hours: int, tariff: int) -> None:
    """One interface: hours of a class times the tariff, wherever the hours come from."""
    by_class = year_of(pupils * hours, order={"tariff_cents": tariff})
    assert amounts(weight_year(pupils, hours, tariff_cents=tariff)) == amounts(by_class)
