"""What stops a setup workbook: a value that is missing for this year, double, loose or contradictory.

Belongs here: the checks over the sheets and over the setup that was read from them, every problem named at once, in Dutch and
with the dates it is about. Does not belong here: reading the sheets (`setup`), what is wrong within one row (the contract).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, Any

from zio_pipeline.errors import SetupError
from zio_pipeline.open_days import (
    FEWEST_OPEN_DAYS,
    MOST_OPEN_DAYS,
    OpenDays,
    days_of_order,
    not_stated,
    open_days_or_region,
    region_holidays,
)
from zio_pipeline.reference import municipalities, zorgkantoor_name

if TYPE_CHECKING:
    from zio_pipeline.setup import Besluit, SchoolYearSetup

Row = Mapping[str, Any]
PGB_HOLDERS = "PGB"
UNKNOWN_CLASS = "onbekend"
"""What a class is called in whatever is made of timesheets when the workbook does not know it (SPEC section 8); no class's own."""
PUPIL_DECISIONS = ("definitive", "provisional", "not_counted")


def require_sound_sheets(
    sheets: Mapping[str, Sequence[Row]], valid: Sequence[Row], decisions: Sequence["Besluit"], start_date: date
) -> None:
    """Stop when what stands on the sheets does not fit together.

    Args:
        sheets: the accepted rows by dataset.
        valid: the orders that hold on the startdatum.
        decisions: every besluit.
        start_date: the startdatum.

    Raises:
        SetupError: every problem, in Dutch.
    """
    later = {d.order_id for d in decisions if d.kind == "order_later"}
    loose = _loose_rows(sheets, {row["order_id"] for row in valid} | later, start_date)
    problems = [
        *_doubles(sheets, valid),
        *loose,
        *_double_debtors(sheets["debtors"]),
        *_idle_decisions(sheets, decisions),
    ]
    _stop([*problems, *_unknown_classes(sheets)])


def require_sound(setup: "SchoolYearSetup") -> None:
    """Stop when the setup contradicts itself.

    Raises:
        SetupError: every problem, in Dutch.
    """
    checks = (
        _unpriced_orders,
        _loose_classes,
        _basis_gaps,
        _contributors,
        _double_decisions,
        _membership_contradictions,
    )
    _stop([problem for check in checks for problem in check(setup)])


def require_plausible_calendars(setup: "SchoolYearSetup") -> None:
    """Stop a calendar that cannot be right. Asked of a workbook that comes in only: what was established stays as it is.

    A closure lies in the school year, at least in part; a school with a class is open on a plausible number of days; and every
    order with hours holds on one of them. A school that leaves a holiday to a region which is not known for this year is not
    judged: what needs its calendar says so.

    Raises:
        SetupError: every problem, in Dutch.
    """
    _stop([*_closures_of_other_years(setup), *_implausible_years(setup)])


def _closures_of_other_years(setup: "SchoolYearSetup") -> list[str]:
    year = setup.settings.school_year
    return [
        f"Blad 'kalender': de sluiting van {row['closed_from']:%d-%m-%Y} tot en met {row['closed_to']:%d-%m-%Y} van vestiging "
        f"{row['school']} ligt niet in schooljaar {year}; verbeter het jaartal of laat de regel weg."
        for row in sorted(
            setup.sheets["calendar"], key=lambda row: (row["school"], row["closed_from"], row["closed_to"])
        )
        if row["closed_to"] < year.first_day or row["closed_from"] > year.last_day
    ]


def _implausible_years(setup: "SchoolYearSetup") -> list[str]:
    year, problems = setup.settings.school_year, []
    for school in sorted({c.school for c in setup.classes}):
        own = [row for row in setup.sheets["calendar"] if row["school"] == school]
        if any((year.key, name) not in region_holidays() for name in not_stated(year, own)):
            continue
        try:
            days = open_days_or_region(setup.settings, own, school)
        except SetupError as error:
            problems.append(str(error))
            continue
        if not FEWEST_OPEN_DAYS <= len(days) <= MOST_OPEN_DAYS:
            problems.append(
                f"Blad 'kalender': vestiging {school} zou in {year} op {len(days)} dagen open zijn, van {days.days[0]:%d-%m-%Y} "
                f"tot en met {days.days[-1]:%d-%m-%Y}; {FEWEST_OPEN_DAYS} tot {MOST_OPEN_DAYS} is aannemelijk. Ga na of een "
                "vakantie ontbreekt of te lang is."
            )
        problems += _idle_orders(setup, days)
    return problems


def _idle_orders(setup: "SchoolYearSetup", days: OpenDays) -> list[str]:
    """Orders of a school that were granted hours and hold on none of its open days."""
    problems = []
    for order_id in sorted({c.order_id for c in setup.classes if setup.hours_of(c).total_hundredths}):
        order = setup.order(order_id)
        if order.school == days.school:
            try:
                days_of_order(days, setup.sheets["orders"], order_id, order.provider)
            except SetupError as error:
                problems.append(str(error))
    return problems


def _stop(problems: Sequence[str]) -> None:
    if problems:
        raise SetupError("De inrichting klopt niet:\n- " + "\n- ".join(problems))


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


def _loose_rows(sheets: Mapping[str, Sequence[Row]], known: set[str | None], start_date: date) -> list[str]:
    """Rows of an order that does not hold this year: left out without a word, their hours and cents would be gone."""
    dutch = {"doelgroepen": "doelgroepen", "classes": "klassen", "contributions": "bijdragen"}
    loose = {(sheet, row["order_id"]) for name, sheet in dutch.items() for row in sheets[name]}
    periods = _periods(sheets["orders"])
    return [
        f"Blad '{sheet}': opdracht {order_id} staat niet bij de contracten die gelden op de startdatum "
        f"{start_date:%d-%m-%Y} ({periods.get(order_id, 'zij staat niet op dat blad')})."
        for sheet, order_id in sorted(loose)
        if order_id not in known
    ]


def _unknown_classes(sheets: Mapping[str, Sequence[Row]]) -> list[str]:
    """A class of that name would get the lines of everybody whose class is not known."""
    dutch = {"classes": "klassen", "class_names": "klasnamen"}
    found = {
        (sheet, row["school"], row["class_code"])
        for name, sheet in dutch.items()
        for row in sheets.get(name, ())
        if row["class_code"].strip().casefold() == UNKNOWN_CLASS
    }
    return [
        f"Blad '{sheet}': een klas van vestiging {school} heet '{code}'. Zo heten in de uitkomsten alle klassen die niet in de "
        "inrichting staan; geef haar een andere code."
        for sheet, school, code in sorted(found)
    ]


def _periods(orders: Iterable[Row]) -> dict[str, str]:
    """Per order when its rows hold, as a reader sees it."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in sorted(orders, key=lambda row: (row["order_id"], row["valid_from"])):
        found[row["order_id"]].append(_period(row))
    return {order_id: "; ".join(periods) for order_id, periods in found.items()}


def _period(row: Row) -> str:
    until = f"tot en met {row['valid_to']:%d-%m-%Y}" if row["valid_to"] else "zonder einde"
    return f"geldig van {row['valid_from']:%d-%m-%Y} {until}"


def _double_debtors(debtors: Iterable[Row]) -> list[str]:
    """A day on which a payer has two debtors: to whom its document goes would depend on the order of the rows."""
    ordered = sorted(debtors, key=lambda row: (row["payer"], row["valid_from"]))
    return [
        f"Blad 'debiteuren': {a['payer']} staat er op {b['valid_from']:%d-%m-%Y} twee keer: {_period(a)}, en {_period(b)}."
        for a, b in combinations(ordered, 2)
        if a["payer"] == b["payer"] and (a["valid_to"] is None or b["valid_from"] <= a["valid_to"])
    ]


def _idle_decisions(sheets: Mapping[str, Sequence[Row]], decisions: Iterable["Besluit"]) -> list[str]:
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


def _unpriced_orders(setup: "SchoolYearSetup") -> list[str]:
    day, used = f"{setup.settings.start_date:%d-%m-%Y}", {c.order_id for c in setup.classes}
    problems = [f"Opdracht {o.order_id} heeft geen enkele klas." for o in setup.orders if o.order_id not in used]
    if not setup.orders:
        held = "; ".join(f"{order_id}: {when}" for order_id, when in _periods(setup.sheets["orders"]).items())
        problems.append(f"Er is geen contract dat geldt op de startdatum {day}" + (f" ({held})." if held else "."))
    return problems


def _basis_gaps(setup: "SchoolYearSetup") -> list[str]:
    """What basis `leerlinggewicht` needs, and what it cannot use: hours that would be left out without a word."""
    if setup.settings.budget_basis != "per_pupil_weight":
        return []
    basis, year = "bij bekostiging 'leerlinggewicht'", setup.settings.school_year.key
    return [
        *(
            f"Doelgroep {d.doelgroep} van {d.order_id}: {basis} is 'uren per leerling per week' nodig; in {year} ontbreekt zij."
            for d in setup.doelgroepen
            if d.hours_per_pupil_hundredths is None
        ),
        *(
            f"Klas {c.class_code}: {basis} tellen leerlingen; laat de eigen uren per week leeg, of 0 voor een klas zonder zorg."
            for c in setup.classes
            if c.hours_per_week_hundredths
        ),
        *(
            f"Opdracht {o.order_id}: {basis} geldt één tarief; het tarief verzorging kan niet."
            for o in setup.orders
            if o.care_tariff_cents is not None
        ),
    ]


def _contributors(setup: "SchoolYearSetup") -> list[str]:
    """A contribution is billed as a document of its own kind, and a payer gets one kind of document."""
    return [
        f"Blad 'bijdragen': {c.payer} ({c.order_id}) is een zorgkantoor of staat voor pgb-houders en kan geen bijdrage betalen; "
        "noem een gemeente, of een ander met een code van zichzelf."
        for c in setup.contributions
        if c.payer == PGB_HOLDERS or zorgkantoor_name(c.payer) is not None
    ]


def _loose_classes(setup: "SchoolYearSetup") -> list[str]:
    year, groups = setup.settings.school_year.key, {(d.order_id, d.doelgroep) for d in setup.doelgroepen}
    schools = {o.order_id: o.school for o in setup.orders}
    problems = []
    for c in setup.classes:
        if (c.order_id, c.doelgroep) not in groups:
            problems.append(
                f"Klas {c.class_code}: doelgroep {c.doelgroep} staat niet bij opdracht {c.order_id} in {year}."
            )
        if schools[c.order_id] != c.school:
            problems.append(f"Klas {c.class_code}: opdracht {c.order_id} is van een andere school.")
    return problems


def _double_decisions(setup: "SchoolYearSetup") -> list[str]:
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


def _membership_contradictions(setup: "SchoolYearSetup") -> list[str]:
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
