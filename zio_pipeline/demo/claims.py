"""The claims of both providers over a demo year: *fictieve* invoices per month and law, with faults planted on purpose.

Belongs here: what each provider may declare per month and law, known by construction; the invoices; their files.
Does not belong here: the settlement. The amounts are an independent sum in whole cents out of the same drawn contract (its
classes, stated amount and contribution) and of the streams each pupil was meant for, so that the core can be held against it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from zio_pipeline.contracts import sources
from zio_pipeline.demo import contract
from zio_pipeline.demo.model import Draft
from zio_pipeline.demo.places import DE_BODDE, LEIJPARK
from zio_pipeline.demo.setup_book import PROVIDERS
from zio_pipeline.demo.sheets import Cell, Sheet, header, label, write_csv, write_xlsx
from zio_pipeline.demo.timesheets import MONTHS

JW, WLZ = "jw", "wlz"
DEBIT, CREDIT = "D", "C"
_STREAMS = ("jeugdwet", "wlz_zin", "wlz_pgb", "adult")
_LAWS = {"jeugdwet": JW, "adult": JW, "wlz_zin": WLZ}
"""Whoever holds a pgb is invoiced by the provider directly: that is in no claim."""
_PREFIX = {LEIJPARK: "SZ", DE_BODDE: "AM"}
_ALIASES = {"school": "BRIN", "law": "Financiering", "month": "Declaratiemaand", "debit_credit": "D/C"}
WRONG_BY_CENTS = 90_00


@dataclass(frozen=True)
class Invoice:
    """One invoice of one line; `month` is the service month."""

    school: str
    law: str
    month: str
    number: str
    cents: int
    day: date
    debit_credit: str = DEBIT


@dataclass
class Written:
    """What came of it: files, planted cases as `order law month`, and totals."""

    files: list[Path] = field(default_factory=list)
    planted: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def write_claims(out: Path, draft: Draft) -> Written:
    """Write one file per provider and month in which it invoiced."""
    written = Written()
    for school in (LEIJPARK, DE_BODDE):
        invoices = _invoices(draft, school)
        _plant(draft, school, invoices, written)
        for month in sorted({f"{invoice.day:%Y-%m}" for invoice in invoices}):
            mine = [invoice for invoice in invoices if f"{invoice.day:%Y-%m}" == month]
            written.files.append(_write_file(out, draft, school, month, mine))
            written.counts["claim_rows"] += len(mine)
    return written


def declarable(draft: Draft, school: str) -> dict[str, list[int]]:
    """Per law the cents of the ten months: the year in ten, the odd cents one each to the first months."""
    months = {}
    for law, cents in _year_cents(draft, school).items():
        each, odd = divmod(cents, len(MONTHS))
        months[law] = [each + (place < odd) for place in range(len(MONTHS))]
    return months


def _year_cents(draft: Draft, school: str) -> Counter[str]:
    """What an order costs under each law: its doelgroepen split over the streams by pupils, and the contribution."""
    contribution = contract.CONTRIBUTION_CENTS if school == LEIJPARK else 0
    budgets = _doelgroep_cents(draft, school)
    taken = _dealt(contribution, list(budgets.values()))
    pupils = Counter(
        (p.counted_in.group.code, p.outcome[0])
        for p in draft.placed()
        if p.counted_in and p.counted_in.school == school
    )
    years = Counter({JW: contribution})
    for (group, cents), part in zip(budgets.items(), taken, strict=True):
        parts = _dealt(cents - part, [pupils[group, stream] for stream in _STREAMS])
        for stream, amount in zip(_STREAMS, parts, strict=True):
            if stream in _LAWS:
                years[_LAWS[stream]] += amount
    return +years


def _doelgroep_cents(draft: Draft, school: str) -> dict[str, int]:
    """Cost of every doelgroep in order of its code; at De Bodde the agreed amount by hours times tariff."""
    budget = contract.budget_of(draft, school)
    groups = {group.code: cents for group, cents in sorted(budget.groups.items(), key=lambda item: item[0].code)}
    if school == LEIJPARK:
        return groups
    # One tariff for all hours of this order, so hours alone are the proportion.
    hours = Counter[str]()
    for c in draft.classes:
        if c.school == school:
            hours[c.group.code] += c.year_hundredths
    return dict(zip(groups, _dealt(budget.stated_cents, [hours[code] for code in groups]), strict=True))


def _dealt(total: int, weights: Sequence[int]) -> list[int]:
    """Cents in proportion to weights: each part rounded down, the cents left to the largest remainders, first before last."""
    if not any(weights):
        return [0] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [int(share) for share in exact]
    most = sorted(range(len(weights)), key=lambda i: parts[i] - exact[i])
    for i in most[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _invoices(draft: Draft, school: str) -> list[Invoice]:
    """An invoice per month and law, sent early in the next month."""
    amounts = declarable(draft, school)
    invoices: list[Invoice] = []
    for place, number in enumerate(MONTHS):
        key = draft.year.month_key(number)
        for law, months in amounts.items():
            invoice_number = f"{_PREFIX[school]}-{draft.year.first_calendar_year}-{len(invoices) + 1:03d}"
            invoices.append(Invoice(school, law, key, invoice_number, months[place], _in_month_after(key, 3)))
    return invoices


def _in_month_after(month: str, day: int, months: int = 1) -> date:
    year, number = map(int, month.split("-"))
    index = year * 12 + number - 1 + months
    return date(index // 12, index % 12 + 1, day)


def _plant(draft: Draft, school: str, invoices: list[Invoice], written: Written) -> None:
    """Leijpark: one invoice again in the next month, and one for July. De Bodde: one corrected, and one too late."""
    law = invoices[0].law

    def one(month: int) -> Invoice:
        key = draft.year.month_key(month)
        return next(invoice for invoice in invoices if (invoice.month, invoice.law) == (key, law))

    def planted(case: str, invoice: Invoice) -> None:
        written.planted[case] = [f"{draft.order_id(school)} {invoice.law} {invoice.month}"]

    if school == LEIJPARK:
        twice, july = (
            one(11),
            replace(
                one(6),
                month=draft.year.month_key(7),
                number=f"{_PREFIX[school]}-{draft.year.first_calendar_year + 1}-901",
            ),
        )
        invoices += [replace(twice, day=_in_month_after(twice.month, 6, 2)), july]
        planted("claim_duplicate", twice)
        planted("claim_without_term", july)
        return
    right, late = one(12), one(3)
    wrong = replace(right, cents=right.cents + WRONG_BY_CENTS)
    credit = replace(wrong, number=f"{right.number}-C", day=_in_month_after(right.month, 17), debit_credit=CREDIT)
    again = replace(right, number=f"{right.number}-B", day=_in_month_after(right.month, 17))
    invoices[invoices.index(right)] = wrong
    invoices[invoices.index(late)] = replace(late, day=_in_month_after(late.month, 6, 2))
    invoices += [credit, again]
    planted("claim_corrected", right)
    planted("claim_late", late)


def _write_file(out: Path, draft: Draft, school: str, month: str, invoices: Iterable[Invoice]) -> Path:
    """Leijpark's provider sends workbooks, De Bodde's text files with headers of its own."""
    dataset = sources()["provider_claims"].datasets[0]
    agb, provider = PROVIDERS[school]
    names = [c.name for c in dataset.columns if c.required]
    aliases = _ALIASES if school == DE_BODDE else {}
    headers = [header(dataset, name, aliases.get(name)) for name in names]
    rows: list[list[Cell]] = []
    for invoice in sorted(invoices, key=lambda i: (i.day, i.number)):
        cells: dict[str, Cell] = {
            "school_year": draft.year.key,
            "provider": agb,
            "school": school,
            "law": label(dataset, "law", invoice.law),
            "month": invoice.month,
            "invoice_number": invoice.number,
            "debit_credit": label(dataset, "debit_credit", invoice.debit_credit),
            "amount_cents": Decimal(invoice.cents).scaleb(-2),
            "invoice_date": invoice.day,
        }
        rows.append([cells[name] for name in names])
    path = out / f"declaratie-{agb}-{month}"
    if school == LEIJPARK:
        title = f"Declaraties {provider}, gefactureerd in {month} (fictief demobestand)"
        write_xlsx(path.with_suffix(".xlsx"), [Sheet("Declaraties", (title,), headers, rows)])
        return path.with_suffix(".xlsx")
    write_csv(path.with_suffix(".csv"), [*headers, "opmerking"], ([*row, "fictief"] for row in rows), "utf-8-sig")
    return path.with_suffix(".csv")
