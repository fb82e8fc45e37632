"""What proposed hours would mean in euros: the budget of the established year once more, with only the hours replaced.

Belongs here: the established setup with the proposal in it, and every payer before and after. Does not belong here: the proposal
(`recalibration`), any rule of the budget: it runs `budget` and `shares` themselves, with the established pupils.

An order stands by itself: where the budget refuses the proposal of one (contributions above what the order would be), that order
has its established amounts, no others, and the reason; the rest is computed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.errors import SetupError
from zio_pipeline.hours.recalibration import PER_PUPIL, WITHOUT_OWN_HOURS, HoursProposal
from zio_pipeline.money import format_euro
from zio_pipeline.payer import PayerOutcome
from zio_pipeline.setup import Order, SchoolYearSetup
from zio_pipeline.shares import share_lines, split_over_payers
from zio_pipeline.versions import Base

NOT_COMPUTED = "not_computed"
"""Basis of an order of which the budget refuses the proposal."""
Row = dict[str, Any]
LineKey = tuple[str, str, str, str]
"""Order, stream, payer, payer kind."""


def proposed_setup(setup: SchoolYearSetup, found: Iterable[HoursProposal]) -> SchoolYearSetup:
    """The established year with the proposed hours in it, and nothing else changed.

    A stated or agreed amount belongs to the hours that were granted: an order whose hours change is hours times tariff.
    """
    changed = {p.granted.key: p for p in found if p.changes}
    made = _without_amounts(setup, {order_id for order_id, _, _ in changed})
    groups, classes = list(made.doelgroepen), list(made.classes)
    for n, d in enumerate(groups):
        p = changed.get((d.order_id, d.doelgroep, WITHOUT_OWN_HOURS))
        if p and p.granted.unit == PER_PUPIL:
            groups[n] = replace(d, hours_per_pupil_hundredths=p.hundredths)
        elif p:
            groups[n] = replace(d, granted_hours_hundredths=p.hundredths, care_hours_hundredths=p.care_hundredths)
    for n, c in enumerate(classes):
        p = changed.get((c.order_id, c.doelgroep, c.class_code))
        if p:
            classes[n] = replace(c, hours_per_week_hundredths=p.hundredths, care_hours_hundredths=p.care_hundredths)
    return replace(made, doelgroepen=tuple(groups), classes=tuple(classes))


def _without_amounts(setup: SchoolYearSetup, order_ids: Collection[str]) -> SchoolYearSetup:
    def freed(order: Order) -> Order:
        if order.order_id not in order_ids:
            return order
        return replace(order, amount_basis="computed", stated_amount_cents=None, tolerance_cents=None)

    return replace(setup, orders=tuple(freed(order) for order in setup.orders))


def effect_rows(setup: SchoolYearSetup, found: Sequence[HoursProposal], outcome: PayerOutcome, base: Base) -> list[Row]:
    """What the proposal would mean per order, stream and payer over the whole year: same pupils, same tariffs; changes nothing.

    Where an agreed amount is left for hours times tariff, what that alone does stands apart from what the hours do.

    Args:
        setup: of the version in force.
        found: its proposals.
        outcome: its payers.
        base: its signed tables; whose exact share the proposal leaves alone keeps its cents.

    Returns:
        Rows of `recalibration_effect`; the proposed cents of an order add up to its budgets under the proposal. An order with
        basis NOT_COMPUTED has None for every amount but the established.
    """
    refused = _refused(setup, found)
    found = [p for p in found if p.granted.order_id not in refused]
    proposed = proposed_setup(setup, found)
    changed = {p.granted.order_id for p in found if p.changes}
    signed = base.tables["municipal_shares"]
    before = {(r["order_id"], r["stream"], r["payer"], r["payer_kind"]): r["amount_cents"] for r in signed}
    between = _year_amounts(_without_amounts(setup, changed), outcome, base)
    after = _year_amounts(proposed, outcome, base)
    shared = {"school_year": setup.settings.school_year.key, "version": base.version}
    bases = _bases(setup, proposed, changed) | refused
    rows = []
    for key in sorted(before.keys() | after.keys()):
        amounts = (of.get(key, 0) for of in (before, between, after))
        named = dict(zip(("order_id", "stream", "payer", "payer_kind"), key, strict=True))
        rows.append(shared | named | _cents(*amounts, computed=key[0] not in refused) | bases[key[0]])
    return rows


def _cents(established: int, between: int, proposed: int, *, computed: bool) -> Row:
    return {
        "established_cents": established,
        "proposed_cents": proposed if computed else None,
        "difference_cents": proposed - established if computed else None,
        "agreement_difference_cents": between - established if computed else None,
        "hours_difference_cents": proposed - between if computed else None,
    }


def _refused(setup: SchoolYearSetup, found: Sequence[HoursProposal]) -> dict[str, Row]:
    """The orders whose proposal the budget refuses, as it is or when only their agreed amount is let go, with the reason."""
    changed = {p.granted.order_id for p in found if p.changes}
    refused: dict[str, Row] = {}
    for made in (_without_amounts(setup, changed), proposed_setup(setup, found)):
        for order_id in changed:
            try:
                doelgroep_budgets(replace(made, orders=(made.order(order_id),)))
            except SetupError as error:
                text = f"Wat het voorstel zou schelen, is voor deze opdracht niet te berekenen. {error}"
                refused[order_id] = {"basis": NOT_COMPUTED, "explanation": text}
    return refused


def _year_amounts(setup: SchoolYearSetup, outcome: PayerOutcome, base: Base) -> dict[LineKey, int]:
    details = split_over_payers(setup, doelgroep_budgets(setup), outcome, base)
    lines = share_lines(setup, details)
    return {(line.order_id, line.stream, line.payer, line.payer_kind): line.year_cents for line in lines}


def _bases(setup: SchoolYearSetup, proposed: SchoolYearSetup, changed: Collection[str]) -> dict[str, Row]:
    """Per order on which basis the effect on it was computed, as a code and in Dutch."""
    granted, then = _hours_times_tariff(setup), _hours_times_tariff(proposed)
    same: Row = {"basis": "unchanged", "explanation": "Het voorstel verandert geen uren van deze opdracht."}
    return {
        o.order_id: _basis(o, granted[o.order_id], then[o.order_id]) if o.order_id in changed else same
        for o in setup.orders
    }


def _basis(order: Order, granted: int, then: int) -> Row:
    told = (
        f"Uren maal tarief: € {format_euro(then)} met de voorgestelde uren, € {format_euro(granted)} met de toegekende."
    )
    stated = order.stated_amount_cents
    if order.amount_basis != "agreed" or stated is None:
        return {"basis": "computed", "explanation": told}
    told += (
        f" Het afgesproken bedrag € {format_euro(stated)} hoort alleen bij de toegekende uren; het loslaten daarvan "
    )
    return {"basis": "computed_not_agreed", "explanation": f"{told}(€ {format_euro(granted - stated)}) staat apart."}


def _hours_times_tariff(setup: SchoolYearSetup) -> Counter[str]:
    totals: Counter[str] = Counter()
    for budget in doelgroep_budgets(setup):
        totals[budget.order_id] += budget.computed_cents
    return totals
