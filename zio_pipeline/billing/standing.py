"""May this payer be billed today, and who is the debtor? If not, the document is parked with its reason.

Belongs here: debtors, commitments, agreements and successors, each as of the document date (SPEC sections 4 and 5).
Does not belong here: amounts per payer (the shares), and reading the setup workbook.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from zio_pipeline.billing.documents import DesiredDocument
from zio_pipeline.money import format_euro
from zio_pipeline.terms import LAW_OF_STREAM

Declared = tuple[str, str, str]
"""Order, month and law: what a provider declares at once."""


@dataclass(frozen=True)
class Debtor:
    """Whom a document is addressed to, over inclusive dates (`None` is open). `address` holds its lines in order."""

    code: str
    name: str
    address: tuple[str, ...]
    buyer_reference: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Commitment:
    """A municipality outside the region promised to pay, on that day, up to a ceiling for the school year if any."""

    payer: str
    committed_on: date
    ceiling_cents: int | None = None


@dataclass(frozen=True)
class Agreement:
    """A zorgkantoor's agreement, over inclusive dates of service."""

    zorgkantoor: str
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True)
class Cleared:
    """The document may go out, to this debtor; `successor_of` names the payer in whose place the debtor stands."""

    debtor: Debtor
    successor_of: str | None = None


@dataclass(frozen=True)
class Parked:
    """A document that is due and waits: a row of the product `parked_documents`."""

    school_year: str
    payer: str
    period: str
    due_on: date
    reason: str
    explanation: str
    amount_cents: int


class _NotYetError(Exception):
    """Why a document cannot go out: reason code and Dutch explanation."""

    def __init__(self, reason: str, explanation: str):
        self.reason, self.explanation = reason, explanation
        super().__init__(explanation)


@dataclass(frozen=True)
class Standing:
    """Everything that decides whether and to whom a document goes.

    `sender` is the body that sends the documents. `members` are the municipalities that were members on 1 August.
    `successors(code, day)` gives the municipalities that stand in the place of one that has ended by that day, nothing
    while it exists (`reference.Municipalities.successors`); `named_successors` holds the besluiten that name one of
    several. `claimed` holds the declarations for which the provider's claim was found right, where the region chose to wait
    for it; None where billing never waits.
    """

    sender: Debtor
    debtors: tuple[Debtor, ...]
    members: frozenset[str]
    commitments: tuple[Commitment, ...]
    agreements: tuple[Agreement, ...]
    successors: Callable[[str, date], tuple[str, ...]]
    named_successors: Mapping[str, str] = field(default_factory=dict)
    claimed: frozenset[Declared] | None = None

    def judge(self, document: DesiredDocument, day: date, billed_cents: int) -> Cleared | Parked:
        """Whether the document may be posted on that day.

        Args:
            document: what is due.
            day: the business date, which becomes the document date.
            billed_cents: what this payer, and who has the same debtor that day, was billed already in this school year.
        """
        try:
            debtor_code = self._debtor_code(document.payer, document.payer_kind, day)
            successor_of = document.payer if debtor_code != document.payer else None
            if debtor_code == self.sender.code:
                # The body would write to itself: booked internally, with no commitment to wait for.
                return Cleared(self.sender, successor_of)
            debtor = self._debtor(debtor_code, day)
            self._require_commitment(document, debtor_code, day, billed_cents)
            self._require_agreement(document)
            self._require_claims(document)
        except _NotYetError as waiting:
            return Parked(
                school_year=document.school_year,
                payer=document.payer,
                period=document.period,
                due_on=document.due_on,
                reason=waiting.reason,
                explanation=waiting.explanation,
                amount_cents=document.amount_cents,
            )
        return Cleared(debtor, successor_of)

    def debtor_code(self, payer: str, payer_kind: str, day: date) -> str:
        """Who bears what this payer owes on a day; the payer itself while nobody has decided between its successors."""
        try:
            return self._debtor_code(payer, payer_kind, day)
        except _NotYetError:
            return payer

    def creditor(self, payer: str, payer_kind: str, original: Debtor, day: date) -> tuple[Debtor, str | None]:
        """Who gets its money back on a day, and in whose place: to whom the document went, as it stood on it.

        A municipality that has ended since cannot receive anything: then its successor does, when it is known who that is
        and where (SPEC section 4).
        """
        try:
            code = self._debtor_code(payer, payer_kind, day)
            if original.code in {self.sender.code, code}:
                raise _NotYetError("unchanged", "")
            debtor = self._debtor(code, day)
        except _NotYetError:
            return original, payer if original.code not in {self.sender.code, payer} else None
        return debtor, payer

    def _debtor_code(self, payer: str, payer_kind: str, day: date) -> str:
        if payer_kind != "municipality":
            return payer
        bearers = self._bearers(payer, day)
        if len(bearers) > 1 and payer in self.named_successors:
            # The one that was named may itself have gone over into another since.
            named = self._bearers(self.named_successors[payer], day)
            if not set(named) <= set(bearers):
                raise _NotYetError(
                    "several_successors",
                    f"Het besluit rechtsopvolger voor gemeente {payer} noemt een gemeente die niet opvolgt; "
                    f"kies uit {', '.join(bearers)}.",
                )
            bearers = named
        if len(bearers) > 1:
            raise _NotYetError(
                "several_successors",
                f"Gemeente {payer} bestaat op {day:%d-%m-%Y} niet meer en ging op in {', '.join(bearers)}; "
                "leg in een besluit 'rechtsopvolger' vast wie betaalt.",
            )
        return bearers[0]

    def _bearers(self, code: str, day: date) -> tuple[str, ...]:
        return self.successors(code, day) or (code,)

    def _debtor(self, code: str, day: date) -> Debtor:
        valid = [
            d
            for d in self.debtors
            if d.code == code
            and (d.valid_from is None or d.valid_from <= day)
            and (d.valid_to is None or day <= d.valid_to)
        ]
        if len(valid) > 1:
            raise _NotYetError(
                "no_debtor", f"Debiteur {code} heeft op {day:%d-%m-%Y} {len(valid)} geldige regels; laat er één over."
            )
        if not valid:
            raise _NotYetError(
                "no_debtor",
                f"Debiteur {code} staat op {day:%d-%m-%Y} niet in de inrichting; vul naam, adres en verplichtingennummer in.",
            )
        return valid[0]

    def _require_commitment(self, document: DesiredDocument, debtor_code: str, day: date, billed_cents: int) -> None:
        if document.payer_kind != "municipality" or document.payer in self.members:
            return
        given = [c for c in self.commitments if c.payer in (document.payer, debtor_code) and c.committed_on <= day]
        if not given:
            raise _NotYetError(
                "no_commitment",
                f"Van gemeente {document.payer} is op {day:%d-%m-%Y} geen toezegging vastgelegd; vraag die en vul de datum in.",
            )
        # The latest promise counts; of two on one day the debtor's own goes before that of whom it followed.
        ceiling = max(given, key=lambda c: (c.committed_on, c.payer == debtor_code)).ceiling_cents
        total = billed_cents + document.amount_cents
        if ceiling is not None and total > ceiling:
            raise _NotYetError(
                "above_commitment",
                f"Gemeente {document.payer} komt met dit document op {format_euro(total)} euro, boven haar toezegging "
                f"van {format_euro(ceiling)} euro; vraag een hogere toezegging.",
            )

    def _require_agreement(self, document: DesiredDocument) -> None:
        if document.payer_kind != "zorgkantoor":
            return
        for month in document.months:
            if not any(_covers(a, month) for a in self.agreements if a.zorgkantoor == document.payer):
                raise _NotYetError(
                    "no_agreement",
                    f"Met zorgkantoor {document.payer} is geen afspraak vastgelegd die heel {month} dekt; vul die in.",
                )

    def _require_claims(self, document: DesiredDocument) -> None:
        if self.claimed is None:
            return
        for month in document.months:
            for line in document.lines:
                if (
                    line.stream != "contribution"
                    and (line.order_id, month, LAW_OF_STREAM[line.stream]) not in self.claimed
                ):
                    raise _NotYetError(
                        "no_claim",
                        f"Voor opdracht {line.order_id} is over {month} nog geen goede declaratie van de aanbieder; "
                        "de instelling 'wacht_op_declaratie' houdt dit document zo lang tegen.",
                    )


def _covers(agreement: Agreement, month: str) -> bool:
    first = date.fromisoformat(f"{month}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return agreement.valid_from <= first and (agreement.valid_to is None or last <= agreement.valid_to)
