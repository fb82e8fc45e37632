"""What the demo orders cost and who carries it: *fictieve* tariffs, and the share of the municipalities outside.

Belongs here: the amounts the setup workbook states, ceilings of commitments, and keeping the outside share near 4 %.
Does not belong here: the settlement itself. This is an independent sum in whole cents, so that the core can be held
against what the generator meant.
"""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from zio_pipeline.demo.model import Draft, Group, Pupil
from zio_pipeline.demo.people import move
from zio_pipeline.demo.places import DE_BODDE, LEIJPARK, OUTSIDE, TILBURG

GUIDANCE_TARIFF_CENTS = {LEIJPARK: 67_20, DE_BODDE: 65_80}
CARE_TARIFF_CENTS = {LEIJPARK: 62_40}
TOLERANCE_CENTS = 25_000_00
CONTRIBUTION_CENTS = 25_000_00
CONTRIBUTION_PAYER = "SWV-3003"
ROUND_TO_CENTS = 10_000_00

OUTSIDE_SHARE = (Fraction(38, 1000), Fraction(42, 1000))
"""Municipalities outside the region together carry 4 % (HvB report); the demo stays this close to it where it can."""


@dataclass(frozen=True)
class Budget:
    """One order: hours times tariff per doelgroep, and the amount the contract states, in cents."""

    groups: dict[Group, int]
    computed_cents: int
    stated_cents: int


def budget_of(draft: Draft, school: str) -> Budget:
    """Cost of every doelgroep of one order; at De Bodde the parties agreed on a round amount nearby."""
    guidance = GUIDANCE_TARIFF_CENTS[school]
    care = CARE_TARIFF_CENTS.get(school, guidance)
    exact: Counter[Group] = Counter()
    for c in (c for c in draft.classes if c.school == school):
        exact[c.group] += (c.year_hundredths - c.year_care_hundredths) * guidance + c.year_care_hundredths * care
    groups = {group: (cost + 50) // 100 for group, cost in exact.items()}
    computed = sum(groups.values())
    if school != DE_BODDE:
        return Budget(groups, computed, computed)
    rounded = (computed + ROUND_TO_CENTS // 2) // ROUND_TO_CENTS * ROUND_TO_CENTS
    return Budget(groups, computed, rounded if rounded != computed else rounded + ROUND_TO_CENTS)


def unit_costs(draft: Draft) -> dict[Group, Fraction]:
    """What one counted pupil of a doelgroep costs its payer, in cents, contributions taken off."""
    counted = Counter(p.counted_in.group for p in draft.placed() if p.counted_in is not None and p.outcome[0])
    costs: dict[Group, Fraction] = {}
    for school in (LEIJPARK, DE_BODDE):
        budget = budget_of(draft, school)
        contribution = CONTRIBUTION_CENTS if school == LEIJPARK else 0
        factor = Fraction(budget.stated_cents - contribution, budget.computed_cents)
        costs |= {group: cents * factor / counted[group] for group, cents in budget.groups.items() if counted[group]}
    return costs


def municipality_cents(draft: Draft) -> dict[str, int]:
    """About what every municipality pays for its jeugdwet pupils in the year."""
    costs, totals = unit_costs(draft), Counter[str]()
    numbers = Counter((p.outcome[1] or "", p.counted_in.group) for p in _jeugdwet(draft) if p.counted_in is not None)
    for (code, group), pupils in numbers.items():
        totals[code] += round(pupils * costs[group])
    return dict(sorted(totals.items()))


def outside_share(draft: Draft) -> Fraction:
    """Part of the jeugdwet amount that municipalities outside the region carry."""
    cents = municipality_cents(draft)
    return Fraction(sum(cents.get(code, 0) for code in OUTSIDE), sum(cents.values()))


def keep_outside_share(draft: Draft) -> None:
    """Let ordinary pupils move in or out of the region until the outside share is about 4 %.

    In a small demo the planted municipalities alone may be more than that; then it stays higher.
    """
    rng, costs = draft.rng("outside share"), unit_costs(draft)
    movable = [p for p in _jeugdwet(draft) if not p.planted]
    rng.shuffle(movable)
    total = sum(_cost(p, costs) for p in _jeugdwet(draft))
    outside = sum(_cost(p, costs) for p in _jeugdwet(draft) if p.outcome[1] in OUTSIDE)
    low, high = (share * total for share in OUTSIDE_SHARE)
    for pupil in movable:
        cost, is_outside = _cost(pupil, costs), pupil.municipality in OUTSIDE
        if is_outside and outside > high and outside - cost >= low:
            move(pupil, TILBURG, draft, rng)
            outside -= cost
        elif not is_outside and outside < low and outside + cost <= high:
            move(pupil, rng.choice(_ORDINARY_OUTSIDE), draft, rng)
            outside += cost


_ORDINARY_OUTSIDE = ("0758", "0826", "0796", "0865", "0823", "1667")


def _cost(pupil: Pupil, costs: dict[Group, Fraction]) -> Fraction:
    if pupil.counted_in is None:
        raise ValueError("not placed")
    return costs[pupil.counted_in.group]


def _jeugdwet(draft: Draft) -> list[Pupil]:
    return [pupil for pupil in draft.placed() if pupil.outcome[0] == "jeugdwet"]
