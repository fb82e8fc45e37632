"""A small region with two schools as one value, so that a version can be told as a change of it. Every figure is fictief."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

from tests.year_builder import AMARANT, BREDA, DE_BODDE, GOIRLE, HEUSDEN, LEIJPARK, MIDDEN_BRABANT, TILBURG, Year

PAYERS = (TILBURG, HEUSDEN, GOIRLE, BREDA, MIDDEN_BRABANT)
SCHOOL = "SWV"
"""Who gives a contribution, if there is one."""
WLZ = "wlz"
"""In the place of a municipality: a pupil with Wlz."""


@dataclass(frozen=True)
class Shape:
    """Who sits where and what an hour costs. `pupils` holds per pupil its class and its municipality, or WLZ."""

    pupils: tuple[tuple[str, str], ...] = (
        *(("EMB1", code) for code in (TILBURG, TILBURG, TILBURG, HEUSDEN, BREDA, WLZ, WLZ)),
        *(("MG1", code) for code in (TILBURG, HEUSDEN, GOIRLE)),
        *(("BOD1", code) for code in (TILBURG, GOIRLE, BREDA, WLZ)),
    )
    tariffs: tuple[tuple[str, int], ...] = (("DB", 61_37), ("LP", 60_00))
    changes: tuple[tuple[str, str], ...] = ()
    """Besluiten 'opdracht gewijzigd', in order: order and first term."""
    committed: bool = True
    """Whether Breda has promised to pay."""
    known: frozenset[str] = field(default=frozenset(PAYERS))
    """Of whom there are debtor data."""
    hours: tuple[int, int] = (10_00, 5_25)
    """Of LP, in hundredths a week: EMB and MG. With the same sum its amount stays what it is."""
    contribution: int = 0
    """Of a school to LP, in cents."""

    def moved(self, pupil: int, to: str) -> Self:
        """The same with another payer for one pupil."""
        pupils = list(self.pupils)
        pupils[pupil] = (pupils[pupil][0], to)
        return replace(self, pupils=tuple(pupils))

    def priced(self, order_id: str, cents: int) -> Self:
        """The same with another tariff for one order."""
        return replace(self, tariffs=tuple(sorted({**dict(self.tariffs), order_id: cents}.items())))

    def tariff(self, order_id: str) -> int:
        return dict(self.tariffs)[order_id]

    def changed(self, order_id: str, month: str) -> Self:
        """The same with one more besluit that an order changed."""
        return replace(self, changes=(*self.changes, (order_id, month)))

    def year(self) -> Year:
        """The rows of this region."""
        year = Year(empty=True)
        year.order("LP", school=LEIJPARK, tariff_cents=self.tariff("LP"))
        year.order("DB", school=DE_BODDE, provider=AMARANT, tariff_cents=self.tariff("DB"))
        year.doelgroep("LP", "EMB", self.hours[0])
        year.doelgroep("LP", "MG", self.hours[1])
        year.doelgroep("DB", "EMB", 7_50)
        year.school_class("EMB1", "LP", "EMB")
        year.school_class("MG1", "LP", "MG")
        year.school_class("BOD1", "DB", "EMB", school=DE_BODDE)
        for number, (class_code, municipality) in enumerate(self.pupils):
            school = DE_BODDE if class_code == "BOD1" else LEIJPARK
            home = TILBURG if municipality == WLZ else municipality
            pupil = year.pupil(f"p{number:02}", class_code, home, school=school)
            if municipality == WLZ:
                year.wlz(pupil)
        promise = {"commitment_on": date(2025, 8, 1)} if self.committed else {}
        year.add("municipalities", municipality=BREDA, name="Breda", **promise)
        year.add(
            "zorgkantoren",
            zorgkantoor=MIDDEN_BRABANT,
            name="VGZ",
            legal_ground="fictief",
            agreed_from=date(2025, 8, 1),
            agreed_to=date(2026, 7, 31),
        )
        if self.contribution:
            year.contribution("LP", SCHOOL, self.contribution)
        for payer in sorted({*self.known, SCHOOL}):
            address = {"street": "Plein", "house_number": "1", "postcode": "5000AA", "place": "Tilburg"}
            year.add("debtors", payer=payer, name=f"Debiteur {payer}", buyer_reference=f"V-{payer}", **address)
        for number, (order_id, month) in enumerate(self.changes):
            year.besluit("order_change", decision_id=f"OW{number}", order_id=order_id, month=month)
        return year
