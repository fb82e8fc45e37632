"""Desired minus posted: what a run posts on its business date, what it takes back, what it parks, and when it must stop.

Belongs here: choosing, on data alone. The same input gives the same plan, and a second run over its own result plans
nothing: that is the proof of idempotency. Does not belong here: numbers and storage (`resources.ledger`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from zio_pipeline.billing.documents import DesiredDocument, due_dates, posting_order
from zio_pipeline.billing.posted import PostedDocument, ReadyDocument, credit_of, standing_documents
from zio_pipeline.billing.standing import Parked, Standing
from zio_pipeline.errors import NotProved, ZioError

ShareKey = tuple[str, str, str]
"""Order, stream, payer."""
Place = tuple[str, str]
"""Payer and period: one document at a time stands there."""


@dataclass(frozen=True)
class Desired:
    """What the version in force asks for: its documents, and the limits nothing may pass.

    `year_shares` holds the cents of the year per (order, stream, payer), from `municipal_shares`: the limits stand apart
    from the calculation of the documents. `vat_category` is E (exempt) or O (outside the scope), a setting of the year.
    """

    school_year: str
    version: int
    documents: Sequence[DesiredDocument]
    year_shares: Mapping[ShareKey, int]
    vat_category: str


@dataclass(frozen=True)
class BillingPlan:
    """What to post, in this order, a credit before what replaces it; and what is due and waits. Both empty: nothing to do."""

    to_post: tuple[ReadyDocument, ...]
    parked: tuple[Parked, ...]


def plan_run(
    desired: Desired,
    posted: Sequence[PostedDocument],
    as_of: date,
    standing: Standing,
    *,
    replay: bool = False,
    only: Callable[[DesiredDocument], bool] = lambda _: True,
) -> BillingPlan:
    """The plan of a whole run: of one business date, or with `replay` of every due date up to `as_of` and then `as_of`.

    A document that waits on its due date goes out on the first of those days on which nothing holds it any more.

    Args:
        desired: what the version in force asks for.
        posted: what the ledger holds of that year.
        as_of: the business date.
        standing: who may be billed, and to whom.
        replay: take each due date as business date; for a demo or a migration.
        only: restricts which periods are posted for the first time; corrections are never left half done.

    Raises:
        ZioError: a replay on a ledger that holds documents while there is something left to post; or as in `plan`.
    """
    if replay and posted:
        rest = plan(desired, posted, as_of, standing, only=only)
        if rest.to_post:
            raise ZioError(
                "Naspelen (--replay) kan alleen op een leeg grootboek; laat --replay weg om het verschil te boeken."
            )
        return rest
    to_post: tuple[ReadyDocument, ...] = ()
    result = BillingPlan((), ())
    for day in business_dates(desired.documents, as_of, replay):
        result = plan(desired, posted, day, standing, planned=to_post, only=only)
        to_post += result.to_post
    return BillingPlan(to_post, result.parked)


def business_dates(desired: Iterable[DesiredDocument], as_of: date, replay: bool) -> list[date]:
    """Just `as_of`; with `replay` first every due date before it."""
    return [*(day for day in due_dates(desired) if replay and day < as_of), as_of]


def plan(
    desired: Desired,
    posted: Sequence[PostedDocument],
    business_date: date,
    standing: Standing,
    *,
    planned: Sequence[ReadyDocument] = (),
    only: Callable[[DesiredDocument], bool] = lambda _: True,
) -> BillingPlan:
    """Post everything due on or before the business date that is not posted, and take back what the year no longer asks.

    A posted document that differs from what is desired now (payer, period, lines) is credited in full, and what is
    desired in its place is posted with it; it is credited all the same when that has to wait (SPEC section 5).

    Args:
        desired: what the version in force asks for.
        posted: what the ledger holds of that year.
        business_date: becomes the document date.
        standing: who may be billed, and to whom.
        planned: what earlier days of the same run will post.
        only: as in `plan_run`.

    Raises:
        NotProved: a document or a total would pass the share it is part of, or two would stand for one period.
    """
    _require_one_year(desired, posted)
    stands: dict[Place, PostedDocument | ReadyDocument] = {_place(d): d for d in standing_documents(posted)}
    stands |= {_place(d): d for d in planned}
    asked = {(d.payer, d.period): d.lines for d in desired.documents}
    wrong = {place for place, document in stands.items() if asked.get(place) != document.lines}
    credits = [
        credit_of(document, desired.version, business_date, standing)
        for document in standing_documents(posted)
        if _place(document) in wrong
    ]
    billed: dict[str, int] = defaultdict(int)
    left = [document for place, document in stands.items() if place not in wrong]
    for stays in left:
        billed[_bearer(stays, standing, business_date)] += stays.amount_cents
    to_post, parked = list(credits), []
    for document in sorted(desired.documents, key=posting_order):
        place = (document.payer, document.period)
        if document.due_on > business_date or (place in stands and place not in wrong):
            continue
        if place not in wrong and not only(document):
            continue
        bearer = standing.debtor_code(document.payer, document.payer_kind, business_date)
        verdict = standing.judge(document, business_date, billed[bearer])
        if isinstance(verdict, Parked):
            parked.append(verdict)
            continue
        billed[bearer] += document.amount_cents
        internal = verdict.debtor.code == standing.sender.code
        to_post.append(
            ReadyDocument(
                desired=document,
                sender=standing.sender.code,
                kind="internal_booking" if internal else document.kind,
                document_date=business_date,
                debtor=verdict.debtor,
                vat_category=desired.vat_category,
                successor_of=verdict.successor_of,
            )
        )
    _require_within_limits(desired, left, [d for d in to_post if not d.credits])
    return BillingPlan(tuple(sorted(to_post, key=_credit_first)), tuple(parked))


def _bearer(document: PostedDocument | ReadyDocument, standing: Standing, day: date) -> str:
    about = document.desired if isinstance(document, ReadyDocument) else document
    return standing.debtor_code(about.payer, about.payer_kind, day)


def _place(document: PostedDocument | ReadyDocument) -> Place:
    return document.payer, document.period


def _credit_first(document: ReadyDocument) -> tuple[Any, ...]:
    """Due day, period, payer (SPEC section 5), and of one place the credit before what replaces it."""
    return *posting_order(document.desired), document.credits is None


def _require_one_year(desired: Desired, posted: Iterable[PostedDocument]) -> None:
    years = {desired.school_year} | {d.school_year for d in desired.documents} | {d.school_year for d in posted}
    if len(years) > 1:
        raise ZioError(f"Een boekingsrun gaat over één schooljaar, niet over {', '.join(sorted(years))}.")


def _require_within_limits(
    desired: Desired, left: Sequence[PostedDocument | ReadyDocument], to_post: Sequence[ReadyDocument]
) -> None:
    """Limits that stand apart from the calculation of the documents, so that a fault there cannot send out too much."""
    of_payer: dict[str, int] = defaultdict(int)
    of_order: dict[tuple[str, str], int] = defaultdict(int)
    for (order_id, stream, payer), cents in desired.year_shares.items():
        of_payer[payer] += cents
        of_order[order_id, stream] += cents
    for document in to_post:
        if document.amount_cents > of_payer[document.payer]:
            raise NotProved(
                f"Het document van betaler {document.payer} over {document.period} is hoger dan zijn jaaraandeel."
            )
    places = [_place(document) for document in [*left, *to_post]]
    if len(set(places)) != len(places):
        raise NotProved("Er zouden twee documenten voor dezelfde betaler en periode komen te staan.")
    per_payer: dict[ShareKey, int] = defaultdict(int)
    per_order: dict[tuple[str, str], int] = defaultdict(int)
    for booked in [*left, *to_post]:
        for line in booked.lines:
            per_payer[line.order_id, line.stream, booked.payer] += line.amount_cents
            per_order[line.order_id, line.stream] += line.amount_cents
    for (order_id, stream), cents in per_order.items():
        if cents > of_order[order_id, stream]:
            raise NotProved(
                f"Opdracht {order_id}, stroom {stream}: geboekt en te boeken samen zijn hoger dan het jaarbedrag."
            )
    for share, cents in per_payer.items():
        if cents > desired.year_shares.get(share, 0):
            raise NotProved(
                f"Opdracht {share[0]}, stroom {share[1]}: betaler {share[2]} zou boven zijn jaaraandeel uitkomen."
            )
