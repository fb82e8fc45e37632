"""The agreement of one school year as data: settings, orders, doelgroepen, classes, members, debtors, besluiten.

Belongs here: turning the accepted sheets of the setup workbook into frozen descriptions, choosing the value that is
valid, and stopping with a Dutch sentence when one is missing, double or contradictory (SPEC section 2; no fall-through:
a value that is not dated for this year is not there).
Does not belong here: any calculation with them (payer, budget, shares, terms, billing).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from zio_pipeline.errors import SetupError
from zio_pipeline.reference import municipalities
from zio_pipeline.settings import Settings, read_settings

Row = Mapping[str, Any]
PUPIL_DECISIONS = ("definitive", "provisional", "not_counted")


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
    """Hours granted per class per week in hundredths, and the weights of the agreed ratio where there is one."""

    order_id: str
    doelgroep: str
    name: str
    granted_hours_hundredths: int
    care_hours_hundredths: int
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
    sheets: Mapping[str, tuple[Row, ...]]

    def order(self, order_id: str) -> Order:
        return next(o for o in self.orders if o.order_id == order_id)

    def doelgroep(self, order_id: str, doelgroep: str) -> Doelgroep:
        return next(d for d in self.doelgroepen if (d.order_id, d.doelgroep) == (order_id, doelgroep))

    def hours_of(self, school_class: SchoolClass) -> ClassHours:
        """Its own hours per week, else its doelgroep's, times its own weeks, else the contract's (SPEC section 4)."""
        group = self.doelgroep(school_class.order_id, school_class.doelgroep)
        own = school_class.hours_per_week_hundredths
        per_week = group.granted_hours_hundredths if own is None else own
        care = group.care_hours_hundredths if own is None else school_class.care_hours_hundredths or 0
        weeks = self.order(school_class.order_id).weeks if school_class.weeks is None else school_class.weeks
        return ClassHours(care_hundredths=care * weeks, guidance_hundredths=(per_week - care) * weeks)

    def is_member(self, municipality: str) -> bool:
        """Whether it was a member on 1 August: that decides for the whole school year (SPEC section 4)."""
        first_day = self.settings.school_year.first_day
        return any(
            _is_member(row, first_day) for row in self.sheets["municipalities"] if row["municipality"] == municipality
        )

    def decisions_of(self, *kinds: str) -> tuple[Besluit, ...]:
        return tuple(d for d in self.decisions if d.kind in kinds)


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
    problems = [*_doubles(sheets, valid), *_loose_rows(sheets, valid, later), *_idle_decisions(sheets, decisions)]
    if problems:
        raise _not_right(problems)
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
        sheets={name: tuple(rows) for name, rows in sheets.items()},
    )
    _check(setup)
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


def _check(setup: SchoolYearSetup) -> None:
    checks = (_unpriced_orders, _loose_classes, _double_decisions, _membership_contradictions)
    problems = [problem for check in checks for problem in check(setup)]
    if problems:
        raise _not_right(problems)


def _not_right(problems: Iterable[str]) -> SetupError:
    return SetupError("De inrichting klopt niet:\n- " + "\n- ".join(problems))


def _doubles(sheets: Mapping[str, Sequence[Row]], orders: Sequence[Row]) -> list[str]:
    """What stands on a sheet twice would be paid twice. Of an order only what holds on the startdatum counts."""
    keys: dict[str, list[tuple[str, ...]]] = {
        "contracten": [(r["order_id"],) for r in orders],
        "doelgroepen": [(r["order_id"], r["doelgroep"]) for r in sheets["doelgroepen"]],
        "klassen": [(r["school"], r["class_code"]) for r in sheets["classes"]],
        "bijdragen": [(r["order_id"], r["payer"]) for r in sheets["contributions"]],
        "besluiten": [(r["decision_id"],) for r in sheets["decisions"]],
    }
    return [
        f"Blad '{sheet}': {' '.join(key)} staat er {count} keer."
        for sheet, found in keys.items()
        for key, count in sorted(Counter(found).items())
        if count > 1
    ]


def _loose_rows(sheets: Mapping[str, Sequence[Row]], orders: Iterable[Row], later: set[str | None]) -> list[str]:
    """Rows of an order that does not hold this year: left out without a word, their hours and cents would be gone."""
    known = {row["order_id"] for row in orders} | later
    dutch = {"doelgroepen": "doelgroepen", "classes": "klassen", "contributions": "bijdragen"}
    loose = {(sheet, row["order_id"]) for name, sheet in dutch.items() for row in sheets[name]}
    return [
        f"Blad '{sheet}': opdracht {order_id} staat niet bij de contracten die gelden op de startdatum."
        for sheet, order_id in sorted(loose)
        if order_id not in known
    ]


def _idle_decisions(sheets: Mapping[str, Sequence[Row]], decisions: Iterable[Besluit]) -> list[str]:
    """Besluiten about an order or doelgroep that is not there: they would change nothing, and nobody would notice."""
    orders = {row["order_id"] for row in sheets["orders"]}
    groups = {(row["order_id"], row["doelgroep"]) for row in sheets["doelgroepen"]}
    problems = []
    for d in decisions:
        if d.kind == "order_later" and d.order_id not in orders:
            problems.append(f"Besluit {d.decision_id} noemt een opdracht die er niet is.")
        if d.kind == "key_of" and not {(d.order_id, d.doelgroep), (d.order_id, d.key_doelgroep)} <= groups:
            problems.append(f"Besluit {d.decision_id} noemt een doelgroep die er niet is.")
    return problems


def _unpriced_orders(setup: SchoolYearSetup) -> list[str]:
    day = f"{setup.settings.start_date:%d-%m-%Y}"
    problems = [] if setup.orders else [f"Er is geen contract dat geldt op de startdatum {day}."]
    used = {c.order_id for c in setup.classes}
    problems += [f"Opdracht {o.order_id} heeft geen enkele klas." for o in setup.orders if o.order_id not in used]
    return problems


def _loose_classes(setup: SchoolYearSetup) -> list[str]:
    groups = {(d.order_id, d.doelgroep) for d in setup.doelgroepen}
    schools = {o.order_id: o.school for o in setup.orders}
    problems = []
    for c in setup.classes:
        if (c.order_id, c.doelgroep) not in groups:
            problems.append(f"Klas {c.class_code}: doelgroep {c.doelgroep} staat niet bij opdracht {c.order_id}.")
        if schools[c.order_id] != c.school:
            problems.append(f"Klas {c.class_code}: opdracht {c.order_id} is van een andere school.")
    return problems


def _double_decisions(setup: SchoolYearSetup) -> list[str]:
    seen: dict[str, str] = {}
    problems = []
    for d in setup.decisions_of(*PUPIL_DECISIONS):
        for subject in filter(None, (d.pupil, d.row_ref)):
            if subject in seen:
                problems.append(f"Besluiten {seen[subject]} en {d.decision_id} gaan over dezelfde leerling.")
            seen[subject] = d.decision_id
    keys = Counter((d.order_id, d.doelgroep) for d in setup.decisions_of("key_of"))
    problems += [
        f"Doelgroep {group} van {order}: meer dan één besluit 'sleutel van'."
        for (order, group), n in keys.items()
        if n > 1
    ]
    return problems


def _membership_contradictions(setup: SchoolYearSetup) -> list[str]:
    """Where the member list contradicts the CBS jeugdregio a besluit is needed (SPEC section 4, Terms)."""
    settings, table = setup.settings, municipalities()
    settled = {d.subject for d in setup.decisions_of("membership")}
    members = {row["municipality"] for row in setup.sheets["municipalities"] if setup.is_member(row["municipality"])}
    gone = {code for code in members | {settings.penvoerder} if not table.exists(code, settings.reference_date)}
    by_cbs = {code for code in table.in_jeugdregio(settings.jeugdregio) if table.exists(code, settings.reference_date)}
    problems = [
        f"Gemeente {code} bestaat niet op de peildatum {settings.reference_date:%d-%m-%Y}." for code in sorted(gone)
    ]
    for code in sorted((members ^ by_cbs) - settled - gone):
        state = "wel" if code in members else "niet"
        problems.append(
            f"Gemeente {table.name(code)} ({code}) staat {state} als lid in de ledenlijst; het CBS zegt iets anders. "
            "Neem een besluit 'ledenlijst' op."
        )
    return problems
