"""The school year in force: who pays for whom, and its tables.

Belongs here: publishing the decisions and the figures of the version in force, or of the year being prepared, and the draft
of a new version. Does not belong here: which rows it is computed from (`inputs`), the signatures (`establishing`), rules.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from resources.home import Home
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.establishment import FIRST_VERSION, require_signed, sha256_of
from zio_pipeline.figures import Tables, YearFigures, budget_rows, compute_year, stamped
from zio_pipeline.mutations import not_comparable_rows, worklist_rows
from zio_pipeline.payer import PayerOutcome, Signal, decide_payers
from zio_pipeline.proofs import require
from zio_pipeline.setup import SchoolYearSetup, read_setup
from zio_pipeline.stages.inputs import later_than_signed, year_inputs
from zio_pipeline.stages.publishing import publish
from zio_pipeline.stages.residence import later_disputes
from zio_pipeline.stages.standing import DECISIONS
from zio_pipeline.versions import idle_changes

FINANCE_TABLES = (
    "doelgroep_budgets",
    "funding_split",
    "share_details",
    "municipal_shares",
    "terms",
    "monthly_declarations",
    "declaration_addressees",
    "zorgkantoor_statement",
)


IDLE = "besluit_without_need"


def version_of(home: Home, school_year: str) -> int:
    """The established version, or the one being prepared."""
    standing = home.warehouse.establishment(school_year)
    return standing.version if standing else FIRST_VERSION


def publish_decisions(home: Home, school_year: str) -> PayerOutcome:
    """Decide every payer: the decisions into the vault, the worklist and the signals into the warehouse.

    Of an established year the worklist also holds what later files say otherwise and nobody has judged yet (fout of mutatie).
    """
    inputs = year_inputs(home, school_year)
    setup = read_setup(inputs.sheets)
    outcome = decide_payers(setup, inputs.payer)
    decisions = [asdict(decision) for decision in outcome.decisions]
    with home.vault.exclusive():  # what is half written must not be swept by a reception beside this
        home.vault.put(f"{DECISIONS}{school_year}-{sha256_of(decisions)}", pa.Table.from_pylist(decisions))
    later = later_than_signed(home, school_year)
    standing = home.warehouse.establishment(school_year)
    changed = standing.receipt["base"]["first_terms"] if standing and inputs.base else {}
    idle = [Signal(IDLE, None, decision_id) for decision_id in idle_changes(setup, inputs.base, changed)]
    tables = {
        "worklist": [
            *_worklist_rows(school_year, outcome),
            *worklist_rows(later.differences, setup, outcome.decisions),
            *not_comparable_rows(school_year, later.not_comparable),
            *later_disputes(home, school_year, inputs.payer, outcome),
        ],
        "signals": _signal_rows(school_year, [*outcome.signals, *idle]),
    }
    publish(home, tables, {"school_year": school_year})
    return outcome


def _worklist_rows(school_year: str, outcome: PayerOutcome) -> list[dict[str, Any]]:
    rows = {item.item_id: item for item in outcome.worklist}
    return [
        asdict(item)
        | {
            "school_year": school_year,
            "item_id": number,
            "explanation": item.explanation,
            "blocking": item.decision_id is None,
        }
        for number, item in rows.items()
    ]


def _signal_rows(school_year: str, signals: Iterable[Signal]) -> list[dict[str, Any]]:
    rows = {signal.signal_id: signal for signal in signals}
    return [
        asdict(signal) | {"school_year": school_year, "signal_id": number, "explanation": signal.explanation}
        for number, signal in rows.items()
    ]


def publish_budgets(home: Home, school_year: str) -> list[dict[str, Any]]:
    """The budgets alone: they need no pupil to be decided, so they can be seen while the worklist is open."""
    inputs, version = year_inputs(home, school_year), version_of(home, school_year)
    setup = read_setup(inputs.sheets)
    rows = stamped(budget_rows(doelgroep_budgets(setup), decide_payers(setup, inputs.payer)), setup, version)
    standing = home.warehouse.establishment(school_year)
    if standing:
        require_signed(standing.receipt, {"doelgroep_budgets": rows})
    _publish_year(home, {"doelgroep_budgets": rows}, school_year, version)
    return rows


def publish_figures(
    home: Home, school_year: str, names: Iterable[str] = FINANCE_TABLES, month: str | None = None
) -> YearFigures:
    """Compute the year and publish the named tables of it (of one month, where they have months), with every proof stored.

    Raises:
        EstablishmentBlocked: the worklist is open.
        NotProved: an invariant does not hold, or the year is established and the figures differ.
    """
    version = version_of(home, school_year)
    figures = compute_year(year_inputs(home, school_year), version)
    standing = home.warehouse.establishment(school_year)
    if standing:
        require_signed(standing.receipt, figures.tables)
    publish_computed(home, figures, version, names, month)
    return figures


def publish_computed(
    home: Home, figures: YearFigures, version: int, names: Iterable[str] = FINANCE_TABLES, month: str | None = None
) -> None:
    """Publish tables of a computed version, in place of those of the same version only, with every proof stored.

    Raises:
        NotProved: an invariant does not hold.
    """
    school_year = figures.setup.settings.school_year.key
    tables = {name: [row for row in figures.tables[name] if month in (None, row.get("month"))] for name in names}
    _publish_year(home, tables, school_year, version, **({"month": month} if month else {}))
    proofs = [proof.row() | {"school_year": school_year, "version": version} for proof in figures.proofs]
    publish(home, {"proofs": proofs}, {"school_year": school_year, "version": version})
    require(figures.proofs)


def _publish_year(home: Home, tables: Tables, school_year: str, version: int, **scope: Any) -> None:
    publish(home, tables, {"school_year": school_year, "version": version} | scope)


def current_setup(home: Home, school_year: str) -> SchoolYearSetup:
    """The setup the year is computed from."""
    return read_setup(year_inputs(home, school_year).sheets)
