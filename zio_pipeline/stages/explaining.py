"""Explaining what was posted: the signed books of every version, as trees and as files for who settles or audits.

Belongs here: which tables, workbook and decisions a version was signed with, found by its receipt, and writing the text.
Does not belong here: how a figure follows (`explain`), which files an outbox may send (nothing of this leaves it).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resources.establishments import Proposal
from resources.home import Home, write_atomically
from zio_pipeline.contracts import sources
from zio_pipeline.errors import EstablishmentBlocked, NotProved
from zio_pipeline.establishment import require_signed, sha256_of
from zio_pipeline.explain import Explainer, Node, VersionBooks, rendered
from zio_pipeline.explain.books import TABLES
from zio_pipeline.explain.nodes import walk
from zio_pipeline.payer import Decision
from zio_pipeline.setup import SchoolYearSetup, read_setup
from zio_pipeline.stages.publishing import trusted_rows
from zio_pipeline.stages.standing import DECISIONS, accepted_rows

SETUP = "school_year_setup"


@dataclass(frozen=True)
class Explained:
    """What was written: documents, their lines, and the figures that were proved under them."""

    documents: int
    lines: int
    figures: int


def open_explainer(home: Home, school_year: str, *, pseudonyms: bool = False) -> Explainer:
    """The books of every version of an established year, with its posted documents.

    Args:
        home: where everything is kept.
        school_year: its key.
        pseudonyms: read from the vault who was counted; without it no pseudonym and no row is read (SPEC section 8).

    Raises:
        EstablishmentBlocked: the year is not established.
        NotProved: a table has no valid verdict or is not the one that was signed for, or the decisions are not there.
    """
    versions = [_version(home, signed, pseudonyms=pseudonyms) for signed in _signed(home, school_year)]
    return Explainer(versions, home.ledger.posted(school_year))


def explain_document(home: Home, number: str, *, pseudonyms: bool = False) -> str:
    """A posted document as text.

    Raises:
        ZioError: there is no such document; or as in `open_explainer`.
    """
    school_year = home.ledger.document(number).school_year
    tree = open_explainer(home, school_year, pseudonyms=pseudonyms).document(number)
    return rendered(tree, pseudonyms=pseudonyms)


def explain_share(
    home: Home, school_year: str, order_id: str, stream: str, payer: str, *, pseudonyms: bool = False
) -> str:
    """The year of a payer in one order and stream as text, of the version in force.

    Raises:
        ZioError: there is no such share; or as in `open_explainer`.
    """
    tree = open_explainer(home, school_year, pseudonyms=pseudonyms).share(order_id, stream, payer)
    return rendered(tree, pseudonyms=pseudonyms)


def write_explanations(home: Home, school_year: str) -> Explained:
    """Write a file per posted document into the restricted part of the outbox, without pseudonyms.

    Raises:
        NotProved: a figure of any document does not follow from its parts; nothing has been written then.
    """
    explainer = open_explainer(home, school_year)
    trees: dict[str, Node] = {number: explainer.document(number) for number in sorted(explainer.documents)}
    folder = home.outbox / school_year / "vertrouwelijk" / "uitleg"
    for number, tree in trees.items():
        # The number begins with the code of the sender, which a workbook may spell with a slash.
        name = number.replace("/", "_").replace("\\", "_")
        write_atomically(folder / f"{name}.txt", rendered(tree).encode())
    figures = {id(node) for tree in trees.values() for node in walk(tree)}
    lines = sum(len(document.lines) for document in explainer.documents.values())
    return Explained(len(trees), lines, len(figures))


def _signed(home: Home, school_year: str) -> list[Proposal]:
    """The version in force and, by the receipt that each names as its base, every one before it; the oldest first."""
    standing = home.warehouse.establishment(school_year)
    if standing is None:
        raise EstablishmentBlocked([f"Schooljaar {school_year} is nog niet vastgesteld; er is niets uit te leggen."])
    by_receipt = {proposal.receipt_hash: proposal for proposal in home.warehouse.proposals(school_year)}
    chain: list[Proposal] = [standing]
    while base := chain[-1].receipt.get("base"):
        chain.append(by_receipt[base["receipt_hash"]])
    return chain[::-1]


def _version(home: Home, signed: Proposal, *, pseudonyms: bool) -> VersionBooks:
    school_year, receipt = signed.school_year, signed.receipt
    scope = {"school_year": school_year, "version": signed.version}
    tables = {name: trusted_rows(home, name, **scope) for name in TABLES}
    require_signed(receipt, tables)
    return VersionBooks(
        school_year=school_year,
        version=signed.version,
        reason=signed.reason,
        setup=_setup(home, school_year, receipt),
        tables=tables,
        decisions=_decisions(home, school_year, receipt) if pseudonyms else None,
    )


def _setup(home: Home, school_year: str, receipt: Mapping[str, Any]) -> SchoolYearSetup:
    """The workbook that the receipt names."""
    named = [dict(file) for file in receipt["inputs"] if file["source"] == SETUP]
    entries = [
        entry
        for entry in home.warehouse.manifest(source=SETUP, school_year=school_year)
        if {name: getattr(entry, name) for name in named[0]} in named
    ]
    return read_setup({d.name: accepted_rows(home, entries[0], d.name) for d in sources()[SETUP].datasets})


def _decisions(home: Home, school_year: str, receipt: Mapping[str, Any]) -> tuple[Decision, ...]:
    """Who pays for whom, as it was signed for: the vault keeps it under its own hash."""
    signed = receipt["decisions_sha256"]
    name = f"{DECISIONS}{school_year}-{signed}"
    rows = home.vault.get(name).to_pylist() if home.vault.has(name) else None
    if rows is None or sha256_of(rows) != signed:
        raise NotProved(
            f"De beslissingen per leerling van versie {receipt['version']} staan niet (meer) in de kluis zoals ze zijn "
            "vastgesteld. Zonder --vault is de uitleg er wel."
        )
    return tuple(Decision(**row) for row in rows)
