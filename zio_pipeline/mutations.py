"""Fout of mutatie: what redelivered files say otherwise than what was established, told apart.

Belongs here: comparing rows of pupils and indications with the established ones, telling a mutation (dated after the
peildatum: never settled) from what a person must judge, and the inputs of a new version without mutations
(SPEC section 4, last bullet; section 5, second bullet). Does not belong here: which files those are (stages), and what
mutations would have cost (`shadow`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from zio_pipeline.payer import Decision, PayerInputs, WorkItem
from zio_pipeline.payer.facts import facts_of
from zio_pipeline.payer.wlz import known_on
from zio_pipeline.settings import Settings
from zio_pipeline.setup import Besluit, SchoolYearSetup

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


TAKING = ("peildatum_error", "objection")
"""The reasons for which a new version takes what later files say; for another one every pupil stays as established."""


def as_established(established: PayerInputs, current: PayerInputs) -> PayerInputs:
    """The inputs of a new version whose reason says nothing of pupils: the established rows, whatever later files say.

    Only a school of which nothing was established brings its pupils: of those there is nothing to differ from.
    """
    schools = {row["school"] for row in established.registrations}
    known = {row["pupil"] for row in established.registrations}
    rows = [r for r in current.registrations if r["school"] not in schools and r["pupil"] not in known]
    pupils = {row["pupil"] for row in rows}
    listed = {row["pupil"] for row in established.indications}
    return replace(
        established,
        registrations=[*established.registrations, *rows],
        indications=[
            *established.indications,
            *(row for row in current.indications if row["pupil"] in pupils - listed),
        ],
        quarantined=[
            *established.quarantined,
            *(row for row in current.quarantined if row["school"] and row["school"] not in schools),
        ],
    )


def taken_rows(found: Iterable[Difference]) -> tuple[str, ...]:
    """The rows of later files that a new version takes for an error: every pupil that is open in them, sorted."""
    return tuple(sorted({d.row_ref for d in found if not d.is_mutation}))


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
