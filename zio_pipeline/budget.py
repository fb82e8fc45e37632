"""What a doelgroep costs in a school year: hours of its classes times the tariff, regardless of law (SPEC section 4).

Belongs here: K per order and doelgroep, computed or out of an agreed amount, and the contributions taken off it.
Does not belong here: pupils. Hours are granted per class, not per child (HvB report); nothing here knows a child.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from zio_pipeline.errors import SetupError
from zio_pipeline.money import format_euro, largest_remainder, round_half_up
from zio_pipeline.setup import Contribution, Doelgroep, Order, SchoolClass, SchoolYearSetup


@dataclass(frozen=True)
class DoelgroepBudget:
    """One doelgroep of one order. Amounts in cents, hours of the whole year in hundredths.

    `computed_cents` is hours times tariff, `budget_cents` is K, `amount_cents` is what is left after contributions.
    """

    order_id: str
    doelgroep: str
    classes: int
    granted_hours_hundredths: int
    computed_cents: int
    budget_cents: int
    contribution_cents: int

    @property
    def amount_cents(self) -> int:
        return self.budget_cents - self.contribution_cents


def doelgroep_budgets(setup: SchoolYearSetup) -> list[DoelgroepBudget]:
    """The budget of every doelgroep of every order, in order of order and doelgroep.

    Raises:
        SetupError: a stated amount differs from the sum (basis `computed`), an agreed amount is missing or lies outside
            its tolerance, or contributions exceed their order.
    """
    return [budget for order in setup.orders for budget in _order_budgets(order, setup)]


def _order_budgets(order: Order, setup: SchoolYearSetup) -> list[DoelgroepBudget]:
    groups = [d for d in setup.doelgroepen if d.order_id == order.order_id]
    exact = [_exact_cost(order, group, setup) for group in groups]
    computed = [round_half_up(cost, 100) for cost in exact]
    budgets = _agreed_or_computed(order, exact, computed)
    contributions = _contribution_parts(
        order, budgets, [c for c in setup.contributions if c.order_id == order.order_id]
    )
    return [
        DoelgroepBudget(
            order_id=order.order_id,
            doelgroep=group.doelgroep,
            classes=len(_classes(group, setup)),
            granted_hours_hundredths=sum(setup.hours_of(c).total_hundredths for c in _classes(group, setup)),
            computed_cents=computed[i],
            budget_cents=budgets[i],
            contribution_cents=contributions[i],
        )
        for i, group in enumerate(groups)
    ]


def _classes(group: Doelgroep, setup: SchoolYearSetup) -> list[SchoolClass]:
    return [c for c in setup.classes if (c.order_id, c.doelgroep) == (group.order_id, group.doelgroep)]


def _exact_cost(order: Order, group: Doelgroep, setup: SchoolYearSetup) -> int:
    """Hours times tariff in hundredths of a cent, exact; with two tariffs each function at its own."""
    care_tariff = order.tariff_cents if order.care_tariff_cents is None else order.care_tariff_cents
    hours = [setup.hours_of(c) for c in _classes(group, setup)]
    return sum(h.guidance_hundredths * order.tariff_cents + h.care_hundredths * care_tariff for h in hours)


def _agreed_or_computed(order: Order, exact: Sequence[int], computed: list[int]) -> list[int]:
    stated, total = order.stated_amount_cents, sum(computed)
    if order.amount_basis == "agreed":
        return _agreed(order, exact, total)
    if stated is not None and stated != total:
        raise SetupError(
            f"Opdracht {order.order_id}: het contractbedrag € {format_euro(stated)} is niet gelijk aan "
            f"uren maal tarief € {format_euro(total)}; verschil € {format_euro(stated - total)}."
        )
    return computed


def _agreed(order: Order, exact: Sequence[int], total: int) -> list[int]:
    """The stated amount leads: divided over the doelgroepen by hours times tariff, within its tolerance."""
    stated, tolerance = order.stated_amount_cents, order.tolerance_cents
    if stated is None or tolerance is None:
        raise SetupError(f"Opdracht {order.order_id}: bij een afgesproken bedrag horen het bedrag en de tolerantie.")
    off = abs(stated - total)
    if off > tolerance or not any(exact):
        raise SetupError(
            f"Opdracht {order.order_id}: het afgesproken bedrag € {format_euro(stated)} wijkt € {format_euro(off)} af "
            f"van uren maal tarief (€ {format_euro(total)}); de tolerantie is € {format_euro(tolerance)}."
        )
    return largest_remainder(stated, exact)


def _contribution_parts(order: Order, budgets: list[int], contributions: list[Contribution]) -> list[int]:
    """Part of each doelgroep carried by contributions: every contribution whole, no doelgroep below zero."""
    total = sum(c.amount_cents for c in contributions)
    if total > sum(budgets):
        raise SetupError(
            f"Opdracht {order.order_id}: de bijdragen (€ {format_euro(total)}) zijn hoger dan de opdracht."
        )
    return largest_remainder(total, budgets) if total else [0] * len(budgets)
