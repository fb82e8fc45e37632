"""Billing a school year: what is due is posted, what cannot go out yet is parked, and both become tables.

Belongs here: reading the established terms (only with proof), planning, posting, and publishing the result.
Does not belong here: what may be posted (billing), numbers (the ledger).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any

from resources.home import Home
from zio_pipeline.billing import (
    Agreement,
    BillingCalendar,
    Commitment,
    Debtor,
    Declared,
    Desired,
    DesiredDocument,
    Parked,
    PostedDocument,
    Standing,
    TermAmount,
    desired_documents,
    invoice_rows,
    plan_run,
)
from zio_pipeline.claims import settled_claims
from zio_pipeline.errors import EstablishmentBlocked, SetupError, ZioError
from zio_pipeline.establishment import require_signed, table_hashes
from zio_pipeline.reference import municipalities
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.stages.claims import judged_claims
from zio_pipeline.stages.inputs import newest_setup
from zio_pipeline.stages.publishing import publish, trusted_rows
from zio_pipeline.stages.year import current_setup

DOCUMENT_TABLES = ("in_region_invoices", "out_of_region_invoices", "wlz_documents")
Wanted = Callable[[DesiredDocument], bool]


@dataclass(frozen=True)
class Billed:
    """Outcome of a billing run: documents posted now, everything that waits, and everything that stands."""

    posted_now: tuple[PostedDocument, ...]
    parked: tuple[Parked, ...]
    posted: tuple[PostedDocument, ...]


def bill(
    home: Home,
    school_year: str,
    as_of: date,
    *,
    replay: bool = False,
    only: Wanted = lambda _: True,
    preview: bool = False,
) -> Billed:
    """Post everything due on or before the business date and not posted, take back what changed, park what may not go out.

    Args:
        home: where everything is kept.
        school_year: key of an established year.
        as_of: the business date; it becomes the document date.
        replay: take each due date as business date, on an empty ledger only (demo, migration).
        only: restricts what is posted for the first time; corrections and limits go over everything.
        preview: the same run up to its last step; then nothing has been written.

    Raises:
        EstablishmentBlocked: the year is not established.
        NotProved: the terms or shares lack a valid verdict, or are not those that were signed for.
        ZioError: the business date lies before the last document of the year, or as in `billing.plan_run`.
    """
    books, posted = _open_books(home, school_year, as_of), home.ledger.posted(school_year)
    last = max((document.document_date for document in posted), default=as_of)
    if as_of < last:
        raise ZioError(
            f"De boekdatum {as_of:%d-%m-%Y} ligt vóór het laatste document van dit schooljaar ({last:%d-%m-%Y})."
        )
    plan = plan_run(books.desired, posted, as_of, books.standing, replay=replay, only=only)
    posted_now = home.ledger.post(plan.to_post, preview=preview)
    standing = [*posted, *posted_now] if preview else home.ledger.posted(school_year)
    rest = plan_run(books.desired, standing, as_of, books.standing)
    return Billed(tuple(posted_now), rest.parked, tuple(standing))


def require_no_future(home: Home, school_year: str, as_of: date, today: date) -> None:
    """A document of a real year may not carry a day that has still to come: a slip of the pen could not be undone.

    Raises:
        ZioError: the business date lies after today.
    """
    if as_of > today and not current_setup(home, school_year).settings.fictitious:
        raise ZioError(f"De boekdatum {as_of:%d-%m-%Y} ligt in de toekomst; vandaag is het {today:%d-%m-%Y}.")


def publish_documents(
    home: Home, school_year: str, billed: Billed, names: Sequence[str] = DOCUMENT_TABLES, **scope: Any
) -> dict[str, list[dict[str, Any]]]:
    """Publish the posted documents (of a period, when the scope names one) as finance tables."""
    scope = {"school_year": school_year} | scope
    rows = {
        name: [r for r in found if all(r[k] == v for k, v in scope.items())]
        for name, found in invoice_rows(billed.posted).items()
        if name in names
    }
    publish(home, rows, scope)
    return rows


def publish_behind(home: Home, school_year: str, billed: Billed) -> None:
    """Publish every period of every table that is not what the ledger says: posted now, or by a run that was cut off."""
    for name, rows in invoice_rows(billed.posted).items():
        published = home.warehouse.rows(name, school_year=school_year)
        for period in sorted({row["period"] for row in [*rows, *published]}):
            now, then = ([r for r in found if r["period"] == period] for found in (rows, published))
            if table_hashes({name: now}) != table_hashes({name: then}):
                publish(home, {name: now}, {"school_year": school_year, "period": period})


def publish_parked(home: Home, school_year: str, billed: Billed) -> list[dict[str, Any]]:
    """Publish what is due and cannot be posted yet."""
    rows = [asdict(parked) for parked in billed.parked]
    publish(home, {"parked_documents": rows}, {"school_year": school_year})
    return rows


@dataclass(frozen=True)
class _Books:
    """What an established year asks for, with its limits, and who may be billed for it."""

    desired: Desired
    standing: Standing


def _open_books(home: Home, school_year: str, as_of: date) -> _Books:
    established = home.warehouse.establishment(school_year)
    if established is None:
        raise EstablishmentBlocked([f"Schooljaar {school_year} is nog niet vastgesteld; er kan niets worden geboekt."])
    scope = {"school_year": school_year, "version": established.version}
    setup = current_setup(home, school_year)
    settings = setup.settings
    halves = (settings.first_half_due_month, settings.second_half_due_month)
    calendar = BillingCalendar.of(settings.school_year, settings.term_months, settings.first_half_months, halves)
    names = [field.name for field in fields(TermAmount)]
    tables = {name: trusted_rows(home, name, **scope) for name in ("terms", "municipal_shares")}
    require_signed(established.receipt, tables)
    terms = [TermAmount(**{name: row[name] for name in names}) for row in tables["terms"]]
    shares = tables["municipal_shares"]
    return _Books(
        desired=Desired(
            school_year=school_year,
            version=established.version,
            documents=desired_documents(established.version, terms, calendar),
            year_shares={(row["order_id"], row["stream"], row["payer"]): row["amount_cents"] for row in shares},
            vat_category=settings.vat_category,
        ),
        standing=replace(_standing(home, school_year, setup), claimed=_claimed(home, setup, as_of)),
    )


def _standing(home: Home, school_year: str, established: SchoolYearSetup) -> Standing:
    """Who may be billed, by the newest workbook: a commitment or a debtor that came later releases what was parked.

    Membership is that of the established year: it decides the rhythm, and that does not change.
    """
    setup = newest_setup(home, school_year)
    sheets = setup.sheets
    return Standing(
        sender=_sender(established, sheets["debtors"]),
        debtors=tuple(_debtor(row) for row in sheets["debtors"]),
        members=frozenset(
            r["municipality"] for r in established.sheets["municipalities"] if established.is_member(r["municipality"])
        ),
        commitments=tuple(
            Commitment(row["municipality"], row["commitment_on"], row["commitment_cents"])
            for row in sheets["municipalities"]
            if row["commitment_on"] is not None
        ),
        agreements=tuple(
            Agreement(row["zorgkantoor"], row["agreed_from"], row["agreed_to"])
            for row in sheets["zorgkantoren"]
            if row["agreed_from"] is not None
        ),
        successors=municipalities().successors,
        named_successors={b.subject: b.payer for b in setup.decisions_of("successor") if b.subject and b.payer},
    )


def _claimed(home: Home, established: SchoolYearSetup, as_of: date) -> frozenset[Declared] | None:
    """The declarations that a right claim came for, where the region waits for it (a setting)."""
    settings = established.settings
    if not settings.wait_for_claims:
        return None
    settled = settled_claims(judged_claims(home, settings.school_year.key, as_of).control.months)
    return frozenset((place.order_id, place.month, place.law) for place in settled)


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
