"""The forecast of the coming calendar year per municipality, for its budget: what is established, and an estimate of the rest.

Belongs here: which months are known, and the estimate of the others. Does not belong here: a scenario with other hours or
tariffs, and the terms themselves (`terms`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from zio_pipeline.accruals import Place, Row
from zio_pipeline.errors import ZioError
from zio_pipeline.money import round_half_up
from zio_pipeline.school_year import SchoolYear
from zio_pipeline.setup import SchoolYearSetup


@dataclass(frozen=True)
class EstablishedYear:
    """A school year as it was established last: `terms` are the rows of that version."""

    school_year: SchoolYear
    version: int
    terms: Sequence[Mapping[str, Any]]


def forecast_rows(setup: SchoolYearSetup, years: Iterable[EstablishedYear], calendar_year: int) -> list[Row]:
    """Rows of `forecast`: per municipality and order what is known of a calendar year and what is estimated.

    Known are the established terms that fall in it. Every other month of it that is a term month is estimated from the
    year amount of the newest established year, by the weight of that month, times the index; rounded half up once, per
    payer and order. A member without pupils stands with 0.

    Args:
        setup: of the newest established year: term months, weights, index, members, orders.
        years: every established year; those that do not touch the calendar year do no harm.
        calendar_year: 2027.

    Raises:
        ZioError: the setup is not that of the newest year.
    """
    years = sorted(years, key=lambda year: year.school_year)
    settings, base = setup.settings, years[-1]
    if settings.school_year != base.school_year:
        raise ZioError(f"Ook schooljaar {base.school_year} is vastgesteld; maak de raming vanuit dat jaar.")
    months = [f"{calendar_year:04d}-{month:02d}" for month in range(1, 13)]
    known = _cents(term for year in years for term in year.terms if term["month"] in months)
    established = {year.school_year for year in years}
    weight_of = dict(zip(settings.term_months, settings.term_weights, strict=True))
    open_months = [
        month for month in weight_of if SchoolYear.containing(date(calendar_year, month, 1)) not in established
    ]
    rest = sum(weight_of[month] for month in open_months)
    total, index = sum(weight_of.values()), settings.forecast_index_permille
    of_base = _cents(base.terms)
    estimated = {place: round_half_up(cents * rest * index, total * 1000) for place, cents in of_base.items()}
    basis = _basis(known_months=_from(years, months), estimated=len(open_months), base=base, index=index)
    return [
        {
            "school_year": base.school_year.key,
            "version": base.version,
            "calendar_year": calendar_year,
            "payer": payer,
            "order_id": order_id,
            "known_cents": known[payer, order_id],
            "estimated_cents": estimated.get((payer, order_id), 0),
            "amount_cents": known[payer, order_id] + estimated.get((payer, order_id), 0),
            "basis": basis,
        }
        for payer, order_id in sorted(known.keys() | of_base.keys() | _members(setup))
    ]


def _members(setup: SchoolYearSetup) -> set[Place]:
    codes = {row["municipality"] for row in setup.sheets["municipalities"] if setup.is_member(row["municipality"])}
    return {(code, order.order_id) for code in codes for order in setup.orders}


def _cents(terms: Iterable[Mapping[str, Any]]) -> Counter[Place]:
    totals: Counter[Place] = Counter()
    for term in terms:
        if term["payer_kind"] == "municipality":
            totals[term["payer"], term["order_id"]] += term["amount_cents"]
    return totals


def _from(years: Iterable[EstablishedYear], months: Sequence[str]) -> dict[str, int]:
    """Per established year how many of its terms fall in these months; years without any are left out."""
    found = {year.school_year.key: len({t["month"] for t in year.terms if t["month"] in months}) for year in years}
    return {key: count for key, count in found.items() if count}


def _basis(*, known_months: Mapping[str, int], estimated: int, base: EstablishedYear, index: int) -> str:
    parts = [f"{_terms(count)} uit vastgesteld schooljaar {key}" for key, count in known_months.items()]
    if estimated:
        parts.append(
            f"{_terms(estimated)} geraamd op schooljaar {base.school_year} (versie {base.version}), index {index} promille"
        )
    return "; ".join(parts)


def _terms(count: int) -> str:
    return "1 termijn" if count == 1 else f"{count} termijnen"
