"""The agreement of one school year as data: settings, orders, doelgroepen, classes, members, debtors, besluiten.

Belongs here: turning the accepted sheets of the setup workbook into frozen descriptions, choosing the value that is
valid, and the hours a class brings under each basis (SPEC section 2; no fall-through: a value that is not dated for this
year is not there). Settings, contracts, debtors and members carry dates of their own; doelgroepen, classes and contributions
hold for the school year that the workbook names, and for no other.
Does not belong here: what stops it (`setup_checks`), any calculation with it (payer, budget, shares, terms, billing).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any

from zio_pipeline import setup_checks
from zio_pipeline.errors import SetupError
from zio_pipeline.settings import Settings, read_settings

Row = Mapping[str, Any]
PUPIL_DECISIONS = setup_checks.PUPIL_DECISIONS


@dataclass(frozen=True)
class Order:
    """One contract of a provider for a school. Tariffs in cents per hour; `care_tariff_cents` only where it has two."""

    order_id: str
    school: str
    provider: str
    weeks: int
    tariff_cents: int
    care_tariff_cents: int | None
    amount_basis: str
    stated_amount_cents: int | None
    tolerance_cents: int | None
    source: str


@dataclass(frozen=True)
class Doelgroep:
    """Hours per week in hundredths: granted per class, and per pupil where that is the basis; the weights of the agreed ratio."""

    order_id: str
    doelgroep: str
    name: str
    granted_hours_hundredths: int
    care_hours_hundredths: int
    hours_per_pupil_hundredths: int | None
    weights: tuple[tuple[str, int], ...]
    source: str


@dataclass(frozen=True)
class SchoolClass:
    """One class; empty hours mean those of its doelgroep, empty weeks those of its contract (SPEC section 4)."""

    school: str
    class_code: str
    order_id: str
    doelgroep: str
    hours_per_week_hundredths: int | None
    care_hours_hundredths: int | None
    weeks: int | None
    expected_pupils: int

    @property
    def key(self) -> tuple[str, str]:
        """School and class code: how placements name a class."""
        return self.school, self.class_code


@dataclass(frozen=True)
class ClassHours:
    """Hours of one class in the school year, in hundredths, split over the two functions."""

    care_hundredths: int
    guidance_hundredths: int

    @property
    def total_hundredths(self) -> int:
        return self.care_hundredths + self.guidance_hundredths


@dataclass(frozen=True)
class Besluit:
    """One besluit; `pupil` is a pseudonym. Which fields matter depends on `kind` (see the contract)."""

    decision_id: str
    kind: str
    pupil: str | None
    row_ref: str | None
    school: str | None
    class_code: str | None
    order_id: str | None
    doelgroep: str | None
    key_doelgroep: str | None
    stream: str | None
    subject: str | None
    payer: str | None
    month: str | None


@dataclass(frozen=True)
class Contribution:
    """A fixed amount that a party carries of one order (bijdrage), in cents."""

    order_id: str
    payer: str
    description: str
    amount_cents: int


@dataclass(frozen=True)
class ClassName:
    """What a class is called from a day on; its hours belong to `established_class_code` (DOMAIN 8.50). `valid_to` None is open."""

    school: str
    class_code: str
    established_class_code: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class SchoolYearSetup:
    """Everything the workbook fixes for one school year. `sheets` keeps the rows that only billing reads.

    `postponed` holds the classes of orders left out by besluit, each with its order: those are nowhere else here.
    """

    settings: Settings
    orders: tuple[Order, ...]
    doelgroepen: tuple[Doelgroep, ...]
    classes: tuple[SchoolClass, ...]
    decisions: tuple[Besluit, ...]
    contributions: tuple[Contribution, ...]
    postponed: Mapping[tuple[str, str], str]
    class_names: tuple[ClassName, ...]
    sheets: Mapping[str, tuple[Row, ...]]

    def order(self, order_id: str) -> Order:
        return self._order_by_id[order_id]

    def doelgroep(self, order_id: str, doelgroep: str) -> Doelgroep:
        return self._doelgroep_by_key[order_id, doelgroep]

    @cached_property
    def _order_by_id(self) -> Mapping[str, Order]:
        return {order.order_id: order for order in self.orders}

    @cached_property
    def _doelgroep_by_key(self) -> Mapping[tuple[str, str], Doelgroep]:
        return {(group.order_id, group.doelgroep): group for group in self.doelgroepen}

    def hours_of(self, school_class: SchoolClass) -> ClassHours:
        """What a class costs in hours of the school year, by the basis of the year (setting `bekostiging`)."""
        weeks = self.order(school_class.order_id).weeks if school_class.weeks is None else school_class.weeks
        return _HOURS[self.settings.budget_basis](
            self.doelgroep(school_class.order_id, school_class.doelgroep), school_class, weeks
        )

    def is_member(self, municipality: str) -> bool:
        """Whether it was a member on 1 August: that decides for the whole school year (SPEC section 4)."""
        first_day = self.settings.school_year.first_day
        return any(
            _is_member(row, first_day) for row in self.sheets["municipalities"] if row["municipality"] == municipality
        )

    def decisions_of(self, *kinds: str) -> tuple[Besluit, ...]:
        return tuple(d for d in self.decisions if d.kind in kinds)


def _per_class(group: Doelgroep, school_class: SchoolClass, weeks: int) -> ClassHours:
    """Its own hours per week, else its doelgroep's, times the weeks, whoever sits in it (SPEC section 4)."""
    own = school_class.hours_per_week_hundredths
    per_week = group.granted_hours_hundredths if own is None else own
    care = group.care_hours_hundredths if own is None else school_class.care_hours_hundredths or 0
    return ClassHours(care_hundredths=care * weeks, guidance_hundredths=(per_week - care) * weeks)


def _per_pupil_weight(group: Doelgroep, school_class: SchoolClass, weeks: int) -> ClassHours:
    """Expected pupils times the hours of a pupil of its doelgroep times the weeks; no hours for a class that needs none.

    The number is that of the workbook, which the worklist compares with the pupils placed (SPEC section 3), so that the amount
    stands before any child is known.
    """
    needs_none = school_class.hours_per_week_hundredths == 0
    per_week = 0 if needs_none else school_class.expected_pupils * (group.hours_per_pupil_hundredths or 0)
    return ClassHours(care_hundredths=0, guidance_hundredths=per_week * weeks)


_HOURS: Mapping[str, Callable[[Doelgroep, SchoolClass, int], ClassHours]] = {
    "per_class": _per_class,
    "per_pupil_weight": _per_pupil_weight,
}


def _is_member(row: Row, on: date) -> bool:
    return (
        row["member_from"] is not None
        and row["member_from"] <= on
        and (row["member_to"] is None or on <= row["member_to"])
    )


def read_setup(sheets: Mapping[str, Sequence[Row]]) -> SchoolYearSetup:
    """Read the accepted sheets (by dataset name, typed as in the contract) of one school year.

    Orders left out by a besluit `opdracht later` are not in the result, nor their classes, doelgroepen, contributions.

    Raises:
        SetupError: a value is missing for this year, double, or contradicts another.
    """
    settings = read_settings(sheets["settings"])
    decisions = tuple(_decision(row) for row in _ordered(sheets["decisions"], "decision_id"))
    later = {d.order_id for d in decisions if d.kind == "order_later"}
    valid = _ordered(valid_rows(sheets["orders"], settings.start_date), "order_id")
    setup_checks.require_sound_sheets(sheets, valid, decisions, settings.start_date)
    orders = tuple(_order(row) for row in valid if row["order_id"] not in later)
    kept = {order.order_id for order in orders}
    setup = SchoolYearSetup(
        settings=settings,
        orders=orders,
        doelgroepen=tuple(
            _doelgroep(r) for r in _ordered(sheets["doelgroepen"], "order_id", "doelgroep") if r["order_id"] in kept
        ),
        classes=tuple(_class(r) for r in _ordered(sheets["classes"], "school", "class_code") if r["order_id"] in kept),
        decisions=decisions,
        contributions=tuple(
            _contribution(r) for r in _ordered(sheets["contributions"], "order_id", "payer") if r["order_id"] in kept
        ),
        postponed={(r["school"], r["class_code"]): r["order_id"] for r in sheets["classes"] if r["order_id"] in later},
        class_names=_class_names(sheets),
        sheets={name: tuple(rows) for name, rows in sheets.items()},
    )
    setup_checks.require_sound(setup)
    return setup


def valid_rows(rows: Iterable[Row], on: date) -> list[Row]:
    """Rows whose inclusive validity covers the day."""
    return [r for r in rows if r["valid_from"] <= on and (r["valid_to"] is None or on <= r["valid_to"])]


def _ordered(rows: Iterable[Row], *names: str) -> list[Row]:
    return sorted(rows, key=lambda r: tuple(r[name] for name in names))


def _order(row: Row) -> Order:
    names = (
        "order_id",
        "school",
        "provider",
        "weeks",
        "tariff_cents",
        "care_tariff_cents",
        "amount_basis",
        "stated_amount_cents",
        "tolerance_cents",
        "source",
    )
    return Order(**{name: row[name] for name in names})


def _doelgroep(row: Row) -> Doelgroep:
    weights = tuple(
        (s, row[f"weight_{s}"]) for s in ("jeugdwet", "wlz_zin", "wlz_pgb", "adult") if row[f"weight_{s}"] is not None
    )
    return Doelgroep(
        order_id=row["order_id"],
        doelgroep=row["doelgroep"],
        name=row["name"],
        granted_hours_hundredths=row["granted_hours_hundredths"],
        care_hours_hundredths=row["care_hours_hundredths"] or 0,
        hours_per_pupil_hundredths=row["hours_per_pupil_hundredths"],
        weights=weights,
        source=row["source"],
    )


def _class(row: Row) -> SchoolClass:
    names = (
        "school",
        "class_code",
        "order_id",
        "doelgroep",
        "hours_per_week_hundredths",
        "care_hours_hundredths",
        "weeks",
        "expected_pupils",
    )
    return SchoolClass(**{name: row[name] for name in names})


def _class_names(sheets: Mapping[str, Sequence[Row]]) -> tuple[ClassName, ...]:
    """Later names of classes; a day on which a name belongs to two classes, or to none that is there, stops."""
    known = {(row["school"], row["class_code"]) for row in sheets["classes"]}
    names = [
        ClassName(r["school"], r["class_code"], r["established_class_code"], r["valid_from"], r["valid_to"])
        for r in _ordered(sheets.get("class_names", ()), "school", "class_code", "valid_from")
    ]
    problems = [
        f"klas {n.established_class_code} staat niet op blad 'klassen' bij vestiging {n.school}"
        for n in names
        if (n.school, n.established_class_code) not in known
    ]
    problems += [
        f"klas {b.class_code} van vestiging {b.school} staat er op {b.valid_from:%d-%m-%Y} twee keer"
        for a, b in pairwise(names)
        if (a.school, a.class_code) == (b.school, b.class_code) and (a.valid_to is None or b.valid_from <= a.valid_to)
    ]
    if problems:
        raise SetupError("Blad 'klasnamen' klopt niet:\n- " + "\n- ".join(problems))
    return tuple(names)


def _decision(row: Row) -> Besluit:
    names = (
        "decision_id",
        "kind",
        "pupil",
        "row_ref",
        "school",
        "class_code",
        "order_id",
        "doelgroep",
        "key_doelgroep",
        "stream",
        "subject",
        "payer",
        "month",
    )
    return Besluit(**{name: row[name] for name in names})


def _contribution(row: Row) -> Contribution:
    return Contribution(row["order_id"], row["payer"], row["description"], row["amount_cents"])
