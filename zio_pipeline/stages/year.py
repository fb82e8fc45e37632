"""The school year: its inputs, its figures, and fixing them.

Belongs here: which files a year is computed from (the accepted ones now, or those the receipt names once it is established),
publishing its tables, and the two signatures. Does not belong here: rules, documents.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from resources.establishments import Establishment
from resources.home import Home
from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.contracts import sources
from zio_pipeline.delivery import delivered_hours
from zio_pipeline.errors import EstablishmentBlocked, NotProved
from zio_pipeline.establishment import FIRST_VERSION, make_receipt, receipt_hash, require_signed, sha256_of
from zio_pipeline.figures import Tables, YearFigures, YearInputs, budget_rows, canonical, compute_year, stamped
from zio_pipeline.intake.delivery import CONTRADICTING
from zio_pipeline.payer import PayerInputs, PayerOutcome, decide_payers
from zio_pipeline.proofs import require
from zio_pipeline.setup import SchoolYearSetup, read_setup
from zio_pipeline.stages.publishing import publish
from zio_pipeline.stages.standing import DECISIONS, accepted_rows, accepted_table, quarantined_rows

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
MONEY_SOURCES = ("school_year_setup", "pupil_registrations", "wlz_statuses")
"""What a year is computed from; timesheets prove delivery and never change an amount."""
DEMO_IDENTITIES = ("demo-voorsteller", "demo-goedkeurder")
"""Who sign for a year whose workbook says it is fictitious; a real year waits for two people."""


@dataclass(frozen=True)
class Proposal:
    """A receipt waiting for its second signature."""

    version: int
    receipt_hash: str
    receipt: Mapping[str, Any]


def year_inputs(home: Home, school_year: str) -> YearInputs:
    """What the year is computed from: the files its receipt names once established, else the active ones.

    Raises:
        EstablishmentBlocked: a source is missing altogether.
    """
    standing = home.warehouse.establishment(school_year)
    pinned = [dict(file) for file in standing.receipt["inputs"]] if standing else None
    setup, registrations, indications = (_entries(home, source, school_year, pinned) for source in MONEY_SOURCES)
    missing = [
        name
        for name, found in (("Inrichting", setup), ("leerlingbestanden", registrations), ("Wlz-lijst", indications))
        if not found
    ]
    if missing:
        raise EstablishmentBlocked(
            [f"{name} voor schooljaar {school_year} ontbreekt: er is geen aanvaard bestand." for name in missing]
        )
    entries = [*setup, *registrations, *indications]
    return YearInputs(
        sheets={d.name: accepted_rows(home, setup[0], d.name) for d in sources()["school_year_setup"].datasets},
        payer=PayerInputs(
            registrations=[row for e in registrations for row in accepted_rows(home, e, "pupil_registrations")],
            indications=[row for e in indications for row in accepted_rows(home, e, "wlz_statuses")],
            quarantined=[row for e in (*registrations, *indications) for row in quarantined_rows(home, e)],
            contradicting=_contradicting(home, school_year) if pinned is None else [],
        ),
        files=tuple(sorted((_file(e) for e in entries), key=lambda file: (file["source"], file["content_sha256"]))),
    )


def _contradicting(home: Home, school_year: str) -> list[str]:
    rows = home.warehouse.rows("deliveries", school_year=school_year, status=CONTRADICTING)
    return [row["label"] for row in rows if row["source"] in MONEY_SOURCES]


def _entries(home: Home, source: str, school_year: str, pinned: list[dict[str, str]] | None) -> list[Any]:
    if pinned is None:
        return home.warehouse.active(source, school_year)
    return [e for e in home.warehouse.manifest(source=source, school_year=school_year) if _file(e) in pinned]


def _file(entry: Any) -> dict[str, str]:
    names = ("source", "label", "content_sha256", "contract_fingerprint", "parser_version", "key_id")
    return {name: getattr(entry, name) for name in names}


def later_files(home: Home, school_year: str) -> list[str]:
    """Labels of the files that count now but were not established: they change nothing of this year."""
    standing = home.warehouse.establishment(school_year)
    if standing is None:
        return []
    pinned = [dict(file) for file in standing.receipt["inputs"]]
    entries = [e for source in MONEY_SOURCES for e in home.warehouse.active(source, school_year)]
    return [entry.label for entry in entries if _file(entry) not in pinned]


def version_of(home: Home, school_year: str) -> int:
    """The established version, or the one being prepared."""
    standing = home.warehouse.establishment(school_year)
    return standing.version if standing else FIRST_VERSION


def publish_decisions(home: Home, school_year: str) -> PayerOutcome:
    """Decide every payer: the decisions into the vault, the worklist and the signals into the warehouse."""
    inputs = year_inputs(home, school_year)
    setup = read_setup(inputs.sheets)
    outcome = decide_payers(setup, inputs.payer)
    decisions = [asdict(decision) for decision in outcome.decisions]
    with home.vault.exclusive():  # what is half written must not be swept by a reception beside this
        home.vault.put(f"{DECISIONS}{school_year}-{sha256_of(decisions)}", pa.Table.from_pylist(decisions))
    tables = {"worklist": _worklist_rows(school_year, outcome), "signals": _signal_rows(school_year, outcome)}
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


def _signal_rows(school_year: str, outcome: PayerOutcome) -> list[dict[str, Any]]:
    rows = {signal.signal_id: signal for signal in outcome.signals}
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
    tables = {name: [row for row in figures.tables[name] if month in (None, row.get("month"))] for name in names}
    _publish_year(home, tables, school_year, version, **({"month": month} if month else {}))
    proofs = [proof.row() | {"school_year": school_year, "version": version} for proof in figures.proofs]
    publish(home, {"proofs": proofs}, {"school_year": school_year, "version": version})
    require(figures.proofs)
    return figures


def _publish_year(home: Home, tables: Tables, school_year: str, version: int, **scope: Any) -> None:
    publish(home, tables, {"school_year": school_year, "version": version} | scope)


def propose(home: Home, school_year: str, proposed_by: str, on: date) -> Proposal:
    """Compute the year, publish it as a draft, and lay its receipt down for a second person.

    Raises:
        EstablishmentBlocked: the year is established already, or the worklist is open.
    """
    standing = home.warehouse.establishment(school_year)
    if standing:
        raise EstablishmentBlocked([f"Schooljaar {school_year} is al vastgesteld (versie {standing.version})."])
    inputs = year_inputs(home, school_year)
    figures = publish_figures(home, school_year)
    receipt = make_receipt(inputs, figures, FIRST_VERSION)
    _require_one_kind(home, receipt["fictitious"])
    proposal = Proposal(FIRST_VERSION, receipt_hash(receipt), receipt)
    home.warehouse.propose(
        school_year,
        FIRST_VERSION,
        proposal.receipt_hash,
        canonical(receipt),
        reason="eerste vaststelling",
        proposed_by=proposed_by,
        proposed_on=on,
    )
    return proposal


def _require_one_kind(home: Home, fictitious: bool) -> None:
    """A home is real or fictitious, by its first proposal: one cell of a workbook may not sign a real year by itself."""
    if any(bool(earlier.receipt.get("fictitious")) != fictitious for earlier in home.warehouse.proposals()):
        kind = "fictief schooljaar" if fictitious else "echt schooljaar"
        raise EstablishmentBlocked([f"een {kind} hoort niet in deze administratie; gebruik een eigen map (--home)."])


def approve(home: Home, school_year: str, receipt: str, approved_by: str, on: date) -> None:
    """The second signature. It names the receipt, and falls when the year has changed since.

    Raises:
        NotProved: recomputed now, the year has another receipt than the one that was proposed.
        WarehouseError: there is no such proposal, or the same person proposed it.
    """
    if home.warehouse.establishment(school_year):
        raise EstablishmentBlocked([f"schooljaar {school_year} is al vastgesteld."])
    inputs = year_inputs(home, school_year)
    now = receipt_hash(make_receipt(inputs, compute_year(inputs, FIRST_VERSION), FIRST_VERSION))
    if now != receipt:
        raise NotProved(
            f"Het voorstel {receipt[:12]} past niet meer bij de gegevens (nu {now[:12]}). Stel opnieuw voor."
        )
    home.warehouse.approve(school_year, FIRST_VERSION, receipt, approved_by=approved_by, approved_on=on)


def establish_if_fictitious(home: Home, school_year: str, on: date) -> Establishment | None:
    """The established year; a fictitious one is fixed here with the two demo identities, a real one waits for two people.

    Returns:
        None while a real year waits.
    """
    standing = home.warehouse.establishment(school_year)
    if standing is None and current_setup(home, school_year).settings.fictitious:
        proposer, approver = DEMO_IDENTITIES
        proposal = propose(home, school_year, proposer, on)
        approve(home, school_year, proposal.receipt_hash, approver, on)
        standing = home.warehouse.establishment(school_year)
    return standing


def waits_for_two(school_year: str) -> EstablishmentBlocked:
    """What a run says of a real year that nobody has established yet."""
    sentence = "wacht op twee personen: 'zio establish --propose' en daarna '--approve' door een ander."
    return EstablishmentBlocked([f"schooljaar {school_year} {sentence}"])


def current_setup(home: Home, school_year: str) -> SchoolYearSetup:
    """The setup the year is computed from."""
    return read_setup(year_inputs(home, school_year).sheets)


def publish_delivered_hours(home: Home, school_year: str, month: str | None = None) -> list[dict[str, Any]]:
    """Add up the accepted timesheets, of one month or of all, and publish `delivered_hours`."""
    setup = current_setup(home, school_year)
    doelgroepen = {c.key: c.doelgroep for c in setup.classes}
    entries = [e for e in home.warehouse.active("provider_timesheets", school_year) if month in (None, e.month)]
    tables = [accepted_table(home, e, "provider_timesheets") for e in entries]
    rows = delivered_hours(pa.concat_tables(tables), doelgroepen) if tables else []
    scope = {"school_year": school_year} | ({"month": month} if month else {})
    publish(home, {"delivered_hours": rows}, scope)
    return rows
