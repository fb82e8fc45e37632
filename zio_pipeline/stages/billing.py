"""Billing a school year: what is due is posted, what cannot go out yet is parked, and both become tables.

Belongs here: reading the established terms (only with proof), planning, posting, and publishing the result.
Does not belong here: what may be posted (billing), numbers (the ledger).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from zio_pipeline.billing import (
    Agreement,
    BillingCalendar,
    BillingPlan,
    Commitment,
    Debtor,
    DesiredDocument,
    Parked,
    PostedDocument,
    Standing,
    TermAmount,
    desired_documents,
    invoice_rows,
    plan_run,
)
from zio_pipeline.contracts import sources
from zio_pipeline.errors import EstablishmentBlocked, SetupError
from zio_pipeline.reference import municipalities
from zio_pipeline.setup import SchoolYearSetup, read_setup
from zio_pipeline.stages.publishing import publish, trusted_rows
from zio_pipeline.stages.receiving import accepted_rows
from zio_pipeline.stages.stores import Stores
from zio_pipeline.stages.year import current_setup

DOCUMENT_TABLES = ("in_region_invoices", "out_of_region_invoices", "wlz_documents")
Wanted = Callable[[DesiredDocument], bool]


@dataclass(frozen=True)
class Billed:
    """Outcome of a billing run: documents posted now, everything that waits, and everything that stands."""

    posted_now: tuple[PostedDocument, ...]
    parked: tuple[Parked, ...]
    posted: tuple[PostedDocument, ...]


def bill(stores: Stores, school_year: str, as_of: date, *, replay: bool = False, only: Wanted = lambda _: True) -> Billed:
    """Post everything that is due on or before the business date and not posted; park what may not go out.

    Args:
        stores: an opened home.
        school_year: key of an established year.
        as_of: the business date; it becomes the document date.
        replay: take each due date as business date, on an empty ledger only (demo, migration).
        only: restricts what is posted now; the limits are checked over everything.

    Raises:
        EstablishmentBlocked: the year is not established.
        NotProved: the terms or shares lack a valid verdict.
        ZioError: as in `billing.plan_run`.
    """
    setup, desired = _desired(stores, school_year)
    posted = stores.ledger.posted(school_year)
    plan = _plan(stores, school_year, as_of, replay, [d for d in desired if only(d) or _is_posted(d, posted)], posted)
    posted_now = stores.ledger.post(plan.to_post)
    everything = stores.ledger.posted(school_year)
    waiting = _plan(stores, school_year, as_of, False, desired, everything).parked if setup else ()
    return Billed(tuple(posted_now), tuple(waiting), tuple(everything))


def publish_documents(stores: Stores, school_year: str, billed: Billed, names: Sequence[str] = DOCUMENT_TABLES, **scope: Any) -> dict[str, list[dict[str, Any]]]:
    """Publish the posted documents (of a period, when the scope names one) as finance tables."""
    scope = {"school_year": school_year} | scope
    rows = {name: [r for r in found if all(r[k] == v for k, v in scope.items())] for name, found in invoice_rows(billed.posted).items() if name in names}
    publish(stores, rows, **scope)
    return rows


def publish_parked(stores: Stores, school_year: str, billed: Billed) -> list[dict[str, Any]]:
    """Publish what is due and cannot be posted yet."""
    rows = [asdict(parked) for parked in billed.parked]
    publish(stores, {"parked_documents": rows}, school_year=school_year)
    return rows


def _desired(stores: Stores, school_year: str) -> tuple[SchoolYearSetup, list[DesiredDocument]]:
    standing = stores.warehouse.establishment(school_year)
    if standing is None:
        raise EstablishmentBlocked([f"Schooljaar {school_year} is nog niet vastgesteld; er kan niets worden geboekt."])
    setup = current_setup(stores, school_year)
    settings = setup.settings
    halves = (settings.first_half_due_month, settings.second_half_due_month)
    calendar = BillingCalendar.of(settings.school_year, settings.term_months, settings.first_half_months, halves)
    names = [field.name for field in fields(TermAmount)]
    rows = trusted_rows(stores, "terms", school_year=school_year, version=standing.version)
    terms = [TermAmount(**{name: row[name] for name in names}) for row in rows]
    return setup, desired_documents(standing.version, terms, calendar)


def _plan(
    stores: Stores, school_year: str, as_of: date, replay: bool, desired: Sequence[DesiredDocument], posted: Sequence[PostedDocument]
) -> BillingPlan:
    version = stores.warehouse.establishment(school_year).version
    shares = trusted_rows(stores, "municipal_shares", school_year=school_year, version=version)
    year_shares = {(row["order_id"], row["stream"], row["payer"]): row["amount_cents"] for row in shares}
    return plan_run(desired, posted, as_of, _standing(stores, school_year), year_shares, replay=replay)


def _is_posted(document: DesiredDocument, posted: Sequence[PostedDocument]) -> bool:
    return any((p.payer, p.period) == (document.payer, document.period) for p in posted)


def _standing(stores: Stores, school_year: str) -> Standing:
    """Who may be billed, by the newest workbook: a commitment or a debtor that came later releases what was parked.

    Membership is that of the established year: it decides the rhythm, and that does not change.
    """
    established = current_setup(stores, school_year)
    (newest,) = stores.warehouse.active("school_year_setup", school_year)
    setup = read_setup({d.name: accepted_rows(stores, newest, d.name) for d in sources()["school_year_setup"].datasets})
    sheets = setup.sheets
    return Standing(
        sender=_sender(established, sheets["debtors"]),
        debtors=tuple(_debtor(row) for row in sheets["debtors"]),
        members=frozenset(r["municipality"] for r in established.sheets["municipalities"] if established.is_member(r["municipality"])),
        commitments=tuple(
            Commitment(row["municipality"], row["commitment_on"], row["commitment_cents"])
            for row in sheets["municipalities"]
            if row["commitment_on"] is not None
        ),
        agreements=tuple(
            Agreement(row["zorgkantoor"], row["agreed_from"], row["agreed_to"]) for row in sheets["zorgkantoren"] if row["agreed_from"] is not None
        ),
        successors=municipalities().successors,
        named_successors={b.subject: b.payer for b in setup.decisions_of("successor") if b.subject and b.payer},
    )


def _sender(setup: SchoolYearSetup, debtors: Sequence[Any]) -> Debtor:
    """The body that sends the documents: the region itself, or a municipality that does it for the region."""
    settings = setup.settings
    if settings.sender == settings.region_code:
        return Debtor(settings.region_code, settings.region_name, (), "")
    rows = [row for row in debtors if row["payer"] == settings.sender]
    if not rows:
        raise SetupError(f"De afzender {settings.sender} staat niet bij de debiteuren.")
    return _debtor(rows[0])


def _debtor(row: Any) -> Debtor:
    address = (f"{row['street']} {row['house_number']}", f"{row['postcode']} {row['place']}")
    return Debtor(row["payer"], row["name"], address, row["buyer_reference"], row["valid_from"], row["valid_to"])
