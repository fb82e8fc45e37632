"""Fout of mutatie: what redelivered files say otherwise than what was established, and what mutations would have cost.

Belongs here: comparing rows of pupils and indications with the established ones, telling a mutation (dated after the
peildatum: never settled) from what a person must judge, the inputs of a new version without mutations, and the shadow
shares (SPEC section 4, last bullet; section 5, second bullet). Does not belong here: which files those are (stages).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from zio_pipeline.budget import doelgroep_budgets
from zio_pipeline.errors import ZioError
from zio_pipeline.payer import Decision, PayerInputs, PayerOutcome, WorkItem, decide_payers
from zio_pipeline.payer.facts import facts_of
from zio_pipeline.payer.wlz import known_on
from zio_pipeline.settings import Settings
from zio_pipeline.setup import Besluit, SchoolYearSetup
from zio_pipeline.shares import share_lines, split_over_payers
from zio_pipeline.versions import Base

Row = Mapping[str, Any]

ERROR_OR_MUTATION, NOT_COMPARABLE = "error_or_mutation", "not_comparable"
PUPILS, WLZ = "pupil_registrations", "wlz_statuses"
EXPLANATION = (
    "Dit staat in een later bestand anders dan vastgesteld, zonder datum na de peildatum: een fout of een mutatie? "
    "Een fout vraagt een nieuwe versie (zio establish --propose --reason peildatumfout); een mutatie een besluit 'mutatie'. "
    "Tot dan verandert er niets."
)
OTHER_KEY = (
    "In dit latere bestand staan leerlingen onder een andere pseudoniemsleutel dan in het vastgestelde schooljaar: fout of "
    "mutatie is niet te zien. Herstel de sleutel en lees opnieuw in (zio reread)."
)


@dataclass(frozen=True)
class Difference:
    """One thing that a later file says otherwise of a pupil. `dated_on` is the day after the peildatum it dates from, if any."""

    dataset: str
    pupil: str
    class_key: tuple[str, str] | None
    row_ref: str
    kind: str
    dated_on: date | None
    decision_id: str | None = None
    """The besluit `mutation` about it."""

    @property
    def is_mutation(self) -> bool:
        """Dated after the peildatum, or called so by besluit; anything else is for a person to judge."""
        return self.dated_on is not None or self.decision_id is not None


@dataclass(frozen=True)
class _Said:
    """A row of one pupil as far as it decides anything: `key` pairs it with the row it replaces, `values` are compared."""

    key: tuple[Any, ...]
    values: Mapping[str, Any]
    row: Row

    @property
    def ends_on(self) -> date | None:
        day: date | None = self.values["ends_on"]
        return day


def differences(
    settings: Settings, besluiten: Iterable[Besluit], established: PayerInputs, current: PayerInputs
) -> list[Difference]:
    """What the files that count now say otherwise than the established ones, per row; sorted.

    Compared is what decides a payer: of a pupil the facts of `payer.facts`, of an indication what the Wlz rules read. A school
    without a file now, no Wlz list now, and a pupil with a row in quarantine are left out: of those nothing was said anew.

    Args:
        settings: of the established year; its startdatum and peildatum divide before from after.
        besluiten: of kind `mutation`, from the newest workbook.
        established: the rows that were signed for.
        current: the rows that count now.
    """
    schools = {row["school"] for row in current.registrations}
    placed = [row for row in established.registrations if row["school"] in schools]
    listed = established.indications if current.indications else []
    pairs = (
        (PUPILS, _registrations(placed, settings), _registrations(current.registrations, settings)),
        (WLZ, _indications(listed), _indications(current.indications)),
    )
    found: list[Difference] = []
    for dataset, before, after in pairs:
        rejected = {row["pupil"] for row in current.quarantined if row["dataset"] == dataset}
        for pupil in sorted((before.keys() | after.keys()) - rejected):
            found += _of_pupil(dataset, pupil, (before.get(pupil, []), after.get(pupil, [])), settings)
    besluiten = list(besluiten)
    return sorted((_decided(d, besluiten) for d in found), key=lambda d: (d.dataset, d.pupil, d.row_ref, d.kind))


def _decided(difference: Difference, besluiten: Sequence[Besluit]) -> Difference:
    about = [b for b in besluiten if b.pupil == difference.pupil or b.row_ref == difference.row_ref]
    return replace(difference, decision_id=min(b.decision_id for b in about)) if about else difference


def _registrations(rows: Sequence[Row], settings: Settings) -> dict[str, list[_Said]]:
    found: dict[str, list[_Said]] = defaultdict(list)
    for row, facts in zip(rows, facts_of(rows, settings), strict=True):
        residence = (facts.municipality, facts.problem)
        rest = (facts.needs_care, facts.age_class, facts.turns_18)
        values = {"starts_on": facts.placed_from, "ends_on": facts.placed_to, "residence": residence, "rest": rest}
        found[facts.pupil].append(_Said((facts.school, facts.class_code), values, row))
    return found


def _indications(rows: Sequence[Row]) -> dict[str, list[_Said]]:
    found: dict[str, list[_Said]] = defaultdict(list)
    for row in rows:
        names = ("delivery_form", "pgb_percentage", "parents_agree", "responsible_zorgkantoor", "issued_on")
        rest = tuple(row[name] for name in names)
        values = {"starts_on": row["starts_on"], "ends_on": row["ends_on"], "rest": rest}
        found[row["pupil"]].append(_Said((row["decision_number"],), values, row))
    return found


Change = tuple[str, date | None]
"""A kind of change, and the day after the peildatum it dates from; None when nothing dates it so."""


def _of_pupil(dataset: str, pupil: str, rows: tuple[list[_Said], list[_Said]], settings: Settings) -> list[Difference]:
    before, after = rows
    changed, ended = (_registration, _placement_gone) if dataset == PUPILS else (_indication, _indication_gone)
    gone = [said for said in before if not any(_same(said, other) for other in after)]
    fresh = [said for said in after if not any(_same(said, other) for other in before)]
    changes: list[tuple[_Said, Change]] = []
    for new in sorted(fresh, key=_order):
        old = min((said for said in gone if said.key == new.key), key=_order, default=None)
        if old is not None:
            gone.remove(old)
        changes += [(new, change) for change in changed(new, old, settings)]
    follows = [day for _, (kind, day) in changes if day is not None and kind in ("placed", "wlz_granted")]
    for old in gone:
        kind, day = ended(old, settings)
        # What a later placement or indication took the place of is not missing.
        changes.append((old, (kind, day or min(follows, default=None))))
    found = {(said.row["row_ref"], kind): (said, day) for said, (kind, day) in changes}
    return [
        Difference(dataset, pupil, _class_key(dataset, said), row_ref, kind, day)
        for (row_ref, kind), (said, day) in found.items()
    ]


def _same(one: _Said, other: _Said) -> bool:
    return (one.key, one.values) == (other.key, other.values)


def _order(said: _Said) -> tuple[Any, ...]:
    return said.values["starts_on"], said.row["row_ref"]


def _class_key(dataset: str, said: _Said) -> tuple[str, str] | None:
    return (said.key[0], said.key[1]) if dataset == PUPILS else None


def _registration(new: _Said, old: _Said | None, settings: Settings) -> list[Change]:
    start, begins = settings.start_date, new.values["starts_on"]
    if old is None:
        return [("placed", begins if begins > start else None)]
    changes: list[Change] = []
    if old.values["starts_on"] != begins:
        changes.append(("placed", begins if min(old.values["starts_on"], begins) > start else None))
    if old.ends_on != new.ends_on:
        changes.append(("left", _end(old.ends_on, new.ends_on, start)))
    if old.values["residence"] != new.values["residence"]:
        since = new.row.get("municipality_since")
        changes.append(("moved", since if since and since > settings.reference_date else None))
    if old.values["rest"] != new.values["rest"]:
        changes.append(("pupil_data", None))
    return changes


def _placement_gone(old: _Said, settings: Settings) -> Change:
    """Never begun before the startdatum, or meant to end on or after it: that the row is gone says nothing of that day."""
    begins: date = old.values["starts_on"]
    if begins > settings.start_date:
        return "placed", begins
    return "left", old.ends_on if old.ends_on and old.ends_on >= settings.start_date else None


def _indication(new: _Said, old: _Said | None, settings: Settings) -> list[Change]:
    reference, begins = settings.reference_date, new.values["starts_on"]
    if old is None:
        return [("wlz_granted", min((day for day in (known_on(new.row), begins) if day > reference), default=None))]
    changes: list[Change] = []
    if old.ends_on != new.ends_on:
        changes.append(("wlz_ended", _end(old.ends_on, new.ends_on, reference)))
    if (old.values["rest"], old.values["starts_on"]) != (new.values["rest"], begins):
        # It was known already, so the dagtekening of the later list dates nothing: a day of its own must.
        own = [day for day in (new.row["issued_on"], begins) if day and day > reference]
        changes.append(("wlz_changed", min(own, default=None)))
    return changes


def _indication_gone(old: _Said, settings: Settings) -> Change:
    return "wlz_ended", old.ends_on if old.ends_on and old.ends_on >= settings.reference_date else None


def _end(old: date | None, new: date | None, limit: date) -> date | None:
    """The day of a changed end, when neither the old nor the new one touches the situation on the day that decides."""
    if any(day is not None and day < limit for day in (old, new)):
        return None
    return new or old


def without_mutations(found: Sequence[Difference], established: PayerInputs, current: PayerInputs) -> PayerInputs:
    """The inputs of a new version: of a pupil about whom a later file only brings mutations, the rows stay as established.

    So does an indication nothing was said of anew: the dagtekening of a later list would make it look known too late.
    """
    open_pupils = {(d.dataset, d.pupil) for d in found if not d.is_mutation}
    mutated = {(d.dataset, d.pupil) for d in found} - open_pupils
    before: dict[str, list[Row]] = defaultdict(list)
    for row in established.indications:
        before[row["pupil"]].append(row)
    told = {row["pupil"] for row in current.indications}
    keep = {p for p in told if p in before and (WLZ, p) not in open_pupils} | {p for d, p in mutated if d == WLZ}
    moved = {pupil for dataset, pupil in mutated if dataset == PUPILS}
    return replace(
        current,
        registrations=[
            *(row for row in current.registrations if row["pupil"] not in moved),
            *(row for row in established.registrations if row["pupil"] in moved),
        ],
        indications=[
            *(row for row in current.indications if row["pupil"] not in keep),
            *(row for pupil in sorted(keep) for row in before[pupil]),
        ],
    )


def mutation_rows(
    found: Iterable[Difference], setup: SchoolYearSetup, decisions: Iterable[Decision]
) -> list[dict[str, Any]]:
    """Rows of `mutations`: no pupil stands in them."""
    orders = _orders(setup, decisions)
    return [
        {
            "school_year": setup.settings.school_year.key,
            "row_ref": d.row_ref,
            "kind": d.kind,
            "order_id": orders(d),
            "dated_on": d.dated_on,
            "decision_id": d.decision_id,
        }
        for d in found
        if d.is_mutation
    ]


def worklist_rows(
    found: Iterable[Difference], setup: SchoolYearSetup, decisions: Iterable[Decision]
) -> list[dict[str, Any]]:
    """Rows of `worklist`: what a person must judge, and what a besluit called a mutation. None blocks the established year."""
    orders = _orders(setup, decisions)
    rows: dict[str, dict[str, Any]] = {}
    for d in found:
        if d.dated_on is None:
            point = WorkItem(ERROR_OR_MUTATION, orders(d), d.pupil, d.row_ref)
            key = setup.settings.school_year.key
            rows[point.item_id] = _work_row(key, point, EXPLANATION, d.decision_id)
    return list(rows.values())


def not_comparable_rows(school_year: str, labels: Iterable[str]) -> list[dict[str, Any]]:
    """Rows of `worklist` for later files whose pupils stand under another pseudonym key than the established ones."""
    points = [WorkItem(NOT_COMPARABLE, None, label, None) for label in labels]
    return [_work_row(school_year, point, OTHER_KEY, None) for point in points]


def _work_row(school_year: str, point: WorkItem, explanation: str, decision_id: str | None) -> dict[str, Any]:
    return {
        "school_year": school_year,
        "item_id": point.item_id,
        "reason": point.reason,
        "order_id": point.order_id,
        "subject": point.subject,
        "row_ref": point.row_ref,
        "explanation": explanation,
        "blocking": False,
        "decision_id": decision_id,
    }


def _orders(setup: SchoolYearSetup, decisions: Iterable[Decision]) -> Callable[[Difference], str | None]:
    by_pupil = {d.pupil: d.order_id for d in decisions}
    by_class = {c.key: c.order_id for c in setup.classes}
    return lambda d: by_pupil.get(d.pupil) or (by_class.get(d.class_key) if d.class_key else None)


def shadow_shares(
    setup: SchoolYearSetup, base: Base, established: PayerOutcome, current: PayerInputs, as_of: date
) -> list[dict[str, Any]]:
    """What every payer would have paid over the whole year if the situation of a day were the key; changes nothing.

    Startdatum and peildatum are the day itself; contracts, classes and settings stay as established. A pupil who then stands on
    the worklist keeps its established payer. A doelgroep in which nobody counts any more keeps its established key, and with
    an agreed ratio also one in which a stream came or went. Rows that were thinned keep the age class and municipality
    they were thinned with. It is computed beside the version in force: whose count and share did not change shows no cent.

    Args:
        setup: of the version in force.
        base: its signed tables.
        established: its payers.
        current: the rows that count now.
        as_of: the day whose situation counts.

    Returns:
        Rows of `shadow_shares`, per order, stream and payer, in cents; both amounts add up to the same per order.

    Raises:
        ZioError: the day does not lie in the school year, from its startdatum on.
    """
    settings = setup.settings
    if not settings.start_date <= as_of <= settings.school_year.last_day:
        raise ZioError(
            f"Het schaduwoverzicht kan van {settings.start_date:%d-%m-%Y} tot en met {settings.school_year.last_day:%d-%m-%Y}, "
            f"niet op {as_of:%d-%m-%Y}."
        )
    today = replace(setup, settings=replace(settings, start_date=as_of, reference_date=as_of))
    days = {"start_date": as_of, "reference_date": as_of}
    rows = [row if "birth_date" in row else {**row, **days} for row in current.registrations]
    decided = decide_payers(today, replace(current, registrations=rows))
    then = PayerOutcome(tuple(_key_of_today(setup, established, decided)), (), ())
    details = split_over_payers(setup, doelgroep_budgets(setup), then, base)
    after = {(line.order_id, line.stream, line.payer): line.year_cents for line in share_lines(setup, details)}
    signed = base.tables["municipal_shares"]
    before = {(row["order_id"], row["stream"], row["payer"]): row["amount_cents"] for row in signed}
    return [
        {
            "school_year": settings.school_year.key,
            "order_id": order_id,
            "stream": stream,
            "payer": payer,
            "as_of": as_of,
            "established_cents": before.get((order_id, stream, payer), 0),
            "shadow_cents": after.get((order_id, stream, payer), 0),
            "difference_cents": after.get((order_id, stream, payer), 0) - before.get((order_id, stream, payer), 0),
        }
        for order_id, stream, payer in sorted(before.keys() | after.keys())
    ]


def _key_of_today(setup: SchoolYearSetup, established: PayerOutcome, today: PayerOutcome) -> list[Decision]:
    # Who left keeps nothing, although an indication that stayed on the list is a point of its own.
    points = [item for item in today.worklist if item.decision_id is None and item.reason != "wlz_without_placement"]
    waiting = {item.subject for item in points if item.subject}
    decided = {d.pupil for d in today.decisions}
    now = [*today.decisions, *(d for d in established.decisions if d.pupil in waiting - decided)]
    streams_then, streams_now = _streams(established.decisions), _streams(now)
    ratio = setup.settings.split_key == "agreed_ratio"
    stuck = {
        group
        for group in streams_then.keys() | streams_now.keys()
        if group not in streams_now or (ratio and streams_now[group] != streams_then.get(group))
    }
    kept = [d for d in established.decisions if (d.order_id, d.doelgroep) in stuck]
    return [*(d for d in now if (d.order_id, d.doelgroep) not in stuck), *kept]


def _streams(decisions: Iterable[Decision]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for d in decisions:
        if d.stream:
            found[d.order_id, d.doelgroep].add(d.stream)
    return found
