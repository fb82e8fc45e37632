"""Fixing a school year by two people: proposals, and the approvals that name one by the hash of its receipt.

Belongs here: the two append-only tables and what may be added to them (SPEC section 5, `establish`). Does not belong
here: what stands in a receipt. The four eyes are a constraint of the database as well: whoever writes past this
module meets it there.
"""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, insert, select

from resources.tables import APPROVALS, PROPOSALS, REASONS_OF_A_NEW_VERSION
from zio_pipeline.errors import WarehouseError


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
    if not proposed_by.strip():
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
    connection.execute(
        insert(PROPOSALS),
        {
            "school_year": school_year,
            "version": version,
            "receipt_hash": receipt_hash,
            "receipt_json": receipt_json,
            "reason": reason,
            "proposed_by": proposed_by,
            "proposed_on": proposed_on,
        },
    )
    return True


def approve(
    connection: Connection, school_year: str, version: int, receipt_hash: str, *, approved_by: str, approved_on: date
) -> bool:
    """Approve the proposal with that receipt.

    Returns:
        False when the same person approved the same receipt before.

    Raises:
        WarehouseError: there is no such proposal, the approver is the proposer, the day lies before the proposal, or
            another receipt was approved for this version.
    """
    proposal = next(
        (p for p in proposals(connection, school_year) if (p.version, p.receipt_hash) == (version, receipt_hash)), None
    )
    if proposal is None:
        raise WarehouseError(
            f"Van schooljaar {school_year} versie {version} is geen voorstel met vingerafdruk {receipt_hash[:12]}; "
            "is het voorstel daarna veranderd, dan moet het nieuwe worden goedgekeurd."
        )
    if not approved_by.strip():
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
    connection.execute(
        insert(APPROVALS),
        {
            "school_year": school_year,
            "version": version,
            "receipt_hash": receipt_hash,
            "proposed_by": proposal.proposed_by,
            "approved_by": approved_by,
            "approved_on": approved_on,
        },
    )
    return True


def proposals(connection: Connection, school_year: str | None = None) -> list[Proposal]:
    """Every proposal of a school year, or of all, by version, then day, then hash."""
    query = select(PROPOSALS)
    if school_year is not None:
        query = query.where(PROPOSALS.c.school_year == school_year)
    found = connection.execute(query).mappings()
    made = [
        Proposal(receipt=json.loads(row["receipt_json"]), **{k: row[k] for k in row if k != "receipt_json"})
        for row in found
    ]
    return sorted(made, key=lambda p: (p.version, p.proposed_on, p.receipt_hash))


def history(connection: Connection, school_year: str | None = None) -> list[Establishment]:
    """Every approved establishment of a school year, or of all, by school year and version."""
    query = select(APPROVALS).order_by(APPROVALS.c.school_year, APPROVALS.c.version)
    if school_year is not None:
        query = query.where(APPROVALS.c.school_year == school_year)
    by_place = {(p.school_year, p.version, p.receipt_hash): p for p in proposals(connection, school_year)}
    return [
        Establishment(
            **vars(by_place[row.school_year, row.version, row.receipt_hash]),
            approved_by=row.approved_by,
            approved_on=row.approved_on,
        )
        for row in connection.execute(query)
    ]


def latest(connection: Connection, school_year: str) -> Establishment | None:
    """The approved establishment with the highest version, or None."""
    approved = history(connection, school_year)
    return approved[-1] if approved else None


def same_person(one: str, other: str) -> bool:
    """Whether two names are one: capitals, spaces and ways to write a letter make no difference."""
    return _identity(one) == _identity(other)


def _identity(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
