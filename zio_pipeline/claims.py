"""What providers invoiced beside what they may declare: netted per order, law and month, each with a verdict in Dutch.

Belongs here: which order a line is about, what counts, what is too late, the verdict of every month (SPEC section 5), and
which months are settled. Amounts are whole cents; a line is unsigned with a debit or credit flag (DOMAIN section 12). The
order of lines never matters.
Does not belong here: reading claims, the workbook for the provider (claim_answers), paying out, billing.

A line counts when its order is known and it is not refused, nor the credit of a line that is. So per year: the claimed
amounts of all months, with the lines that do not count, add up to everything that was sent.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from zio_pipeline.errors import SetupError
from zio_pipeline.money import format_euro
from zio_pipeline.setup import Besluit, Order

LAW_IN_DUTCH = {"jw": "Jeugdwet", "wlz": "Wlz", "pgb": "pgb"}
SETTLED = frozenset({"matched", "late", "written_off"})
"""Verdicts after which nobody waits for a claim any more; late is a signal, the amount is right."""
UNKNOWN_ORDER, REFUSED = "unknown_order", "refused"


class Place(NamedTuple):
    """What claims are compared by. `month` is the service month, 2025-09."""

    order_id: str
    law: str
    month: str


@dataclass(frozen=True)
class ClaimLine:
    """One accepted line of a provider's invoice. `amount_cents` is unsigned; `debit_credit` is D, or C to take it back.

    `order_id` is what the sender stated, if anything; `received_on` the day on which this line was first received.
    """

    row_ref: str
    provider: str
    school: str
    order_id: str | None
    law: str
    month: str
    invoice_number: str
    debit_credit: str
    amount_cents: int
    invoice_date: date
    received_on: date

    @property
    def is_debit(self) -> bool:
        return self.debit_credit == "D"

    @property
    def signed_cents(self) -> int:
        return self.amount_cents if self.is_debit else -self.amount_cents


@dataclass(frozen=True)
class MonthVerdict:
    """One order, law and month. Amounts in cents: what may be declared, the net of the lines that count, and of the refused."""

    order_id: str
    law: str
    month: str
    provider: str
    line_count: int
    declared_cents: int
    claimed_cents: int
    refused_cents: int
    late: bool
    status: str
    reason: str
    decision_id: str | None = None

    @property
    def place(self) -> Place:
        return Place(self.order_id, self.law, self.month)

    @property
    def difference_cents(self) -> int:
        """Positive when more was claimed than may be declared."""
        return self.claimed_cents - self.declared_cents


@dataclass(frozen=True)
class LineVerdict:
    """One line: the order it is about (None when unknown), whether it counts, and the verdict of its month or its own."""

    line: ClaimLine
    order_id: str | None
    counted: bool
    late: bool
    status: str
    reason: str


@dataclass(frozen=True)
class ClaimControl:
    """Verdicts in order of order, law and month; lines in order of their place in the files."""

    months: tuple[MonthVerdict, ...]
    lines: tuple[LineVerdict, ...]


def claimable_through(month: str) -> date:
    """The last day on which a claim for a service month is in time: the last day of the month after (DOMAIN 1.8)."""
    year, number = map(int, month.split("-"))
    index = year * 12 + number + 1  # months since January of year 0, of the second month after
    return date(index // 12, index % 12 + 1, 1) - timedelta(days=1)


def accepted_through(month: str) -> date:
    """The last day on which it is taken at all: 31 March of the calendar year after the service month (DOMAIN 1.8)."""
    return date(int(month[:4]) + 1, 3, 31)


def judge_claims(
    orders: Sequence[Order],
    declared: Mapping[Place, int],
    lines: Iterable[ClaimLine],
    write_offs: Iterable[Besluit],
    as_of: date,
) -> ClaimControl:
    """Compare claims with what may be declared (SPEC section 5).

    Args:
        orders: of the school year; a line is about the one of its provider and school, or the one it names among those.
        declared: cents that may be declared, per order, law and month.
        lines: in any order; a line received after `as_of` is not known yet.
        write_offs: besluiten `claim_write_off`, each about one order and month, whatever the law.
        as_of: the business date; before a claim is due its absence is no fault.

    Raises:
        SetupError: a write-off names an order and month of which nothing may be declared and nothing was claimed.
    """
    placed: dict[Place, list[ClaimLine]] = defaultdict(list)
    judged: list[LineVerdict] = []
    for line in sorted((line for line in lines if line.received_on <= as_of), key=_by_place):
        order_id, problem = _order_of(line, orders)
        if order_id is None:
            judged.append(LineVerdict(line, None, False, _is_late(line), UNKNOWN_ORDER, problem))
        else:
            placed[Place(order_id, line.law, line.month)].append(line)
    written_off = _written_off(write_offs, {(p.order_id, p.month) for p in declared.keys() | placed.keys()})
    providers = {order.order_id: order.provider for order in orders}
    months = []
    for place in sorted(declared.keys() | placed.keys()):
        claimed = _Claimed(place, declared, _netted(placed[place]))
        month = _judge(claimed, providers[place.order_id], as_of)
        month = _after_besluit(month, written_off.get((place.order_id, place.month)))
        months.append(month)
        judged += _line_verdicts(claimed, month, as_of)
    return ClaimControl(tuple(months), tuple(sorted(judged, key=lambda verdict: _by_place(verdict.line))))


def settled_claims(months: Iterable[MonthVerdict]) -> Set[Place]:
    """The order, law and month of every claim that matches or was written off: with the setting `wait_for_claims`, what
    billing may go on with (SPEC section 5).
    """
    return frozenset(month.place for month in months if month.status in SETTLED)


def _by_place(line: ClaimLine) -> str:
    return line.row_ref


def _order_of(line: ClaimLine, orders: Iterable[Order]) -> tuple[str | None, str]:
    """The order a line is about, or why there is none."""
    who = f"aanbieder {line.provider} voor vestiging {line.school}"
    own = [o.order_id for o in orders if (o.provider, o.school) == (line.provider, line.school)]
    named = own if line.order_id is None else [order_id for order_id in own if order_id == line.order_id]
    if len(named) == 1:
        return named[0], ""
    if named:
        return None, f"Er is meer dan één opdracht van {who}; noem in elke regel de opdracht."
    what = "De genoemde opdracht is geen opdracht" if own else "Er is dit schooljaar geen opdracht"
    return None, f"{what} van {who}."


def _is_late(line: ClaimLine) -> bool:
    """Only a debit can be late: a credit gives money back."""
    return line.is_debit and line.received_on > claimable_through(line.month)


def _is_refused(line: ClaimLine) -> bool:
    return line.is_debit and line.received_on > accepted_through(line.month)


def _written_off(besluiten: Iterable[Besluit], known: Set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Besluit per order and month; of two about the same the first by its number."""
    found: dict[tuple[str, str], str] = {}
    for besluit in sorted(besluiten, key=lambda b: b.decision_id, reverse=True):
        key = (besluit.order_id or "", besluit.month or "")
        if key not in known:
            raise SetupError(
                f"Besluit {besluit.decision_id} (declaratie afboeken) noemt opdracht {key[0]}, maand {key[1]}; "
                "daarvan is niets te declareren en niets gedeclareerd. Verbeter het besluit op blad 'besluiten'."
            )
        found[key] = besluit.decision_id
    return found


@dataclass(frozen=True)
class _Netted:
    """The lines of one place: those that count and those that do not, and what stands after each credit took a debit away."""

    counted: Sequence[ClaimLine]
    refused: Sequence[ClaimLine]
    standing: Sequence[ClaimLine]

    @property
    def net_cents(self) -> int:
        return sum(line.signed_cents for line in self.counted)


def _netted(lines: Sequence[ClaimLine]) -> _Netted:
    """Every credit takes away one debit of its amount: of its own number if there is one, else one that counts before one that
    was refused, else the one received last. The credit of a refused line does not count either; a credit of another amount
    stands by itself.
    """
    left = [line for line in lines if line.is_debit]
    refused = [line for line in left if _is_refused(line)]
    numbers = {line.invoice_number for line in left}
    credits = sorted((c for c in lines if not c.is_debit), key=lambda c: (c.invoice_number not in numbers, c.row_ref))
    loose = []
    for credit in credits:
        same = [debit for debit in left if debit.amount_cents == credit.amount_cents]
        if not same:
            loose.append(credit)
            continue
        taken = max(same, key=lambda d: _first_choice(d, credit))
        left.remove(taken)
        if _is_refused(taken):
            refused.append(credit)
    out = {line.row_ref for line in refused}
    counted = [line for line in lines if line.row_ref not in out]
    return _Netted(counted, refused, [line for line in left if line.row_ref not in out] + loose)


def _first_choice(debit: ClaimLine, credit: ClaimLine) -> tuple[bool, bool, date, str]:
    return debit.invoice_number == credit.invoice_number, not _is_refused(debit), debit.received_on, debit.row_ref


@dataclass(frozen=True)
class _Claimed:
    """What was claimed of one order, law and month, beside what may be declared of every order, law and month."""

    place: Place
    declared: Mapping[Place, int]
    netted: _Netted

    @property
    def declared_cents(self) -> int:
        return self.declared.get(self.place, 0)

    def other_months(self) -> dict[str, int]:
        """What may be declared in the other months of this order and law."""
        same = (self.place.order_id, self.place.law)
        others = {p.month: cents for p, cents in self.declared.items() if (p.order_id, p.law) == same}
        return {month: cents for month, cents in others.items() if month != self.place.month}


def _judge(claimed: _Claimed, provider: str, as_of: date) -> MonthVerdict:
    netted = claimed.netted
    status, reason = _status(claimed, as_of)
    return MonthVerdict(
        *claimed.place,
        provider=provider,
        line_count=len(netted.counted) + len(netted.refused),
        declared_cents=claimed.declared_cents,
        claimed_cents=netted.net_cents,
        refused_cents=sum(line.signed_cents for line in netted.refused),
        late=any(map(_is_late, netted.standing)),
        status=status,
        reason=reason,
    )


def _status(claimed: _Claimed, as_of: date) -> tuple[str, str]:
    netted, late = claimed.netted, any(map(_is_late, claimed.netted.standing))
    after = f"ontvangen na {_day(claimable_through(claimed.place.month))}"
    refused = sum(line.signed_cents for line in netted.refused)
    if refused and not netted.standing:
        return REFUSED, _refusal(next(line for line in netted.refused if line.is_debit))
    if netted.net_cents == claimed.declared_cents:
        right = "Het gedeclareerde bedrag is gelijk aan wat gedeclareerd mag worden"
        return ("late", f"{right}, maar het is {after}.") if late else ("matched", f"{right}.")
    if not netted.standing:
        return _absent(claimed, as_of)
    status, reason = _difference(claimed)
    notes = [f"Bovendien {after}."] if late else []
    if refused:
        notes.append(f"Daarnaast is {_euros(refused)} geweigerd, want te laat ontvangen.")
    return status, " ".join([reason, *notes])


def _absent(claimed: _Claimed, as_of: date) -> tuple[str, str]:
    """Nothing stands: not yet, or a claim is missing."""
    in_time, last = claimable_through(claimed.place.month), accepted_through(claimed.place.month)
    what = "Alles is gecrediteerd." if claimed.netted.counted else "Er is niets gedeclareerd."
    if as_of <= in_time:
        return "expected", f"{what} Dat kan tot en met {_day(in_time)}."
    still = "wordt zij nog aangenomen" if as_of <= last else "werd zij nog aangenomen"
    return (
        "missing",
        f"{what} De declaratie was te doen tot en met {_day(in_time)}; te laat {still} tot en met {_day(last)}.",
    )


def _difference(claimed: _Claimed) -> tuple[str, str]:
    """Why the net is not what may be declared; something stands."""
    net, declared, others = claimed.netted.net_cents, claimed.declared_cents, claimed.other_months()
    law = LAW_IN_DUTCH[claimed.place.law]
    if claimed.place not in claimed.declared and others:
        return "wrong_period", f"Over {claimed.place.month} is er geen termijn: er is die maand niets te declareren."
    if claimed.place not in claimed.declared:
        return "wrong_amount", f"Van deze opdracht is er onder de {law} niets te declareren; {_euros(net)} te veel."
    twice = next(_twice(claimed.netted.standing), None) if net > declared else None
    if twice is not None:
        return "duplicate", f"{twice} Er is {_euros(net - declared)} te veel gedeclareerd."
    same = min((month for month, cents in others.items() if cents == net), default=None)
    if same is not None:
        return "wrong_period", f"Dit is het bedrag van {same}; over {claimed.place.month} is het {_euros(declared)}."
    word = "te veel" if net > declared else "te weinig"
    return "wrong_amount", f"Er is {_euros(abs(net - declared))} {word} gedeclareerd."


def _twice(standing: Iterable[ClaimLine]) -> Iterator[str]:
    debits = [line for line in standing if line.is_debit]
    numbers = Counter(line.invoice_number for line in debits)
    amounts = Counter(line.amount_cents for line in debits)
    if any(count > 1 for count in numbers.values()):
        yield "Dezelfde factuur is meer dan één keer ingediend."
    for cents in sorted(cents for cents, count in amounts.items() if count > 1):
        yield f"Het bedrag {_euros(cents)} is op meer dan één factuur gedeclareerd."


def _after_besluit(verdict: MonthVerdict, decision_id: str | None) -> MonthVerdict:
    """A write-off ends what is open; what matches already needs none."""
    if decision_id is None or verdict.status in SETTLED:
        return verdict
    reason = f"Afgeboekt bij besluit {decision_id}. Daarvóór: {verdict.reason}"
    return replace(verdict, status="written_off", reason=reason, decision_id=decision_id)


def _line_verdicts(claimed: _Claimed, month: MonthVerdict, as_of: date) -> Iterator[LineVerdict]:
    """A line that counts shares the verdict of its month, unless that is about the refused ones beside it: then nothing stands."""
    netted = claimed.netted
    status, reason = _absent(claimed, as_of) if month.status == REFUSED else (month.status, month.reason)
    for line in netted.counted:
        yield LineVerdict(line, month.order_id, True, _is_late(line), status, reason)
    for line in netted.refused:
        reason = _refusal(line) if line.is_debit else "Crediteert een geweigerde regel en telt daarom ook niet."
        yield LineVerdict(line, month.order_id, False, _is_late(line), REFUSED, reason)


def _refusal(line: ClaimLine) -> str:
    last = _day(accepted_through(line.month))
    return f"Ontvangen op {_day(line.received_on)}; over {line.month} kon dat tot en met {last}. De regel telt niet."


def _euros(cents: int) -> str:
    return f"€ {format_euro(cents)}"


def _day(day: date) -> str:
    return f"{day:%d-%m-%Y}"
