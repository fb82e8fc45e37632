"""What goes into and comes out of the payer decision.

Belongs here: the frozen records that the rules pass to each other, and the Dutch sentence of every reason.
Does not belong here: the rules themselves.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from zio_pipeline.setup import SchoolYearSetup

Row = Mapping[str, Any]

PGB_HOLDERS = "PGB"
PAYER_KIND = {"jeugdwet": "municipality", "adult": "municipality", "wlz_zin": "zorgkantoor"}

WORK = {
    "quarantined_row": "Deze rij staat in quarantaine. Lever het bestand verbeterd opnieuw aan, of neem een besluit.",
    "contradicting_files": (
        "Dit bestand is tegelijk aangeleverd met een ander over dezelfde school en periode, en ze spreken elkaar tegen. "
        "Haal het verkeerde uit de map."
    ),
    "double_placement": (
        "Deze leerling staat op de startdatum in meer dan één klas. "
        "Neem een besluit dat de klas noemt, of lever opnieuw aan."
    ),
    "contradicting_rows": (
        "Deze leerling staat twee keer in dezelfde klas met verschillende gegevens. "
        "Lever het bestand verbeterd opnieuw aan."
    ),
    "unknown_class": (
        "De klas van deze leerling staat niet in de inrichting. Voeg de klas toe of lever het bestand verbeterd aan."
    ),
    "wlz_ambiguous": (
        "Wlz-besluiten spreken elkaar tegen, en welk het laatste is blijkt niet: zij zijn van dezelfde dag, of één heeft geen "
        "afgiftedatum. Vraag het zorgkantoor en neem een besluit."
    ),
    "wlz_mixed": (
        "MPT en pgb naast elkaar: de leveringsvorm van de zorg op school is niet vast te stellen. Neem een besluit."
    ),
    "wlz_form_unknown": (
        "De leveringsvorm ontbreekt, is onbekend of is een verkeerde bedding. "
        "Vraag het zorgkantoor en neem een besluit."
    ),
    "wlz_integral": "Verblijf of volledig pakket thuis kent een integraal tarief. Neem een besluit over deze leerling.",
    "pgb_consent": (
        "De ouders stemmen niet (aantoonbaar) in met collectieve financiering uit het pgb. Neem een besluit."
    ),
    "adult": "Deze leerling is op de startdatum 18 of ouder en heeft geen Wlz. Neem een besluit over de betaler.",
    "abroad": "Deze leerling woont in het buitenland: er is geen Nederlandse gemeente. Neem een besluit.",
    "municipality_missing": "De verantwoordelijke gemeente ontbreekt. Lever haar na of neem een besluit.",
    "municipality_unknown": (
        "De verantwoordelijke gemeente is geen gemeente op de peildatum. Lever haar verbeterd aan of neem een besluit."
    ),
    "municipality_split": (
        "Deze gemeente is opgeheven en verdeeld; de postcode wijst de opvolger niet aan. Neem een besluit."
    ),
    "municipality_after_reference_date": (
        "De gemeente geldt pas na de peildatum; die van de peildatum is niet bekend. Lever haar na of neem een besluit."
    ),
    "secret_address": (
        "Geheim adres zonder opgegeven gemeente. Vraag de gemeente langs de beveiligde weg en neem een besluit."
    ),
    "stay": (
        "De postcode is van een verblijflocatie: de gemeente van vóór het verblijf betaalt (woonplaatsbeginsel). "
        "Neem een besluit."
    ),
    "residence_disputed": (
        "De gemeente betwist in de woonplaatstoets dat deze leerling op de peildatum onder haar viel. "
        "Zoek het met school en gemeente uit, lever het bestand verbeterd aan of neem een besluit."
    ),
    "wlz_without_placement": (
        "Deze Wlz-indicatie hoort bij niemand die op de startdatum geplaatst is. "
        "Controleer de lijst of neem een besluit 'niet tellen'."
    ),
    "class_size": (
        "Het aantal leerlingen in deze klas is niet het verwachte aantal. "
        "Lever het bestand opnieuw aan of verbeter de inrichting."
    ),
    "wlz_list_refused": (
        "De Wlz-lijst is niet aannemelijk en wordt geweigerd. "
        "Vraag een nieuwe lijst, of aanvaard deze met een besluit 'wlz-lijst'."
    ),
    "missing_pupil_file": "Van deze school is geen leerlingbestand aanvaard.",
}
"""Reason code of the worklist -> what is the matter and what to do, for the reader who must act."""

SIGNALS = {
    "left_before_start": "Uitgeschreven vóór de startdatum: telt niet mee.",
    "expected_newcomer": "Geplaatst ná de startdatum: telt dit schooljaar niet mee.",
    "announced": "Alleen aangemeld: telt niet mee.",
    "wlz_granted_afterwards": (
        "Wlz met terugwerkende kracht toegekend, op de peildatum nog niet bekend: verandert dit schooljaar niets."
    ),
    "turns_18": "Wordt in de loop van het schooljaar 18: verandert dit schooljaar niets.",
    "order_later": "De opdracht van deze klas wordt volgens besluit later vastgesteld: telt nu niet mee.",
    "besluit_without_need": (
        "Dit besluit is nergens voor nodig (of noemt een onbekende leerling): de gewone regel geldt."
    ),
}
"""Reason code of a signal -> its Dutch sentence. A signal never changes an amount."""


@dataclass(frozen=True)
class PayerInputs:
    """Accepted rows (typed as in the contracts, pupils as pseudonyms) and what could be read of quarantined rows."""

    registrations: Sequence[Row]
    indications: Sequence[Row]
    quarantined: Sequence[Row]
    """Each: dataset, row_ref, and of the readable columns pupil, school, class_code (else None)."""
    contradicting: Sequence[str] = ()
    """Labels of files that were offered together and contradict each other: neither counts."""
    residence_answers: Sequence[Row] = ()
    """What municipalities said in the residence check. Each: pupil, municipality, confirmed (true, false), other (the code of the
    municipality it names instead, else None), sequence (a later one of the same municipality goes before)."""


@dataclass(frozen=True)
class Verdict:
    """Answer of one rule: a stream with its payer, a reason why the pupil is outside the key, or a worklist reason."""

    reason: str
    stream: str | None = None
    payer: str | None = None
    payer_kind: str | None = None
    evidence: str = ""
    delivery_form: str | None = None
    work: bool = False
    detail: str = ""


@dataclass(frozen=True)
class Decision:
    """The payer of one placed pupil. `stream` is None for one outside the key; age class instead of a birth date."""

    pupil: str
    school: str
    class_code: str
    order_id: str
    doelgroep: str
    stream: str | None
    payer: str | None
    payer_kind: str | None
    reason: str
    evidence: str
    delivery_form: str | None
    age_class: str
    decision_id: str | None
    row_ref: str


@dataclass(frozen=True)
class WorkItem:
    """A point a person must decide. Open while `decision_id` is None; `order_id` None blocks every order."""

    reason: str
    order_id: str | None
    subject: str | None
    row_ref: str | None
    detail: str = ""
    decision_id: str | None = None

    @property
    def item_id(self) -> str:
        """Stable number: the same point has the same number in every run."""
        return _stable_id(self.reason, self.order_id, self.subject, self.row_ref)

    @property
    def explanation(self) -> str:
        return f"{WORK[self.reason]} {self.detail}".strip()

    def settled(self, decision_id: str) -> "WorkItem":
        return replace(self, decision_id=decision_id)


@dataclass(frozen=True)
class Signal:
    """Something to know that changes nothing this year."""

    reason: str
    order_id: str | None
    subject: str

    @property
    def signal_id(self) -> str:
        return _stable_id(self.reason, self.order_id, self.subject, None)

    @property
    def explanation(self) -> str:
        return SIGNALS[self.reason]


def _stable_id(*parts: str | None) -> str:
    return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class PayerOutcome:
    """Every placed pupil decided or on the worklist; nobody in both, nobody in neither."""

    decisions: tuple[Decision, ...]
    worklist: tuple[WorkItem, ...]
    signals: tuple[Signal, ...]

    def blocking(self, setup: SchoolYearSetup) -> list[str]:
        """Dutch sentence per order that an open point blocks, row and point named, never the child."""
        open_items = [item for item in self.worklist if item.decision_id is None]
        orders = {order.order_id for order in setup.orders}
        return [
            f"{item.order_id or 'alle opdrachten'}, punt {item.item_id}"
            + (f", {item.row_ref}" if item.row_ref else "")
            + f": {item.explanation}"
            for item in open_items
            if item.order_id is None or item.order_id in orders
        ]

    def counts(self) -> Counter[tuple[str, str, str, str, str]]:
        """Pupils per (order, doelgroep, stream, payer kind, payer), those outside the key left out."""
        return Counter(
            (d.order_id, d.doelgroep, d.stream, d.payer_kind or "", d.payer or "")
            for d in self.decisions
            if d.stream is not None
        )

    def placed(self) -> Counter[tuple[str, str]]:
        """Pupils placed on the startdatum per (order, doelgroep), whatever they cost."""
        return Counter((d.order_id, d.doelgroep) for d in self.decisions)


def age_on(birth_date: date, day: date) -> int:
    """Age in whole years; somebody who turns 18 on the day is 18 (SPEC section 3)."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def age_class(age: int) -> str:
    """Coarse age that may stay after establishment, when the birth date is dropped."""
    return "0-11" if age < 12 else "12-17" if age < 18 else "18+"
