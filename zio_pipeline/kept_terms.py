"""Which terms of an established year stay in a new version of it, and over which the rest goes (SPEC section 5).

Belongs here: what is fixed because nothing changed, because it lies before the first term of a change, or because a document
stands; and the odd cents by which that may exceed a year. Does not belong here: the rounding (`terms`, `money`), which orders
changed (`versions`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.money import format_euro
from zio_pipeline.order_history import again_weights
from zio_pipeline.settings import Settings
from zio_pipeline.shares import DetailKey, ShareDetail
from zio_pipeline.terms import TermLine
from zio_pipeline.versions import ORDER_CHANGE, Base, LineKey, calendar_of


def fixed_terms(
    base: Base, settings: Settings, lines: Iterable[TermLine], changed: Mapping[str, str]
) -> dict[TermLine, list[int | None]]:
    """What of the terms stays: all of a line whose year is that of the base; of a changed order what is earlier or posted.

    Args:
        base: the version in force.
        settings: of the new version.
        lines: the lines of the new version.
        changed: as `versions.changed_orders`.

    Returns:
        Of every line of which something stays, cents per term, None where it is open.

    Raises:
        EstablishmentBlocked: more stays than the new year amount, or nothing is open for the rest.
    """
    if calendar_of(settings) != base.calendar:
        return {}  # other terms: what was rounded over the old ones says nothing of these
    lines, problems = list(lines), []
    fixed: dict[TermLine, list[int | None]] = {}
    for line in [*lines, *_gone(base, lines, changed)]:
        before = base.terms.get(_key(line))
        year = [] if before is None else [before[month] for month in settings.term_keys]
        if before is not None and sum(year) == line.year_cents:
            fixed[line] = list(year)
        elif line.order_id in changed:
            fixed[line] = what_stays(base, settings, _key(line), changed[line.order_id])
            problems += _impossible(line, fixed[line], settings.term_weights)
    if problems:
        raise EstablishmentBlocked([*problems, *_least(base, settings, lines, changed)])
    return {line: fixed[line] for line in lines if line in fixed}


def what_stays(base: Base, settings: Settings, key: LineKey, first: str) -> list[int | None]:
    """Of a line of a changed order, cents per term that stay: before its first term, or posted; None where it is open."""
    before = base.terms.get(key, {})
    return [
        before.get(month, 0) if month < first or is_posted(base, settings, key[2], month) else None
        for month in settings.term_keys
    ]


def is_posted(base: Base, settings: Settings, payer: str, month: str) -> bool:
    """Whether a document of this payer stands for the month, or for the half it lies in."""
    half = settings.school_year.half_key(1 if month in settings.first_half_keys else 2)
    return not base.posted.isdisjoint({(payer, month), (payer, half)})


def spread_again(
    base: Base, settings: Settings, lines: Iterable[TermLine], fixed: Mapping[TermLine, Sequence[int | None]]
) -> dict[tuple[str, str], list[int]]:
    """Per order and law the weights of lines that are computed again although their order changed before (`order_history`).

    Args:
        base: the version in force; nothing for an order change, whose open terms go by their own weights.
        settings: of the new version.
        lines: the lines of the new version.
        fixed: as `fixed_terms`.
    """
    if base.reason == ORDER_CHANGE:
        return {}
    free: dict[tuple[str, str], list[TermLine]] = defaultdict(list)
    for line in lines:
        if line not in fixed:
            free[line.order_id, line.law].append(line)
    kept, months = {_key(line) for line in fixed}, settings.term_keys
    replaced: dict[tuple[str, str], list[int]] = {}
    for row in base.tables["terms"] if calendar_of(settings) == base.calendar else ():
        if (row["order_id"], row["stream"], row["payer"]) not in kept:
            cells = replaced.setdefault((row["order_id"], row["law"]), [0] * len(months))
            cells[months.index(row["month"])] += row["amount_cents"]
    return again_weights(free, replaced, base.history, months, settings.term_weights)


def _key(line: TermLine) -> LineKey:
    return line.order_id, line.stream, line.payer


def _gone(base: Base, lines: Sequence[TermLine], changed: Mapping[str, str]) -> list[TermLine]:
    """Lines of a changed order that the new version has no more: what stays of them would have nothing to stand on."""
    there = {_key(line) for line in lines}
    return [
        TermLine(o, "", stream, p, 0)
        for o, stream, p in sorted(base.terms)
        if o in changed and (o, stream, p) not in there
    ]


def _impossible(line: TermLine, fixed: Sequence[int | None], weights: Sequence[int]) -> list[str]:
    stays = _sum(fixed)
    is_open = any(weight for weight, cents in zip(weights, fixed, strict=True) if cents is None)
    if stays == line.year_cents or (stays < line.year_cents and is_open):
        return []
    what = "er is geen termijn meer open" if stays < line.year_cents else "een termijn zou negatief worden"
    return [
        f"opdracht {line.order_id}, {line.stream}, betaler {line.payer}: het jaarbedrag wordt € {format_euro(line.year_cents)}, "
        f"en € {format_euro(stays)} is al geboekt of ligt vóór de ingaande termijn; {what}. Stel voor met reden parameterfout: "
        "dan wordt het jaar opnieuw gerekend, en wat geboekt is gecrediteerd en opnieuw geboekt."
    ]


def _least(base: Base, settings: Settings, lines: Sequence[TermLine], changed: Mapping[str, str]) -> list[str]:
    """Of an order that is short of no more than the odd cents of its lines: the amount at which nothing need be taken back."""
    found = []
    for order_id, first in sorted(changed.items()):
        own = [line for line in [*lines, *_gone(base, lines, changed)] if line.order_id == order_id]
        stays = [what_stays(base, settings, _key(line), first) for line in own]
        least, year = sum(map(_sum, stays)), sum(line.year_cents for line in own)
        if 0 < least - year <= sum(cents is not None for fixed in stays for cents in fixed):
            found.append(
                f"opdracht {order_id}: wat al geboekt is of vóór de ingaande termijn ligt is samen € {format_euro(least)}, "
                f"{least - year} cent meer dan de opdracht. Komt dat van het afronden van termijnen, neem dan € "
                f"{format_euro(least)} op als afgesproken bedrag met een tolerantie: dan hoeft er niets te worden teruggenomen."
            )
    return found


def _sum(fixed: Iterable[int | None]) -> int:
    return sum(cents for cents in fixed if cents is not None)


# --- odd cents of what stays ------------------------------------------------------------------------------------------


@dataclass
class _Cents:
    """The details of changed orders while cents move between them, and per line what stays of its terms."""

    details: list[ShareDetail]
    stays: Mapping[LineKey, int]
    exact: Mapping[DetailKey, Fraction]

    def line(self, i: int) -> LineKey:
        return self.details[i].order_id, self.details[i].stream, self.details[i].payer

    def room(self, line: LineKey) -> int:
        """By how many cents the year of a line exceeds what stays of it; negative when it is short."""
        return sum(d.amount_cents for i, d in enumerate(self.details) if self.line(i) == line) - self.stays[line]

    def givers(self, i: int) -> list[int]:
        """Who may give detail `i` a cent, in order: of its stream first, then who lies furthest above his exact share."""
        own = self.details[i]
        there = [
            j
            for j, d in enumerate(self.details)
            if (d.order_id, d.doelgroep) == (own.order_id, own.doelgroep)
            and self.line(j) != self.line(i)
            and d.amount_cents
        ]
        return sorted(there, key=lambda j: (self.details[j].stream != own.stream, -self._above(j), self.line(j)))

    def _above(self, j: int) -> Fraction:
        d = self.details[j]
        return d.amount_cents - self.exact[d.order_id, d.doelgroep, d.stream, d.payer]

    def move(self, i: int, j: int) -> None:
        for k, cent in ((i, 1), (j, -1)):
            self.details[k] = replace(self.details[k], amount_cents=self.details[k].amount_cents + cent)


def with_what_stays(
    base: Base,
    settings: Settings,
    details: Sequence[ShareDetail],
    exact: Mapping[DetailKey, Fraction],
    changed: Mapping[str, str],
) -> list[ShareDetail]:
    """The shares beside an order change, where the year of a line is at least what stays of its terms.

    The odd cents of a line stand in its first terms, so what stays may exceed the new year by a few: at most one for each term
    that stays. Such a line gets those cents from others of its doelgroep that have more than stays of theirs (`_Cents.givers`);
    when nobody there has, along lines that are in two doelgroepen. A doelgroep keeps its total, so streams and payers still add
    up to K. Where nobody has anything to give, the line stays short (`fixed_terms` refuses it).

    Args:
        base: the version in force.
        settings: of the new version.
        details: of the new version.
        exact: their exact shares (`shares.exact_shares`).
        changed: as `versions.changed_orders`.
    """
    lines = {(d.order_id, d.stream, d.payer) for d in details if d.order_id in changed}
    fixed = {line: what_stays(base, settings, line, changed[line[0]]) for line in sorted(lines)}
    own = [d for d in details if d.order_id in changed]
    cents = _Cents(own, {line: _sum(stays) for line, stays in fixed.items()}, exact)
    for line, stays in fixed.items():
        short = -cents.room(line)
        if 0 < short <= sum(cell is not None for cell in stays):
            while short and _give(cents, line):
                short -= 1
    found = iter(cents.details)
    return [next(found) if d.order_id in changed else d for d in details]


def _give(cents: _Cents, line: LineKey) -> bool:
    """Let a line have one cent of a line that has room, over as few others as possible; False when there is none."""
    came_from: dict[LineKey, tuple[int, int]] = {}
    queue, seen = [line], {line}
    for receiver in queue:
        for i in (k for k in range(len(cents.details)) if cents.line(k) == receiver):
            for j in cents.givers(i):
                giver = cents.line(j)
                if giver in seen:
                    continue
                seen.add(giver)
                came_from[giver] = (i, j)
                if cents.room(giver) > 0:
                    _move_along(cents, came_from, giver)
                    return True
                queue.append(giver)
    return False


def _move_along(cents: _Cents, came_from: Mapping[LineKey, tuple[int, int]], giver: LineKey) -> None:
    while giver in came_from:
        gaining, losing = came_from[giver]
        cents.move(gaining, losing)
        giver = cents.line(gaining)
