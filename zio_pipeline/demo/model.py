"""The draft of a demo school year: classes, pupils and besluiten, with the outcome that the rules should give.

Belongs here: plain records that the other modules of this package fill and write out.
Does not belong here: how they are drawn, and the program's own calculation. `Pupil.outcome` is known by construction,
never computed with the core, so that it can be held against it.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from zio_pipeline.demo.calendar import SchoolCalendar
from zio_pipeline.school_year import SchoolYear

PGB = "2"
"""Leveringsvorm pgb (iWlz COD578)."""


@dataclass(frozen=True)
class Group:
    """A doelgroep of one school. Hours per class per week in hundredths; ages in years, the last one inclusive."""

    school: str
    code: str
    name: str
    need_hundredths: int
    own_hundredths: int
    care_hundredths: int
    class_size: int
    pupils_permille: int
    ages: tuple[int, int]
    wlz_permille: int

    @property
    def granted_hundredths(self) -> int:
        return self.need_hundredths - self.own_hundredths


@dataclass(frozen=True)
class SchoolClass:
    """One class; own hours and weeks only where it deviates. Ages in months, the last exclusive."""

    school: str
    code: str
    group: Group
    contract_weeks: int
    size: int
    ages: tuple[int, int]
    hours_hundredths: int | None = None
    care_hundredths: int | None = None
    weeks: int | None = None

    @property
    def year_hundredths(self) -> int:
        """Granted hours of the year, in hundredths."""
        hours = self.group.granted_hundredths if self.hours_hundredths is None else self.hours_hundredths
        return hours * (self.contract_weeks if self.weeks is None else self.weeks)

    @property
    def year_care_hundredths(self) -> int:
        """The part of `year_hundredths` that is verzorging."""
        care = self.group.care_hundredths if self.hours_hundredths is None else self.care_hundredths or 0
        return care * (self.contract_weeks if self.weeks is None else self.weeks)


@dataclass(frozen=True)
class Indication:
    """One row of the Wlz list."""

    list_date: date
    number: int
    issued_on: date | None
    starts_on: date
    form: str
    zorgkantoor: str
    ends_on: date | None = None
    pgb_percentage: int | None = None
    parents_agree: bool | None = None


@dataclass(frozen=True)
class Placement:
    """A pupil in a class (or in the group `Aangemeld`), both days inclusive."""

    school: str
    class_code: str
    first: date
    last: date | None = None


@dataclass
class Pupil:
    """A fictitious child, as the school files it. `municipality` is the true one, `stated` what the file says."""

    pgn: str
    first_name: str
    last_name: str
    birth_date: date
    placements: list[Placement]
    counted_in: SchoolClass | None
    municipality: str = ""
    stated: str = ""
    since: date | None = None
    evidence: str | None = None
    postcode: str = ""
    country: str = "Nederland"
    secret: bool = False
    needs_care: bool | None = True
    indication: Indication | None = None
    other_indications: list[Indication] = field(default_factory=list)
    settled: tuple[str | None, str | None] | None = None
    planted: bool = False

    @property
    def outcome(self) -> tuple[str | None, str | None]:
        """Stream and payer that SPEC section 3 gives this pupil; (None, None) outside the key."""
        if self.counted_in is None or self.counted_in.year_hundredths == 0 or self.needs_care is False:
            return None, None
        if self.settled is not None:
            return self.settled
        if self.indication is None:
            return "jeugdwet", self.municipality
        if self.indication.form == PGB:
            return "wlz_pgb", "PGB"
        return "wlz_zin", self.indication.zorgkantoor

    @property
    def indications(self) -> list[Indication]:
        current = [] if self.indication is None else [self.indication]
        return sorted([*self.other_indications, *current], key=lambda i: i.number)


@dataclass
class Draft:
    """Everything of one demo year before it is written."""

    year: SchoolYear
    seed: str
    start: date
    reference: date
    list_date: date
    calendars: dict[str, SchoolCalendar]
    groups: tuple[Group, ...]
    classes: list[SchoolClass]
    pupils: list[Pupil]
    besluiten: list[dict[str, object]] = field(default_factory=list)
    planted: dict[str, list[str]] = field(default_factory=dict)

    def rng(self, topic: str) -> random.Random:
        """A source of chance per topic: the same seed always gives the same draws, whatever was drawn elsewhere."""
        return random.Random(f"{self.seed}:{topic}")

    def placed(self) -> Iterator[Pupil]:
        """Pupils who sit in a class on the startdatum and count there."""
        return (pupil for pupil in self.pupils if pupil.counted_in is not None)

    def class_sizes(self) -> Counter[tuple[str, str]]:
        """Pupils expected per (school, class): placed on the startdatum, whatever they cost (SPEC section 3)."""
        return Counter((p.counted_in.school, p.counted_in.code) for p in self.pupils if p.counted_in is not None)

    def order_id(self, school: str) -> str:
        return f"{ORDER_PREFIX[school]}-{self.year.first_calendar_year}"


ORDER_PREFIX = {"02ZX00": "LP-SIZA", "01FX00": "BO-AMARANT"}
