"""The Wlz side of the hours: what was planned and delivered for the pupils of each zorgkantoor, and what was paid though absent.

Belongs here: attributing the minutes of a doelgroep by the key of its money, the absent days of pupils, and the volume that is
shown where planning counts as delivery (SPEC section 7, DOMAIN 2.3). Does not belong here: amounts, or naming a pupil.

Hours are granted and worked per class, not per child. So the minutes of a doelgroep are divided as its money is: first what
contributions carry, then each payer its part of the key (SPEC section 4), whole minutes by largest remainder over all payers and
the contributors, so that they add up to those of the doelgroep in the month.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from zio_pipeline.money import largest_remainder, round_half_up
from zio_pipeline.open_days import OpenDays
from zio_pipeline.payer import Decision
from zio_pipeline.periods import days_of, month_of
from zio_pipeline.settings import Ground
from zio_pipeline.terms import STREAM_ORDER

Row = Mapping[str, Any]
CONTRIBUTION, CONTRIBUTORS, CONTRIBUTOR = "contribution", "bijdragen", "contributor"
FEWEST_PUPILS = 5
"""Fewer pupils have no figure of their own about absence: it would be about one child (SPEC section 8)."""


class Group(NamedTuple):
    """A doelgroep of an order: where hours and money are divided."""

    order_id: str
    doelgroep: str


@dataclass(frozen=True)
class KeyLine:
    """One payer in the key of a doelgroep, or its contributors together (without pupils).

    `share` is its exact part of the doelgroep; the parts of a doelgroep add up to 1.
    """

    stream: str
    payer: str
    payer_kind: str
    pupils: int
    share: Fraction


Key = Mapping[Group, Sequence[KeyLine]]


@dataclass(frozen=True)
class Absences:
    """What a school delivered: the day up to and including which it is complete, and per pupil the periods of absence.

    A period is (first day, last day), both inclusive; no last day means that the absence goes on.
    """

    complete_through: date
    periods: Mapping[str, Sequence[tuple[date, date | None]]]


@dataclass(frozen=True)
class AbsentDays:
    """One order in one month: its days, and pupil-days of absence per doelgroep, stream and payer with pupils in it."""

    open_days: int
    pupil_days: Mapping[tuple[str, str, str], int]


@dataclass(frozen=True)
class Minutes:
    """Of one doelgroep in one month."""

    planned: int
    delivered: int


def key_of(budgets: Iterable[Row], splits: Iterable[Row], details: Iterable[Row]) -> dict[Group, list[KeyLine]]:
    """The key of every doelgroep: what is left of K after contributions, times step 1 over the streams, times step 2 over payers.

    Where pupils are the key and nobody contributes this is pupils of the payer over pupils counted in the doelgroep.

    Args:
        budgets: rows of `doelgroep_budgets` of one version.
        splits: rows of `funding_split` of the same version.
        details: rows of `share_details` of the same version.
    """
    details = list(details)
    carried = {
        Group(r["order_id"], r["doelgroep"]): Fraction(r["contribution_cents"], r["budget_cents"])
        for r in budgets
        if r["contribution_cents"]
    }
    weights = {(Group(r["order_id"], r["doelgroep"]), r["stream"]): r["weight"] for r in splits}
    totals, pupils = Counter[Group](), Counter[tuple[Group, str]]()
    for (group, _), weight in weights.items():
        totals[group] += weight
    for row in details:
        pupils[Group(row["order_id"], row["doelgroep"]), row["stream"]] += row["pupils"]
    key: dict[Group, list[KeyLine]] = defaultdict(list)
    for row in sorted(details, key=lambda r: (STREAM_ORDER.index(r["stream"]), r["payer"])):
        group = Group(row["order_id"], row["doelgroep"])
        place = group, row["stream"]
        share = Fraction(weights[place], totals[group]) * Fraction(row["pupils"], pupils[place])
        share *= 1 - carried.get(group, Fraction(0))
        key[group].append(KeyLine(row["stream"], row["payer"], row["payer_kind"], row["pupils"], share))
    for group in key.keys() & carried.keys():
        key[group].append(KeyLine(CONTRIBUTION, CONTRIBUTORS, CONTRIBUTOR, 0, carried[group]))
    return dict(key)


def attributed(minutes: int, key: Sequence[KeyLine]) -> list[int]:
    """Minutes of a doelgroep over the payers of its key, by largest remainder; ties in stream order, then by payer code."""
    whole = lcm(*(line.share.denominator for line in key))
    return largest_remainder(minutes, [int(line.share * whole) for line in key])


def ground_of(month: str, grounds: Iterable[Ground]) -> str | None:
    """The ground on which planning counts as delivery in a month; None when it does not, and delivery is what was delivered.

    A month is judged whole: it has one volume, and a day without a ground leaves the whole month to what was delivered. Grounds
    that follow each other without a day between them cover it together, and are named together.
    """
    uncovered, last = days_of(month)
    held = sorted(grounds, key=lambda g: g.first)
    held = [g for g in held if g.first <= last and (g.last is None or g.last >= uncovered)]
    for ground in held:
        if ground.first > uncovered:
            return None
        uncovered = max(uncovered, min(ground.last or last, last) + timedelta(days=1))
    return "; ".join(dict.fromkeys(g.legal_ground for g in held)) if uncovered > last else None


def absent_days(month: str, days: OpenDays, absences: Absences, decisions: Iterable[Decision]) -> AbsentDays | None:
    """Pupil-days of absence on the open days of a month; None when the school's list does not yet cover the month.

    A day counts once per pupil, however many periods name it. A pupil counts where it was counted when the year was
    established; whoever is not counted is in nobody's key.

    Args:
        month: '2025-10'.
        days: on which hours of the order can be delivered: there is nothing to be absent from on another day.
        absences: of the school.
        decisions: of one order of the school.
    """
    open_days = [day for day in days.days if f"{day:%Y-%m}" == month]
    if open_days and absences.complete_through < open_days[-1]:
        return None
    found = Counter[tuple[str, str, str]]()
    for d in decisions:
        if d.stream is not None:
            periods = absences.periods.get(d.pupil, ())
            away = sum(
                any(first <= day and (last is None or day <= last) for first, last in periods) for day in open_days
            )
            found[d.doelgroep, d.stream, d.payer or ""] += away
    return AbsentDays(len(open_days), found)


def wlz_hours(
    month: str,
    key: Key,
    minutes: Mapping[Group, Minutes],
    absent: Mapping[str, AbsentDays],
    grounds: Iterable[Ground],
    *,
    as_of: date,
) -> list[dict[str, Any]]:
    """Rows of `wlz_hours` of one month, but for school year and version: per zorgkantoor, order and doelgroep.

    Args:
        month: '2025-10'.
        key: of the version in force.
        minutes: planned and delivered of every doelgroep with a key; one that is not named had none.
        absent: per order whose school delivered absences over the month; without it absence is not measured.
        grounds: when planning counts as delivery.
        as_of: the business date; a month that has not begun by then has no volume yet, whatever is planned in it.
    """
    begun, rows = month <= month_of(as_of), []
    ground = ground_of(month, grounds) if begun else None
    for group, lines in sorted(key.items()):
        whole = minutes.get(group, Minutes(0, 0))
        planned, delivered = attributed(whole.planned, lines), attributed(whole.delivered, lines)
        for payer in sorted({line.payer for line in lines if line.payer_kind == "zorgkantoor"}):
            mine = [i for i, line in enumerate(lines) if (line.payer, line.payer_kind) == (payer, "zorgkantoor")]
            volumes = sum(planned[i] for i in mine), sum(delivered[i] for i in mine)
            pupils = sum(lines[i].pupils for i in mine)
            away = _rounded([_absent_minutes(planned[i], group, lines[i], absent.get(group.order_id)) for i in mine])
            status = _absence_status(away, pupils)
            rows.append(
                {
                    "month": month,
                    "payer": payer,
                    "order_id": group.order_id,
                    "doelgroep": group.doelgroep,
                    "pupils": pupils,
                    "planned_minutes": volumes[0],
                    "delivered_minutes": volumes[1],
                    "absent_paid_minutes": away if status == "measured" else None,
                    "absence_status": status,
                    "volume_minutes": (volumes[0] if ground else volumes[1]) if begun else 0,
                    "legal_ground": ground,
                }
            )
    return rows


def _absence_status(away: int | None, pupils: int) -> str:
    if away is None:
        return "not_measured"
    return "measured" if pupils >= FEWEST_PUPILS else "too_few_pupils"


def _absent_minutes(planned: int, group: Group, line: KeyLine, absent: AbsentDays | None) -> Fraction | None:
    """The planned minutes of the month that fell on days on which a pupil was away, each pupil-day weighing the same.

    None where it is not measured, and where the key is that of another doelgroep: then nobody of this one is counted.
    """
    place = group.doelgroep, line.stream, line.payer
    if absent is None or place not in absent.pupil_days:
        return None
    return Fraction(planned * absent.pupil_days[place], max(1, line.pupils * absent.open_days))


def _rounded(parts: Sequence[Fraction | None]) -> int | None:
    known = [part for part in parts if part is not None]
    total = sum(known, Fraction())
    return round_half_up(total.numerator, total.denominator) if len(known) == len(parts) else None
