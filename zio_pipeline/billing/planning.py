"""Desired minus posted: what a run posts on its business date, what it parks, and when it must stop.

Belongs here: choosing, on data alone. The same input gives the same plan, and a second run over its own result plans
nothing: that is the proof of idempotency. Does not belong here: numbers and storage (`resources.ledger`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from zio_pipeline.billing.documents import DesiredDocument, Line, due_dates, posting_order
from zio_pipeline.billing.posted import ReadyDocument
from zio_pipeline.billing.standing import Parked, Standing
from zio_pipeline.errors import NotProved, ZioError

ShareKey = tuple[str, str, str]
"""Order, stream, payer."""


class Booked(Protocol):
    """A document that counts as billed: posted, or planned earlier in the same run."""

    @property
    def school_year(self) -> str: ...
    @property
    def payer(self) -> str: ...
    @property
    def period(self) -> str: ...
    @property
    def lines(self) -> tuple[Line, ...]: ...
    @property
    def amount_cents(self) -> int: ...


@dataclass(frozen=True)
class BillingPlan:
    """What to post, in this order, and what is due and waits. Both empty: nothing to do."""

    to_post: tuple[ReadyDocument, ...]
    parked: tuple[Parked, ...]


def plan_run(
    desired: Sequence[DesiredDocument],
    posted: Sequence[Booked],
    as_of: date,
    standing: Standing,
    year_shares: Mapping[ShareKey, int],
    *,
    replay: bool = False,
) -> BillingPlan:
    """The plan of a whole run: of one business date, or with `replay` of every due date up to `as_of` and then `as_of`.

    A document that waits on its due date goes out on the first of those days on which nothing holds it any more.

    Args:
        desired: the documents of one school year (`desired_documents`).
        posted: what the ledger holds of that year.
        as_of: the business date.
        standing: who may be billed, and to whom.
        year_shares: cents of the year per (order, stream, payer), from `municipal_shares`: the limits nothing may pass.
        replay: take each due date as business date; for a demo or a migration.

    Raises:
        ZioError: a replay on a ledger that holds documents while there is something left to post; or as in `plan`.
    """
    if replay and posted:
        rest = plan(desired, posted, as_of, standing, year_shares)
        if rest.to_post:
            raise ZioError(
                "Naspelen (--replay) kan alleen op een leeg grootboek; laat --replay weg om het verschil te boeken."
            )
        return rest
    to_post: tuple[ReadyDocument, ...] = ()
    result = BillingPlan((), ())
    for day in business_dates(desired, as_of, replay):
        result = plan(desired, [*posted, *to_post], day, standing, year_shares)
        to_post += result.to_post
    return BillingPlan(to_post, result.parked)


def business_dates(desired: Iterable[DesiredDocument], as_of: date, replay: bool) -> list[date]:
    """Just `as_of`; with `replay` first every due date before it."""
    return [*(day for day in due_dates(desired) if replay and day < as_of), as_of]


def plan(
    desired: Sequence[DesiredDocument],
    posted: Sequence[Booked],
    business_date: date,
    standing: Standing,
    year_shares: Mapping[ShareKey, int],
) -> BillingPlan:
    """Post everything due on or before the business date that is not posted, in order of due date, period and payer.

    Raises:
        ZioError: a posted document differs from what is desired now, so a new version of the year is needed.
        NotProved: a document or a total would pass the share it is part of.
    """
    _require_unchanged(desired, posted)
    done = {(booked.payer, booked.period) for booked in posted}
    billed: dict[str, int] = defaultdict(int)
    for booked in posted:
        billed[booked.payer] += booked.amount_cents
    to_post, parked = [], []
    for document in sorted(desired, key=posting_order):
        if document.due_on > business_date or (document.payer, document.period) in done:
            continue
        verdict = standing.judge(document, business_date, billed[document.payer])
        if isinstance(verdict, Parked):
            parked.append(verdict)
            continue
        billed[document.payer] += document.amount_cents
        internal = verdict.debtor.code == standing.sender.code
        to_post.append(
            ReadyDocument(
                desired=document,
                sender=standing.sender.code,
                kind="internal_booking" if internal else document.kind,
                document_date=business_date,
                debtor=verdict.debtor,
                successor_of=verdict.successor_of,
            )
        )
    _require_within_limits(to_post, posted, year_shares)
    return BillingPlan(tuple(to_post), tuple(parked))


def _require_unchanged(desired: Sequence[DesiredDocument], posted: Sequence[Booked]) -> None:
    years = {d.school_year for d in desired} | {b.school_year for b in posted}
    if len(years) > 1:
        raise ZioError(f"Een boekingsrun gaat over één schooljaar, niet over {', '.join(sorted(years))}.")
    now = {(d.payer, d.period): d.lines for d in desired}
    different = sorted((b.payer, b.period) for b in posted if now.get((b.payer, b.period)) != b.lines)
    if different:
        named = ", ".join(f"betaler {payer} periode {period}" for payer, period in different[:5])
        raise ZioError(
            f"{len(different)} geboekte documenten wijken af van de verdeling ({named}). Een geboekt document "
            "verandert niet: daarvoor is een nieuwe versie van het schooljaar met een reden nodig, en een creditnota."
        )


def _require_within_limits(
    to_post: Sequence[ReadyDocument], posted: Sequence[Booked], year_shares: Mapping[ShareKey, int]
) -> None:
    """Limits that stand apart from the calculation of the documents, so that a fault there cannot send out too much."""
    of_payer: dict[str, int] = defaultdict(int)
    of_order: dict[tuple[str, str], int] = defaultdict(int)
    for (order_id, stream, payer), cents in year_shares.items():
        of_payer[payer] += cents
        of_order[order_id, stream] += cents
    for document in to_post:
        if document.amount_cents > of_payer[document.payer]:
            raise NotProved(
                f"Het document van betaler {document.payer} over {document.period} is hoger dan zijn jaaraandeel."
            )
    per_payer: dict[ShareKey, int] = defaultdict(int)
    per_order: dict[tuple[str, str], int] = defaultdict(int)
    for booked in [*posted, *to_post]:
        for line in booked.lines:
            per_payer[line.order_id, line.stream, booked.payer] += line.amount_cents
            per_order[line.order_id, line.stream] += line.amount_cents
    for (order_id, stream), cents in per_order.items():
        if cents > of_order[order_id, stream]:
            raise NotProved(
                f"Opdracht {order_id}, stroom {stream}: geboekt en te boeken samen zijn hoger dan het jaarbedrag."
            )
    for share, cents in per_payer.items():
        if cents > year_shares.get(share, 0):
            raise NotProved(
                f"Opdracht {share[0]}, stroom {share[1]}: betaler {share[2]} zou boven zijn jaaraandeel uitkomen."
            )
