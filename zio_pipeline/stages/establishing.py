"""Fixing a school year by two signatures: the first time, and each new version with its reason (SPEC section 5, `establish`).

Belongs here: proposing, looking a proposal over, approving it. Does not belong here: what stands in a receipt
(`establishment`), which rows a version is computed from (`inputs`), the four-eyes constraint (the warehouse holds that).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from resources import closing
from resources.establishments import Establishment
from resources.home import Home
from zio_pipeline.errors import EstablishmentBlocked, NotProved, ZioError
from zio_pipeline.establishment import FIRST_VERSION, REASON_OF_WORD, make_receipt, reason_of, receipt_hash
from zio_pipeline.figures import YearFigures, YearInputs, canonical, compute_year
from zio_pipeline.stages import year
from zio_pipeline.stages.inputs import current_inputs, next_inputs
from zio_pipeline.versions import PayerChange, idle_changes, payer_changes

DEMO_IDENTITIES = ("demo-voorsteller", "demo-goedkeurder")
"""Who sign for a year whose workbook says it is fictitious; a real year waits for two people."""
FIRST_REASON = "eerste vaststelling"
_NUMBER_OF_A_PERSON = re.compile(r"[0-9]{8,}")


@dataclass(frozen=True)
class Proposal:
    """A receipt waiting for its second signature.

    `changes`: per payer what its year was in the version in force and becomes; none for the first version. `idle`: besluiten
    `order_change` that change nothing.
    """

    version: int
    receipt_hash: str
    receipt: Mapping[str, Any]
    changes: tuple[PayerChange, ...] = ()
    idle: tuple[str, ...] = ()


def propose(
    home: Home, school_year: str, proposed_by: str, on: date, *, reason: str | None = None, explanation: str = ""
) -> Proposal:
    """Compute the year, publish it as a draft under its own version, and lay its receipt down for a second person.

    Args:
        home: where everything is kept.
        school_year: key of the year.
        proposed_by: the first signature.
        on: the business date.
        reason: of a new version of an established year: peildatumfout, parameterfout, bezwaar or opdrachtwijziging.
        explanation: of a new version, free text without personal data; it becomes part of the receipt.

    Raises:
        EstablishmentBlocked: the worklist is open, the year is established and no reason is given, or as in `versions`.
        ZioError: the reason is none, a mutation above all; or the explanation holds what looks like the number of a person.
    """
    standing = home.warehouse.establishment(school_year)
    if _NUMBER_OF_A_PERSON.search(explanation):
        raise ZioError(
            "De toelichting lijkt een nummer van een persoon te bevatten; schrijf haar zonder persoonsgegevens."
        )
    if standing is None and (reason or explanation):
        raise EstablishmentBlocked(
            [
                f"schooljaar {school_year} is nog niet vastgesteld; een eerste vaststelling heeft geen reden of toelichting."
            ]
        )
    if standing is not None and not reason:
        raise EstablishmentBlocked(
            [
                f"Schooljaar {school_year} is al vastgesteld (versie {standing.version}). "
                f"Een nieuwe versie heeft een reden nodig (--reason): {', '.join(REASON_OF_WORD)}."
            ]
        )
    code = reason_of(reason) if reason else FIRST_REASON
    version = standing.version + 1 if standing else FIRST_VERSION
    with home.warehouse.database.reading() as connection:
        closing.require_not_closed(connection, school_year)
    inputs = next_inputs(home, standing, code, explanation.strip()) if standing else current_inputs(home, school_year)
    figures = compute_year(inputs, version)
    made = _proposal(inputs, figures, version)
    _require_one_kind(home, made.receipt["fictitious"])
    year.publish_computed(home, figures, version)
    home.warehouse.propose(
        school_year,
        version,
        made.receipt_hash,
        canonical(made.receipt),
        reason=code,
        proposed_by=proposed_by,
        proposed_on=on,
    )
    return made


def _proposal(inputs: YearInputs, figures: YearFigures, version: int) -> Proposal:
    receipt, base = make_receipt(inputs, figures, version), inputs.base
    if base is None:
        return Proposal(version, receipt_hash(receipt), receipt)
    changes = payer_changes(base.tables["municipal_shares"], figures.tables["municipal_shares"])
    idle = idle_changes(figures.setup, base, receipt["base"]["first_terms"])
    return Proposal(version, receipt_hash(receipt), receipt, tuple(changes), tuple(idle))


def _require_one_kind(home: Home, fictitious: bool) -> None:
    """A home is real or fictitious, by its first proposal: one cell of a workbook may not sign a real year by itself."""
    if any(bool(earlier.receipt.get("fictitious")) != fictitious for earlier in home.warehouse.proposals()):
        kind = "fictief schooljaar" if fictitious else "echt schooljaar"
        raise EstablishmentBlocked([f"een {kind} hoort niet in deze administratie; gebruik een eigen map (--home)."])


def proposed(home: Home, school_year: str, receipt: str) -> Proposal:
    """The proposal of that receipt, computed anew from the files of now, beside the version in force now.

    Raises:
        EstablishmentBlocked: the year is established already and this is no proposal for the next version.
        NotProved: the year, its base or (of an order change) what was posted changed since: another receipt comes out.
    """
    return _again(home, school_year, receipt)[0]


def _again(home: Home, school_year: str, receipt: str) -> tuple[Proposal, YearFigures]:
    standing = home.warehouse.establishment(school_year)
    version = standing.version + 1 if standing else FIRST_VERSION
    laid_down = [p for p in home.warehouse.proposals(school_year) if (p.version, p.receipt_hash) == (version, receipt)]
    if standing and not laid_down:
        raise EstablishmentBlocked(
            [
                f"schooljaar {school_year} is al vastgesteld (versie {standing.version}), en van versie {version} is geen "
                f"voorstel met bewijs {receipt[:12]}."
            ]
        )
    inputs = (
        next_inputs(home, standing, laid_down[0].reason, laid_down[0].receipt["base"]["explanation"])
        if standing
        else current_inputs(home, school_year)
    )
    figures = compute_year(inputs, version)
    made = _proposal(inputs, figures, version)
    if made.receipt_hash != receipt:
        raise NotProved(
            f"Het voorstel {receipt[:12]} past niet meer bij de gegevens (nu {made.receipt_hash[:12]}). Stel opnieuw voor."
        )
    return made, figures


def approve(home: Home, school_year: str, receipt: str, approved_by: str, on: date) -> Proposal:
    """The second signature. It names the receipt, and falls when the year changed since, or (order change) something was posted.

    What was computed again is published first: another proposal of the same version may have left its draft in the tables.

    Returns:
        What was signed.

    Raises:
        EstablishmentBlocked, NotProved: as in `proposed`.
        WarehouseError: there is no such proposal, the same person proposed it, or the year changed at the last moment.
    """
    signed, figures = _again(home, school_year, receipt)
    year.publish_computed(home, figures, signed.version)
    home.warehouse.approve(school_year, signed.version, receipt, approved_by=approved_by, approved_on=on)
    return signed


def establish_if_fictitious(home: Home, school_year: str, on: date) -> Establishment | None:
    """The established year; a fictitious one is fixed here with the two demo identities, a real one waits for two people.

    Returns:
        None while a real year waits.
    """
    standing = home.warehouse.establishment(school_year)
    if standing is None and year.current_setup(home, school_year).settings.fictitious:
        proposer, approver = DEMO_IDENTITIES
        proposal = propose(home, school_year, proposer, on)
        approve(home, school_year, proposal.receipt_hash, approver, on)
        standing = home.warehouse.establishment(school_year)
    return standing


def waits_for_two(school_year: str) -> EstablishmentBlocked:
    """What a run says of a real year that nobody has established yet."""
    sentence = "wacht op twee personen: 'zio establish --propose' en daarna '--approve' door een ander."
    return EstablishmentBlocked([f"schooljaar {school_year} {sentence}"])
