"""Fixing a school year by two people: proposals, and the approvals that name one by the hash of its receipt.

Belongs here: the two append-only tables and what may be added to them (SPEC section 5, `establish`). Does not belong
here: what stands in a receipt. The four eyes are a constraint of the database as well: whoever writes past this
module meets it there.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from resources import register_chain
from resources.tables import APPROVALS, DOCUMENTS, MANIFEST, PROPOSALS, REASONS_OF_A_NEW_VERSION
from zio_pipeline.errors import WarehouseError
from zio_pipeline.establishment import MONEY_SOURCES
from zio_pipeline.versions import ORDER_CHANGE

FILE_COLUMNS = ("source", "content_sha256", "contract_fingerprint", "parser_version", "key_id")
"""What tells the versions of a file apart, in a receipt and in the manifest."""


@dataclass(frozen=True)
class Proposal:
    """A school year somebody proposes to fix; `receipt` says on what and with which outcome."""

    school_year: str
    version: int
    receipt_hash: str
    receipt: dict[str, Any]
    reason: str
    proposed_by: str
    proposed_on: date


@dataclass(frozen=True)
class Establishment(Proposal):
    """A proposal that another person approved."""

    approved_by: str
    approved_on: date


def propose(
    connection: Connection,
    school_year: str,
    version: int,
    receipt_hash: str,
    receipt_json: str,
    *,
    reason: str,
    proposed_by: str,
    proposed_on: date,
) -> bool:
    """Add a proposal. A changed receipt is a new proposal, and an approval of the old one does not cover it.

    Args:
        connection: a writing transaction that holds the lock of the school year.
        school_year: 2025-2026.
        version: one more than the last approved version.
        receipt_hash: SHA-256 (hex) of `receipt_json` in UTF-8.
        receipt_json: a JSON object.
        reason: for a version above 1 one of `REASONS_OF_A_NEW_VERSION`; free for the first.
        proposed_by: who proposes.
        proposed_on: the business date.

    Returns:
        False when this receipt was proposed for this version before; the first proposer stays the proposer.

    Raises:
        WarehouseError: one of these is not as it should be, or the version has been approved already.
    """
    if not _identity(proposed_by):
        raise WarehouseError("Een voorstel heeft een naam nodig van wie het doet.")
    if hashlib.sha256(receipt_json.encode()).hexdigest() != receipt_hash or not isinstance(
        json.loads(receipt_json), dict
    ):
        raise WarehouseError("De vingerafdruk hoort niet bij dit vaststellingsbewijs.")
    if version > 1 and reason not in REASONS_OF_A_NEW_VERSION:
        raise WarehouseError(f"Een nieuwe versie heeft een reden nodig: {', '.join(REASONS_OF_A_NEW_VERSION)}.")
    if any(p.version == version and p.receipt_hash == receipt_hash for p in proposals(connection, school_year)):
        return False
    approved = (
        connection.scalar(select(func.max(APPROVALS.c.version)).where(APPROVALS.c.school_year == school_year)) or 0
    )
    if version != approved + 1:
        raise WarehouseError(
            f"Van schooljaar {school_year} is versie {approved} vastgesteld; "
            f"een voorstel krijgt versie {approved + 1}, niet {version}."
        )
    row = {
        "school_year": school_year,
        "version": version,
        "receipt_hash": receipt_hash,
        "receipt_json": receipt_json,
        "reason": reason,
        "proposed_by": proposed_by,
        "proposed_on": proposed_on,
    }
    register_chain.append(connection, PROPOSALS, [row])
    return True


def approve(
    connection: Connection, school_year: str, version: int, receipt_hash: str, *, approved_by: str, approved_on: date
) -> bool:
    """Approve the proposal with that receipt.

    Args:
        connection: a writing transaction that holds the locks of the ledger, of the school year and of the manifest, so that
            nothing is posted, established or taken in between this look and the commit.
        school_year: 2025-2026.
        version: of the proposal.
        receipt_hash: of the proposal.
        approved_by: who approves.
        approved_on: the business date.

    Returns:
        False when the same person approved the same receipt before.

    Raises:
        WarehouseError: there is no such proposal, the approver is the proposer, the day lies before the proposal, another
            receipt was approved for this version, or the year is no longer what the proposal was computed from.
    """
    proposal = next(
        (p for p in proposals(connection, school_year) if (p.version, p.receipt_hash) == (version, receipt_hash)), None
    )
    if proposal is None:
        raise WarehouseError(
            f"Van schooljaar {school_year} versie {version} is geen voorstel met vingerafdruk {receipt_hash[:12]}; "
            "is het voorstel daarna veranderd, dan moet het nieuwe worden goedgekeurd."
        )
    if not _identity(approved_by):
        raise WarehouseError("Een goedkeuring heeft een naam nodig van wie haar geeft.")
    if same_person(approved_by, proposal.proposed_by):
        raise WarehouseError("Wie voorstelt keurt niet goed: vier ogen zijn nodig.")
    if approved_on < proposal.proposed_on:
        raise WarehouseError(
            f"Een goedkeuring op {approved_on:%d-%m-%Y} kan niet vóór het voorstel van {proposal.proposed_on:%d-%m-%Y} liggen."
        )
    standing = connection.execute(
        select(APPROVALS).where(APPROVALS.c.school_year == school_year, APPROVALS.c.version == version)
    ).one_or_none()
    if standing is not None:
        if standing.receipt_hash == receipt_hash and same_person(standing.approved_by, approved_by):
            return False
        raise WarehouseError(
            f"Schooljaar {school_year} versie {version} is al vastgesteld; een wijziging is een nieuwe versie."
        )
    _require_unchanged(connection, proposal)
    row = {
        "school_year": school_year,
        "version": version,
        "receipt_hash": receipt_hash,
        "proposed_by": proposal.proposed_by,
        "approved_by": approved_by,
        "approved_on": approved_on,
    }
    register_chain.append(connection, APPROVALS, [row])
    return True


def _require_unchanged(connection: Connection, proposal: Proposal) -> None:
    """The files that count must be those its receipt names, its base the version in force, and for an order change the periods
    in which documents stand those it took as given.
    """
    school_year, receipt = proposal.school_year, proposal.receipt
    base, standing = receipt.get("base"), latest(connection, school_year)
    changed = []
    if base and (
        standing is None or (standing.version, standing.receipt_hash) != (base["version"], base["receipt_hash"])
    ):
        changed.append("de versie die geldt")
    if _counting(connection, school_year) != _named(receipt.get("inputs", ())):
        changed.append("de bestanden die tellen")
    if base and base["reason"] == ORDER_CHANGE and _standing(connection, school_year) != _places(base["posted"]):
        changed.append("wat geboekt is")
    if changed:
        raise WarehouseError(
            f"Het voorstel {proposal.receipt_hash[:12]} past niet meer: {', '.join(changed)}. Stel opnieuw voor."
        )


def _named(inputs: Sequence[Mapping[str, Any]]) -> set[tuple[str, ...]]:
    """The files of a receipt that the manifest knows: answers of municipalities are kept in the vault alone."""
    return {tuple(file[name] for name in FILE_COLUMNS) for file in inputs if file["source"] in MONEY_SOURCES}


def _counting(connection: Connection, school_year: str) -> set[tuple[str, ...]]:
    query = select(*(MANIFEST.c[name] for name in FILE_COLUMNS)).where(
        MANIFEST.c.school_year == school_year, MANIFEST.c.active, MANIFEST.c.source.in_(MONEY_SOURCES)
    )
    return {tuple(row) for row in connection.execute(query)}


def _standing(connection: Connection, school_year: str) -> set[tuple[str, str]]:
    """Payer and period of every document that is no credit and was not credited."""
    taken_back = select(DOCUMENTS.c.credits).where(DOCUMENTS.c.credits.is_not(None))
    query = select(DOCUMENTS.c.payer, DOCUMENTS.c.period).where(
        DOCUMENTS.c.school_year == school_year, DOCUMENTS.c.credits.is_(None), DOCUMENTS.c.number.not_in(taken_back)
    )
    return {(row.payer, row.period) for row in connection.execute(query)}


def _places(posted: Sequence[Sequence[str]]) -> set[tuple[str, str]]:
    return {(payer, period) for payer, period in posted}


def proposals(connection: Connection, school_year: str | None = None) -> list[Proposal]:
    """Every proposal of a school year, or of all, by version, then day, then hash.

    Raises:
        WarehouseError: a receipt cannot be read.
    """
    query = select(PROPOSALS)
    if school_year is not None:
        query = query.where(PROPOSALS.c.school_year == school_year)
    found = connection.execute(query).mappings()
    made = [
        Proposal(receipt=_receipt(row["receipt_json"]), **{k: row[k] for k in row if k != "receipt_json"})
        for row in found
    ]
    return sorted(made, key=lambda p: (p.version, p.proposed_on, p.receipt_hash))


def history(connection: Connection, school_year: str | None = None) -> list[Establishment]:
    """Every approved establishment of a school year, or of all, by school year and version.

    Raises:
        WarehouseError: a receipt cannot be read, or an approval names no proposal.
    """
    query = select(APPROVALS).order_by(APPROVALS.c.school_year, APPROVALS.c.version)
    if school_year is not None:
        query = query.where(APPROVALS.c.school_year == school_year)
    by_place = {(p.school_year, p.version, p.receipt_hash): p for p in proposals(connection, school_year)}
    found = []
    for row in connection.execute(query):
        proposal = by_place.get((row.school_year, row.version, row.receipt_hash))
        if proposal is None:
            raise WarehouseError(
                "Tabel establishment_approvals: een goedkeuring hoort bij geen voorstel; voer 'zio verify' uit."
            )
        found.append(Establishment(**vars(proposal), approved_by=row.approved_by, approved_on=row.approved_on))
    return found


def _receipt(text: str) -> dict[str, Any]:
    try:
        receipt = json.loads(text)
    except ValueError:
        receipt = None
    if not isinstance(receipt, dict):
        raise WarehouseError(
            "Tabel establishment_proposals, kolom receipt_json: het bewijs is onleesbaar; voer 'zio verify' uit."
        )
    return receipt


def latest(connection: Connection, school_year: str) -> Establishment | None:
    """The approved establishment with the highest version, or None."""
    approved = history(connection, school_year)
    return approved[-1] if approved else None


def same_person(one: str, other: str) -> bool:
    """Whether two names are one: capitals, spaces and ways to write a letter make no difference."""
    return _identity(one) == _identity(other)


def _identity(name: str) -> str:
    # What has no width (a zero-width space, a soft hyphen) makes nobody another person.
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", name) if unicodedata.category(letter) != "Cf")
    return " ".join(seen.casefold().split())
