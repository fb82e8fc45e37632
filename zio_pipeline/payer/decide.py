"""The payer decision itself: the rules in the order of SPEC section 3, and the besluiten where the rules cannot tell.

Belongs here: walking every pupil and every quarantined row to exactly one end: a decision, or a point on the worklist.
Does not belong here: how a single rule works (placement, wlz, residence), what a besluit says, the lists as a whole.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from zio_pipeline.payer.besluiten import Besluiten, settles_payer, verdict_by
from zio_pipeline.payer.facts import facts_of
from zio_pipeline.payer.lists import class_sizes, implausible_list, missing_files
from zio_pipeline.payer.model import (
    Decision,
    PayerInputs,
    PayerOutcome,
    Row,
    Signal,
    Verdict,
    WorkItem,
)
from zio_pipeline.payer.placement import Candidate, Placement, candidates
from zio_pipeline.payer.residence import Answers, age_verdict, municipality_verdict
from zio_pipeline.payer.wlz import granted_afterwards, wlz_verdict
from zio_pipeline.setup import Besluit, SchoolClass, SchoolYearSetup


def decide_payers(setup: SchoolYearSetup, inputs: PayerInputs) -> PayerOutcome:
    """Decide the payer of every pupil (SPEC section 3).

    Args:
        setup: the school year; its settings carry startdatum, peildatum and every policy.
        inputs: accepted rows, or what is left of them after establishment (`facts`), and quarantined rows; their order
            does not matter.

    Returns:
        Decisions, worklist (open and settled points) and signals, each sorted.

    Raises:
        SetupError: a besluit names a payer that cannot pay its stream, or two about one pupil differ; or as in `facts_of`.
    """
    return _Walk(setup, inputs).outcome()


class _Walk:
    """One walk over all pupils. What it looks up stands still; decisions, work, signals and seats fill on the way."""

    def __init__(self, setup: SchoolYearSetup, inputs: PayerInputs):
        self._setup, self._inputs, self._settings = setup, inputs, setup.settings
        self._besluiten = Besluiten.of(setup)
        self._classes = {c.key: c for c in setup.classes}
        self._candidates, self._signals = candidates(facts_of(inputs.registrations, setup.settings), setup.settings)
        self._placed = {candidate.pupil: candidate for candidate in self._candidates}
        self._answers = Answers.of(inputs.residence_answers)
        self._indications = _grouped(inputs.indications, lambda row: row["pupil"])
        self._quarantined = sorted(inputs.quarantined, key=lambda row: row["row_ref"])
        self._quarantined_of = _grouped(self._quarantined, self._besluiten.owner)
        for pupil, rows in self._quarantined_of.items():
            self._besluiten.require_agreement(pupil, rows)
        # By pupil: whatever number of rows speaks of a pupil, it is counted once.
        self._decisions: dict[str, Decision] = {}
        self._seats: dict[str, tuple[str, str]] = {}
        self._work: list[WorkItem] = []

    def outcome(self) -> PayerOutcome:
        for candidate in self._candidates:
            self._candidate(candidate)
        for row in self._quarantined:
            self._quarantined_row(row)
        for row in self._inputs.indications:
            self._indication_of_nobody(row)
        setup, decisions = self._setup, self._decisions.values()
        self._work += class_sizes(setup, self._seats)
        self._work += missing_files(setup, self._inputs)
        self._work += [WorkItem("contradicting_files", None, None, label) for label in self._inputs.contradicting]
        self._work += implausible_list(setup, self._inputs.indications, self._candidates, decisions)
        self._idle_besluiten()
        return PayerOutcome(
            decisions=tuple(sorted(decisions, key=lambda d: (d.school, d.class_code, d.pupil))),
            worklist=tuple(sorted(self._work, key=lambda w: w.item_id)),
            signals=tuple(sorted(self._signals, key=lambda s: s.signal_id)),
        )

    def _candidate(self, candidate: Candidate) -> None:
        """A pupil placed on the startdatum: find its one class, then its payer."""
        pupil, besluit = candidate.pupil, self._besluiten.by_pupil.get(candidate.pupil)
        if all(p.class_key in self._setup.postponed for p in candidate.placements):
            self._signals.append(Signal("order_later", None, pupil))
            return
        problem = self._seat_problem(candidate)
        seat = self._seat(candidate, besluit)
        if problem is not None:
            settled_by = besluit if seat is not None or (besluit and besluit.kind == "not_counted") else None
            row_ref = candidate.placements[0].facts.row_ref
            self._point(problem, self._orders_of(candidate), pupil, row_ref, settled_by)
        if seat is None:
            return
        if seat.class_key in self._setup.postponed:
            self._signals.append(Signal("order_later", None, pupil))
            return
        self._seats[pupil] = seat.class_key
        self._conclude(seat, candidate.contradicting, had_problem=problem is not None)
        self._signal_changes(seat)

    def _seat_problem(self, candidate: Candidate) -> str | None:
        if len(candidate.placements) > 1:
            return "double_placement"
        return None if self._is_class(candidate.placements[0].class_key) else "unknown_class"

    def _seat(self, candidate: Candidate, besluit: Besluit | None) -> Placement | None:
        """The one placement that counts, or the one a besluit names; None while nobody has said which."""
        first, *others = candidate.placements
        if not others and self._is_class(first.class_key):
            return first
        if besluit is None or besluit.class_code is None:
            return None
        if not others:
            moved = replace(first, school=besluit.school or first.school, class_code=besluit.class_code)
            return moved if self._is_class(moved.class_key) else None
        named = [
            p
            for p in candidate.placements
            if p.class_code == besluit.class_code and besluit.school in (None, p.school) and self._is_class(p.class_key)
        ]
        return named[0] if len(named) == 1 else None

    def _is_class(self, key: tuple[str, str]) -> bool:
        return key in self._classes or key in self._setup.postponed

    def _conclude(self, seat: Placement, contradicting: bool, *, had_problem: bool) -> None:
        """The payer by the rules, or by besluit where there was something to settle."""
        school_class = self._classes[seat.class_key]
        verdict = self._verdict(seat, school_class, contradicting)
        besluit = self._besluiten.about_pupil(seat.pupil, self._rows_in_quarantine(seat.pupil))
        if not verdict.work and not had_problem:
            besluit = None
        settles = besluit is not None and settles_payer(besluit)
        if verdict.work and verdict.reason != "quarantined_row":  # those rows become points of their own
            settled_by = besluit if settles else None
            self._point(
                verdict.reason,
                [school_class.order_id],
                seat.pupil,
                seat.facts.row_ref,
                settled_by,
                detail=verdict.detail,
            )
        if besluit is not None and settles:
            verdict = self._verdict_by(besluit, verdict, school_class)
        if verdict.work:
            return
        facts = seat.facts
        self._decide(seat.pupil, school_class, verdict, besluit, age_class=facts.age_class, row_ref=facts.row_ref)

    def _verdict(self, seat: Placement, school_class: SchoolClass, contradicting: bool) -> Verdict:
        """Rules 2 to 6 for one placed pupil; a row in quarantine about this pupil goes before them all."""
        if self._rows_in_quarantine(seat.pupil):
            return Verdict("quarantined_row", work=True)
        if contradicting:
            return Verdict("contradicting_rows", work=True)
        outside = self._outside_the_key(seat, school_class)
        if outside is not None:
            return outside
        verdict = wlz_verdict(self._indications.get(seat.pupil, []), self._settings)
        if verdict is None:
            verdict = age_verdict(seat.facts, self._settings)
        if verdict.stream is None or verdict.payer is not None:
            return verdict
        found = self._answers.judged(seat.pupil, municipality_verdict(seat.facts, verdict.stream))
        evidence = "; ".join(filter(None, (verdict.evidence, found.evidence)))
        return found if found.work else replace(found, evidence=evidence, delivery_form=verdict.delivery_form)

    def _outside_the_key(self, seat: Placement, school_class: SchoolClass) -> Verdict | None:
        """Rule 2: a class without hours, or no care need where the setting says so."""
        if self._has_no_hours(school_class):
            return Verdict("no_hours", evidence="klas zonder uren")
        if self._settings.need_flag_counts and seat.facts.needs_care is False:
            return Verdict("no_need", evidence="opgave van de school")
        return None

    def _has_no_hours(self, school_class: SchoolClass) -> bool:
        return self._setup.hours_of(school_class).total_hundredths == 0

    def _verdict_by(self, besluit: Besluit, verdict: Verdict, school_class: SchoolClass) -> Verdict:
        """A class without hours dilutes nobody, whoever a besluit says would pay (rule 2 goes first)."""
        settled = verdict_by(besluit, verdict.delivery_form, self._settings)
        if settled.stream is not None and self._has_no_hours(school_class):
            return Verdict("no_hours", evidence="klas zonder uren")
        return settled

    def _rows_in_quarantine(self, pupil: str) -> list[Row]:
        """Quarantined rows in the way of deciding a placed pupil; a row that a besluit struck out is not."""
        return [row for row in self._quarantined_of.get(pupil, []) if not self._besluiten.strikes_out(row)]

    def _quarantined_row(self, row: Row) -> None:
        """A row in quarantine blocks its order until redelivered or settled; a pupil it settles counts in its class."""
        besluit, owner = self._besluiten.about(row), self._besluiten.owner(row)
        is_pupil = row["dataset"] == "pupil_registrations"
        orders: list[str | None] = [None]
        if owner in self._placed:
            orders = self._orders_of(self._placed[owner])
        elif is_pupil:
            key = self._class_named(row, besluit)
            orders = self._orders_at(key)
            if besluit is not None and _takes_a_seat(besluit) and key in self._classes:
                self._seat_by_besluit(owner or row["row_ref"], self._classes[key], besluit, row)
        subject = owner or row["row_ref"]
        done = besluit is not None and (besluit.kind == "not_counted" or subject in self._decisions)
        self._point("quarantined_row", orders, row["pupil"], row["row_ref"], besluit if done else None)

    def _class_named(self, row: Row, besluit: Besluit | None) -> tuple[str, str]:
        school = (besluit.school if besluit else None) or row["school"]
        return school or "", (besluit.class_code if besluit else None) or row["class_code"] or ""

    def _seat_by_besluit(self, pupil: str, school_class: SchoolClass, besluit: Besluit, row: Row) -> None:
        self._seats[pupil] = school_class.key
        verdict = self._verdict_by(besluit, Verdict("quarantined_row", work=True), school_class)
        self._decide(pupil, school_class, verdict, besluit, age_class="onbekend", row_ref=row["row_ref"])

    def _indication_of_nobody(self, row: Row) -> None:
        """A Wlz row of a pupil without a placement on the startdatum; only 'niet tellen' can settle nobody."""
        if row["pupil"] in self._placed or row["pupil"] in self._decisions:
            return
        besluit = self._besluiten.by_pupil.get(row["pupil"])
        settled_by = besluit if besluit is not None and besluit.kind == "not_counted" else None
        self._point("wlz_without_placement", [None], row["pupil"], row["row_ref"], settled_by)

    def _orders_of(self, candidate: Candidate) -> list[str | None]:
        return sorted({order for p in candidate.placements for order in self._orders_at(p.class_key)}, key=str)

    def _orders_at(self, key: tuple[str, str]) -> list[str | None]:
        """The order of a class; every order of the school when the class is unknown, all (None) when the school is."""
        if key in self._classes:
            return [self._classes[key].order_id]
        if key in self._setup.postponed:
            return [self._setup.postponed[key]]
        school = key[0]
        at_school: list[str | None] = [o.order_id for o in self._setup.orders if o.school == school]
        later = sorted({order for (of, _), order in self._setup.postponed.items() if of == school})
        return at_school or [*later] or [None]

    def _point(
        self,
        reason: str,
        orders: list[str | None],
        subject: str | None,
        row_ref: str,
        settled_by: Besluit | None,
        *,
        detail: str = "",
    ) -> None:
        for order in orders:
            item = WorkItem(reason, order, subject, row_ref, detail)
            self._work.append(item.settled(settled_by.decision_id) if settled_by else item)

    def _decide(
        self,
        pupil: str,
        school_class: SchoolClass,
        verdict: Verdict,
        besluit: Besluit | None,
        *,
        age_class: str,
        row_ref: str,
    ) -> None:
        self._decisions[pupil] = Decision(
            pupil=pupil,
            school=school_class.school,
            class_code=school_class.class_code,
            order_id=school_class.order_id,
            doelgroep=school_class.doelgroep,
            stream=verdict.stream,
            payer=verdict.payer,
            payer_kind=verdict.payer_kind,
            reason=verdict.reason,
            evidence=verdict.evidence,
            delivery_form=verdict.delivery_form,
            age_class=age_class,
            decision_id=besluit.decision_id if besluit else None,
            row_ref=row_ref,
        )

    def _signal_changes(self, seat: Placement) -> None:
        """What is known about the time after the two dates, and changes nothing this year."""
        order_id = self._classes[seat.class_key].order_id
        if granted_afterwards(self._indications.get(seat.pupil, []), self._settings):
            self._signals.append(Signal("wlz_granted_afterwards", order_id, seat.pupil))
        if seat.facts.turns_18:
            self._signals.append(Signal("turns_18", order_id, seat.pupil))

    def _idle_besluiten(self) -> None:
        """A besluit that settled nothing is reported: it is superfluous, or names a pupil or row that is not there."""
        used = {item.decision_id for item in self._work} | {d.decision_id for d in self._decisions.values()}
        idle = [besluit for besluit in self._besluiten.all if besluit.decision_id not in used]
        self._signals += [Signal("besluit_without_need", None, besluit.decision_id) for besluit in idle]


def _grouped(rows: Iterable[Row], pupil_of: Callable[[Row], str | None]) -> dict[str, list[Row]]:
    """Rows per pupil; those of nobody are left out."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        pupil = pupil_of(row)
        if pupil is not None:
            found[pupil].append(row)
    return found


def _takes_a_seat(besluit: Besluit) -> bool:
    """Whether the pupil of a quarantined row sits in the class: 'niet tellen' strikes a row out, unless it names the class."""
    return settles_payer(besluit) and (besluit.kind != "not_counted" or besluit.class_code is not None)
