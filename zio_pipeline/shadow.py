"""The shadow of an established year: what every payer would have paid if the situation of a day were the key.

Belongs here: that one computation (SPEC section 4, last bullet: mutations change nothing; a shadow report shows what they would
have cost). Does not belong here: telling a mutation from an error (`mutations`), which files count (stages).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.errors import ZioError
from zio_pipeline.payer import Decision, PayerInputs, PayerOutcome, decide_payers
from zio_pipeline.setup import SchoolYearSetup
from zio_pipeline.shares import share_lines, split_over_payers
from zio_pipeline.versions import Base


def shadow_shares(
    setup: SchoolYearSetup, base: Base, established: PayerOutcome, current: PayerInputs, as_of: date
) -> list[dict[str, Any]]:
    """What every payer would have paid over the whole year if the situation of a day were the key; changes nothing.

    Startdatum and peildatum are the day itself; contracts, classes and settings stay as established. A pupil who then stands on
    the worklist keeps its established payer. A doelgroep in which nobody counts any more keeps its established key, and with
    an agreed ratio also one in which a stream came or went. Rows that were thinned keep the age class and municipality
    they were thinned with. It is computed beside the version in force: whose count and share did not change shows no cent.

    Args:
        setup: of the version in force.
        base: its signed tables.
        established: its payers.
        current: the rows that count now.
        as_of: the day whose situation counts.

    Returns:
        Rows of `shadow_shares`, per order, stream and payer, in cents; both amounts add up to the same per order.

    Raises:
        ZioError: the day does not lie in the school year, from its startdatum on.
    """
    settings = setup.settings
    if not settings.start_date <= as_of <= settings.school_year.last_day:
        raise ZioError(
            f"Het schaduwoverzicht kan van {settings.start_date:%d-%m-%Y} tot en met {settings.school_year.last_day:%d-%m-%Y}, "
            f"niet op {as_of:%d-%m-%Y}."
        )
    today = replace(setup, settings=replace(settings, start_date=as_of, reference_date=as_of))
    days = {"start_date": as_of, "reference_date": as_of}
    rows = [row if "age_class" not in row else {**row, **days} for row in current.registrations]
    decided = decide_payers(today, replace(current, registrations=rows))
    then = PayerOutcome(tuple(_key_of_today(setup, established, decided)), (), ())
    details = split_over_payers(setup, doelgroep_budgets(setup), then, base)
    after = {(line.order_id, line.stream, line.payer): line.year_cents for line in share_lines(setup, details)}
    signed = base.tables["municipal_shares"]
    before = {(row["order_id"], row["stream"], row["payer"]): row["amount_cents"] for row in signed}
    return [
        {
            "school_year": settings.school_year.key,
            "order_id": order_id,
            "stream": stream,
            "payer": payer,
            "as_of": as_of,
            "established_cents": before.get((order_id, stream, payer), 0),
            "shadow_cents": after.get((order_id, stream, payer), 0),
            "difference_cents": after.get((order_id, stream, payer), 0) - before.get((order_id, stream, payer), 0),
        }
        for order_id, stream, payer in sorted(before.keys() | after.keys())
    ]


def _key_of_today(setup: SchoolYearSetup, established: PayerOutcome, today: PayerOutcome) -> list[Decision]:
    # Who left keeps nothing, although an indication that stayed on the list is a point of its own.
    points = [item for item in today.worklist if item.decision_id is None and item.reason != "wlz_without_placement"]
    waiting = {item.subject for item in points if item.subject}
    decided = {d.pupil for d in today.decisions}
    now = [*today.decisions, *(d for d in established.decisions if d.pupil in waiting - decided)]
    streams_then, streams_now = _streams(established.decisions), _streams(now)
    ratio = setup.settings.split_key == "agreed_ratio"
    stuck = {
        group
        for group in streams_then.keys() | streams_now.keys()
        if group not in streams_now or (ratio and streams_now[group] != streams_then.get(group))
    }
    kept = [d for d in established.decisions if (d.order_id, d.doelgroep) in stuck]
    return [*(d for d in now if (d.order_id, d.doelgroep) not in stuck), *kept]


def _streams(decisions: Iterable[Decision]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for d in decisions:
        if d.stream:
            found[d.order_id, d.doelgroep].add(d.stream)
    return found
