"""All figures of one school year out of its inputs, as the rows of the finance tables.

Belongs here: carrying the rules (payer, budget, shares, terms, declarations, proofs) through in order, and giving their
results the shape of the output contracts. Does not belong here: a rule, a file, a database, or who approved what.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

from zio_pipeline.budget import DoelgroepBudget, doelgroep_budgets
from zio_pipeline.declarations import Term, declaration_addressees, monthly_declarations, zorgkantoor_statement
from zio_pipeline.kept_terms import fixed_terms, spread_again, with_what_stays
from zio_pipeline.payer import PayerInputs, PayerOutcome, decide_payers
from zio_pipeline.proofs import Proof, prove, prove_beside
from zio_pipeline.school_year import first_working_day
from zio_pipeline.setup import SchoolYearSetup, read_setup
from zio_pipeline.shares import (
    ShareDetail,
    ShareLine,
    exact_shares,
    share_lines,
    split_over_payers,
    split_over_streams,
    streams_of,
)
from zio_pipeline.terms import TermLine, spread_terms
from zio_pipeline.versions import ORDER_CHANGE, Base, changed_orders, require_same_pupils, require_same_rhythm

Row = dict[str, Any]
Tables = dict[str, list[Row]]
EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class YearInputs:
    """Everything a year is computed from: the accepted setup sheets, the payer inputs, and the files they came in."""

    sheets: Mapping[str, Sequence[Mapping[str, Any]]]
    payer: PayerInputs
    files: tuple[Mapping[str, str], ...]
    """Each: source, label, content_sha256, contract_fingerprint; sorted."""
    base: Base | None = None
    """The version in force, when these are the inputs of a new one."""


@dataclass(frozen=True)
class YearFigures:
    """The year computed: `tables` by product name, every row with its school year and version."""

    setup: SchoolYearSetup
    outcome: PayerOutcome
    tables: Tables
    proofs: tuple[Proof, ...]


def compute_year(inputs: YearInputs, version: int) -> YearFigures:
    """Compute every figure of the year (SPEC sections 3 and 4).

    Raises:
        SetupError: the workbook contradicts itself.
        EstablishmentBlocked: a point on the worklist is open, a doelgroep has no key, or a new version cannot stand beside
            its base (`versions`).
    """
    setup = read_setup(inputs.sheets)
    outcome = decide_payers(setup, inputs.payer)
    tables = year_tables(setup, outcome, version, inputs.base)
    proofs = [*prove(tables), _row_order_proof(inputs, version, tables)]
    if inputs.base:
        changed = changed_orders(setup, tables, inputs.base)
        proofs += prove_beside(tables, inputs.base, setup.settings, changed)
    return YearFigures(setup, outcome, tables, tuple(proofs))


def year_tables(setup: SchoolYearSetup, outcome: PayerOutcome, version: int, base: Base | None = None) -> Tables:
    """The finance tables of a year and version, by product name; of a new version beside its base."""
    budgets = doelgroep_budgets(setup)
    splits = split_over_streams(setup, budgets, outcome, base)
    details = split_over_payers(setup, budgets, outcome, base)
    if base and base.reason == ORDER_CHANGE:
        changed = _changed(setup, _share_tables(setup, outcome, budgets, details), base)
        exact = exact_shares(budgets, splits, details)
        details = with_what_stays(base, setup.settings, details, exact, changed)
        splits = streams_of(splits, details)
    shares = _share_tables(setup, outcome, budgets, details)
    terms = year_terms(setup, share_lines(setup, details), base, changed_orders(setup, shares, base) if base else {})
    tables: Tables = shares | {
        "funding_split": [asdict(split) for split in splits],
        "terms": [_term_row(setup, term) for term in terms],
        "monthly_declarations": monthly_declarations(setup, terms),
        "declaration_addressees": declaration_addressees(setup, terms),
        "zorgkantoor_statement": zorgkantoor_statement(setup, budgets, details, outcome),
    }
    return {name: stamped(rows, setup, version) for name, rows in tables.items()}


def _share_tables(
    setup: SchoolYearSetup,
    outcome: PayerOutcome,
    budgets: Sequence[DoelgroepBudget],
    details: Sequence[ShareDetail],
) -> Tables:
    return {
        "doelgroep_budgets": budget_rows(budgets, outcome),
        "share_details": [asdict(detail) for detail in details],
        "municipal_shares": [_renamed(asdict(line)) for line in share_lines(setup, details)],
    }


def _changed(setup: SchoolYearSetup, shares: Tables, base: Base) -> dict[str, str]:
    """The orders that a besluit changed, once it is sure that nobody else is counted and nobody pays in another rhythm."""
    require_same_pupils(shares["share_details"], shares["doelgroep_budgets"], base)
    require_same_rhythm(shares["municipal_shares"], base)
    return changed_orders(setup, shares, base)


def stamped(rows: Iterable[Row], setup: SchoolYearSetup, version: int) -> list[Row]:
    """Rows with the school year and version they belong to."""
    return [{"school_year": setup.settings.school_year.key, "version": version} | row for row in rows]


def budget_rows(budgets: Iterable[DoelgroepBudget], outcome: PayerOutcome) -> list[Row]:
    """Rows of `doelgroep_budgets`: the budget with the pupils placed and counted beside it."""
    placed = outcome.placed()
    counted: dict[tuple[str, str], int] = {}
    for (order_id, doelgroep, *_), pupils in outcome.counts().items():
        counted[order_id, doelgroep] = counted.get((order_id, doelgroep), 0) + pupils
    return [
        asdict(b)
        | {
            "pupils_placed": placed[b.order_id, b.doelgroep],
            "pupils_counted": counted.get((b.order_id, b.doelgroep), 0),
            "amount_cents": b.amount_cents,
        }
        for b in budgets
    ]


def year_terms(
    setup: SchoolYearSetup, lines: Iterable[ShareLine], base: Base | None = None, changed: Mapping[str, str] = EMPTY
) -> list[Term]:
    """The terms of every line, in order of line and month; beside a base what `kept_terms.fixed_terms` says stays as it was."""
    by_line = {TermLine(line.order_id, line.law, line.stream, line.payer, line.year_cents): line for line in lines}
    fixed = fixed_terms(base, setup.settings, by_line, changed) if base else {}
    again = spread_again(base, setup.settings, by_line, fixed) if base else {}
    spread = spread_terms(list(by_line), setup.settings.term_weights, fixed, again)
    return [
        Term(line.order_id, line.stream, line.law, line.payer, line.payer_kind, line.rhythm, month, cents)
        for term_line, line in by_line.items()
        for month, cents in zip(setup.settings.term_keys, spread[term_line], strict=True)
    ]


def _term_row(setup: SchoolYearSetup, term: Term) -> Row:
    settings = setup.settings
    year, month = map(int, term.month.split("-"))
    period, due_on = term.month, first_working_day(year, month)
    if term.rhythm == "half_year":
        first = term.month in settings.first_half_keys
        due_month = settings.first_half_due_month if first else settings.second_half_due_month
        due_year, due_month = map(int, settings.school_year.month_key(due_month).split("-"))
        period, due_on = settings.school_year.half_key(1 if first else 2), first_working_day(due_year, due_month)
    return asdict(term) | {"period": period, "due_on": None if term.rhythm == "none" else due_on}


def _renamed(line: Row) -> Row:
    return {("amount_cents" if name == "year_cents" else name): value for name, value in line.items()}


def _row_order_proof(inputs: YearInputs, version: int, tables: Tables) -> Proof:
    """The same year out of the same rows in reverse: every cent that differs counts."""
    payer, base = inputs.payer, inputs.base
    turned = replace(
        inputs,
        sheets={name: tuple(reversed(rows)) for name, rows in inputs.sheets.items()},
        payer=replace(
            payer,
            registrations=payer.registrations[::-1],
            indications=payer.indications[::-1],
            quarantined=payer.quarantined[::-1],
            residence_answers=payer.residence_answers[::-1],
        ),
        base=base and replace(base, tables={name: rows[::-1] for name, rows in base.tables.items()}),
    )
    setup = read_setup(turned.sheets)
    again = year_tables(setup, decide_payers(setup, turned.payer), version, turned.base)
    differing = sum(figures_hash({name: tables[name]}) != figures_hash({name: again[name]}) for name in tables)
    return Proof("row_order_changes_nothing", "regio", differing, 0)


def figures_hash(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """SHA-256 over the rows of the tables, in an order of their own."""
    ordered = {name: sorted(canonical(row) for row in rows) for name, rows in tables.items()}
    return hashlib.sha256(canonical(ordered).encode()).hexdigest()


def canonical(value: Any) -> str:
    """One spelling per value: JSON with sorted keys, dates in ISO."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
