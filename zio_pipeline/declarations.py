"""What the providers may declare each month, to whom, and the specification a zorgkantoor gets with it.

Belongs here: monthly declarations per order and law, their addressees, the Wlz statement (SPEC section 5).
Does not belong here: documents with a number (billing), claims that providers send (a source of its own).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from zio_pipeline.budget import DoelgroepBudget
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.money import largest_remainder
from zio_pipeline.payer import PayerOutcome
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.shares import ShareDetail, key_doelgroep


@dataclass(frozen=True)
class Term:
    """One term of one payer line: the cents of one month."""

    order_id: str
    stream: str
    law: str
    payer: str
    payer_kind: str
    rhythm: str
    month: str
    amount_cents: int


def declared_terms(terms: Iterable[Term]) -> list[Term]:
    """Terms that are declared to us or a zorgkantoor: all but those the provider collects from pgb holders."""
    return [term for term in terms if term.payer_kind != "pgb_holders"]


def monthly_declarations(setup: SchoolYearSetup, terms: Iterable[Term]) -> list[dict[str, Any]]:
    """Per order, law and month: the cents the provider may declare and the number of addressees."""
    parts = _addressed(setup, terms)
    totals: dict[tuple[str, str, str], int] = Counter()
    addressees: dict[tuple[str, str, str], int] = Counter()
    for (order_id, law, month, _), cents in parts.items():
        totals[order_id, law, month] += cents
        addressees[order_id, law, month] += 1
    return [
        {
            "order_id": order_id,
            "law": law,
            "month": month,
            "provider": setup.order(order_id).provider,
            "addressees": addressees[order_id, law, month],
            "amount_cents": cents,
        }
        for (order_id, law, month), cents in sorted(totals.items())
    ]


def declaration_addressees(setup: SchoolYearSetup, terms: Iterable[Term]) -> list[dict[str, Any]]:
    """Per order, law, month and addressee: jeugdwet and 18 plus to the region, Wlz to the zorgkantoor that pays."""
    names = ("order_id", "law", "month", "addressee")
    return [
        dict(zip(names, key, strict=True)) | {"amount_cents": cents}
        for key, cents in sorted(_addressed(setup, terms).items())
    ]


def _addressed(setup: SchoolYearSetup, terms: Iterable[Term]) -> dict[tuple[str, str, str, str], int]:
    parts: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for term in declared_terms(terms):
        addressee = term.payer if term.payer_kind == "zorgkantoor" else setup.settings.region_code
        parts[term.order_id, term.law, term.month, addressee] += term.amount_cents
    return parts


def zorgkantoor_statement(
    setup: SchoolYearSetup, budgets: Sequence[DoelgroepBudget], details: Sequence[ShareDetail], outcome: PayerOutcome
) -> list[dict[str, Any]]:
    """Per zorgkantoor, order, doelgroep and leveringsvorm: pupils, hours, tariff and amount, on its legal ground.

    Hours of a doelgroep follow its amount (largest remainder), so that hours and cents add up to the same whole.

    Raises:
        EstablishmentBlocked: a zorgkantoor that pays has no legal ground for the whole year (`_legal_grounds`).
    """
    grounds = _legal_grounds(setup, {detail.payer for detail in details if detail.payer_kind == "zorgkantoor"})
    hours = _hours_by_detail(budgets, details)
    rows = []
    for detail in details:
        if detail.payer_kind != "zorgkantoor":
            continue
        forms = _forms(detail, key_doelgroep(setup, detail.order_id, detail.doelgroep, outcome), outcome)
        cents = largest_remainder(detail.amount_cents, list(forms.values()))
        parts = largest_remainder(hours[detail], list(forms.values()))
        order = setup.order(detail.order_id)
        rows += [
            {
                "payer": detail.payer,
                "order_id": detail.order_id,
                "doelgroep": detail.doelgroep,
                "delivery_form": form,
                "pupils": pupils,
                "hours_hundredths": part,
                "tariff_cents": order.tariff_cents,
                "care_tariff_cents": order.care_tariff_cents,
                "legal_ground": grounds[detail.payer],
                "amount_cents": amount,
            }
            for (form, pupils), part, amount in zip(forms.items(), parts, cents, strict=True)
        ]
    return rows


def _legal_grounds(setup: SchoolYearSetup, payers: Iterable[str]) -> dict[str, str]:
    """On what ground each zorgkantoor pays (SPEC section 5): the rows that together cover every term, else a besluit.

    Raises:
        EstablishmentBlocked: a sentence per zorgkantoor without either.
    """
    grounds, problems = {}, []
    first, last = _first_and_last_day(setup)
    for payer in sorted(payers):
        besluiten = sorted(d.decision_id for d in setup.decisions_of("wlz_ground") if d.subject == payer)
        ground = _covering_ground(setup, payer) or "; ".join(f"besluit {number}" for number in besluiten)
        if ground:
            grounds[payer] = ground
        else:
            problems.append(
                f"zorgkantoor {payer} betaalt mee, maar op blad 'zorgkantoren' staat geen grondslag die geldt van "
                f"{first:%d-%m-%Y} tot en met {last:%d-%m-%Y}; vul die aan, of neem een besluit 'grondslag wlz' op met "
                f"{payer} bij 'betreft'"
            )
    if problems:
        raise EstablishmentBlocked(problems)
    return grounds


def _first_and_last_day(setup: SchoolYearSetup) -> tuple[date, date]:
    """Of the first and of the last month with a term."""
    first, last = (date.fromisoformat(f"{setup.settings.term_keys[at]}-01") for at in (0, -1))
    return first, (last + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _covering_ground(setup: SchoolYearSetup, payer: str) -> str | None:
    """The grounds of a zorgkantoor during the terms, named together; None when there is a day without one."""
    uncovered, last = _first_and_last_day(setup)
    rows = [
        (_ground_period(row), row["legal_ground"]) for row in setup.sheets["zorgkantoren"] if _is_ground(row, payer)
    ]
    held = sorted((start, end, text) for (start, end), text in rows if start <= last and end >= uncovered)
    for start, end, _ in held:
        if start > uncovered:
            return None
        uncovered = max(uncovered, end if end == date.max else end + timedelta(days=1))
    return "; ".join(dict.fromkeys(text for *_, text in held)) if uncovered > last else None


def _is_ground(row: Mapping[str, Any], payer: str) -> bool:
    """What is not dated is not there."""
    return row["zorgkantoor"] == payer and bool(row["legal_ground"]) and _ground_period(row)[0] != date.max


def _ground_period(row: Mapping[str, Any]) -> tuple[date, date]:
    """From when up to and including when; a ground without days of its own holds as long as the agreement."""
    start, end = row["ground_from"], row["ground_to"]
    if start is None:
        start, end = row["agreed_from"], end or row["agreed_to"]
    return start or date.max, end or date.max


def _forms(detail: ShareDetail, key: str, outcome: PayerOutcome) -> Mapping[str, int]:
    """Leveringsvorm -> pupils of this payer in this key, in ascending code."""
    found = Counter(
        d.delivery_form or ""
        for d in outcome.decisions
        if (d.order_id, d.doelgroep, d.stream, d.payer) == (detail.order_id, key, detail.stream, detail.payer)
    )
    return dict(sorted(found.items()))


def _hours_by_detail(budgets: Sequence[DoelgroepBudget], details: Sequence[ShareDetail]) -> dict[ShareDetail, int]:
    hours: dict[ShareDetail, int] = {}
    for budget in budgets:
        own = [d for d in details if (d.order_id, d.doelgroep) == (budget.order_id, budget.doelgroep)]
        weights = [d.amount_cents for d in own] + [budget.contribution_cents]
        total = budget.granted_hours_hundredths if any(weights) else 0
        parts = largest_remainder(total, weights)
        hours.update(zip(own, parts[:-1], strict=True))
    return hours
