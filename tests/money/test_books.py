"""The books under any sequence of what people, schools and machines do to them, on SQLite and on PostgreSQL.

Hypothesis plays: it establishes new versions for each reason (tariffs, hours, contributions, pupils), bills, previews, parks,
releases, closes periods, kills the program between any two commits and starts it again. After every step the ledger is proved,
and after an order change that nothing posted is taken back; after every run each payer's year is what was posted, what waits
and what is still to come, to the cent; in the end a last run finds nothing to do.
"""

import os
import tempfile
from collections import Counter, defaultdict
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.engine.default import DefaultDialect

from tests.conftest import own_schema
from tests.killing import Killed, killed_at
from tests.money.shapes import PAYERS, WLZ, Shape
from tests.region import JULY, KEY, Region, quick
from tests.year_builder import BREDA, GOIRLE, HEUSDEN, TILBURG
from zio_pipeline.billing import standing_documents
from zio_pipeline.errors import EstablishmentBlocked, ZioError
from zio_pipeline.stages import closing, releasing

END = date(2026, 8, 31)
MONTHS = ("2025-09", "2025-11", "2026-01", "2026-02", "2026-06")
steps = st.integers(0, 70)
moments = st.integers(1, 12)


class Books(RuleBasedStateMachine):
    """One school year from its first signature on."""

    url: ClassVar[str | None] = None
    where: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(quick())
        self.region = Region(Path(tempfile.mkdtemp(dir=self.where)), self._own_schema())
        self.day = date(2025, 8, 20)
        self.version = 0

    def _own_schema(self) -> str | None:
        return None if self.url is None else self.stack.enter_context(own_schema(self.url))

    @initialize()
    def first_version(self) -> None:
        self.shape = Shape()
        self.region.deliver(self.shape.year())
        self.version = self.region.establish(JULY)

    # --- new versions -------------------------------------------------------------------------------------------------

    @rule(pupil=st.integers(0, len(Shape().pupils) - 1), to=st.sampled_from((TILBURG, HEUSDEN, GOIRLE, BREDA, WLZ)))
    def an_error_at_the_peildatum(self, pupil: int, to: str) -> None:
        self._new_version(self.shape.moved(pupil, to), "peildatum_error")

    @rule(order=st.sampled_from(("LP", "DB")), cents=st.integers(30_00, 90_00))
    def a_wrong_tariff(self, order: str, cents: int) -> None:
        self._new_version(self.shape.priced(order, cents), "parameter_error")

    @rule(moved=st.integers(-3_00, 3_00), cents=st.sampled_from((0, 777_77, 1_500_00)))
    def wrong_hours_and_a_wrong_contribution(self, moved: int, cents: int) -> None:
        self._new_version(self._with_hours(moved, cents), "parameter_error")

    @rule(pupil=st.integers(0, len(Shape().pupils) - 1), to=st.sampled_from((TILBURG, GOIRLE)))
    def an_objection(self, pupil: int, to: str) -> None:
        self._new_version(self.shape.moved(pupil, to), "objection")

    @rule(order=st.sampled_from(("LP", "DB")), cents=st.integers(30_00, 90_00), month=st.sampled_from(MONTHS))
    def a_changed_order(self, order: str, cents: int, month: str) -> None:
        self._change(self.shape.priced(order, cents).changed(order, month))

    @rule(
        moved=st.integers(-3_00, 3_00),
        cents=st.sampled_from((0, 777_77, 1_500_00)),
        dearer=st.integers(0, 20_00),
        month=st.sampled_from(MONTHS),
        named=st.booleans(),
    )
    def hours_that_move_and_another_contribution(
        self, moved: int, cents: int, dearer: int, month: str, named: bool
    ) -> None:
        """LP may cost what it did; without a besluit of its own, beside a change of DB, it is refused."""
        shape = self._with_hours(moved, cents).priced("DB", self.shape.tariff("DB") + dearer).changed("DB", month)
        differs = (shape.hours, shape.contribution) != (self.shape.hours, self.shape.contribution)
        if named:
            shape = shape.changed("LP", month)
        assert not (self._change(shape) and differs and not named)

    @rule(
        order=st.sampled_from(("LP", "DB")),
        dearer=st.integers(1, 20_00),
        month=st.sampled_from(MONTHS),
        pupil=st.integers(0, len(Shape().pupils) - 1),
        to=st.sampled_from((TILBURG, HEUSDEN, GOIRLE, BREDA, WLZ)),
    )
    def a_changed_order_and_then_an_error(self, order: str, dearer: int, month: str, pupil: int, to: str) -> None:
        """Whatever else is mended, an order and law whose year stays is declared as it was, month by month."""
        if self._change(self.shape.priced(order, self.shape.tariff(order) + dearer).changed(order, month)):
            before = self._declared()
            if self._new_version(self.shape.moved(pupil, to), "peildatum_error"):
                after = self._declared()
                same = {k for k in before.keys() & after.keys() if sum(before[k].values()) == sum(after[k].values())}
                assert {k: before[k] for k in same if k[0] == order} == {k: after[k] for k in same if k[0] == order}

    def _with_hours(self, moved: int, contribution: int) -> Shape:
        """Hours from one doelgroep of LP to the other; together they stay what they are."""
        return replace(self.shape, hours=(10_00 + moved, 5_25 - moved), contribution=contribution)

    def _change(self, shape: Shape) -> bool:
        if not self._new_version(shape, "order_change"):
            return False
        planned = self.region.bill(self.day, preview=True).posted_now
        took_back = {(d.payer, d.period) for d in planned if d.credits}
        assert not took_back - self.uncorrected, "posted terms stay"
        return True

    def _declared(self) -> dict[tuple[str, str], dict[str, int]]:
        found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for row in self.region.rows("monthly_declarations"):
            found[row["order_id"], row["law"]][row["month"]] = row["amount_cents"]
        return found

    def _new_version(self, shape: Shape, reason: str) -> bool:
        """Deliver and establish; what cannot be is refused and changes nothing."""
        uncorrected = {(d.payer, d.period) for d in self.region.bill(self.day, preview=True).posted_now if d.credits}
        self.region.deliver(shape.year())
        try:
            made = self.region.establish(self.day, reason)
        except EstablishmentBlocked:
            self.region.deliver(self.shape.year())
            assert self.region.home.warehouse.establishment(KEY).version == self.version
            return False
        assert made == self.version + 1
        self.version, self.shape, self.uncorrected = made, shape, uncorrected
        return True

    @rule(cents=st.integers(30_00, 90_00), moment=moments)
    def killed_while_signing(self, cents: int, moment: int) -> None:
        """Either nobody signed, or both did."""
        shape = self.shape.priced("LP", cents)
        self.region.deliver(shape.year())
        with killed_at(moment, (DefaultDialect, "do_commit")), suppress(Killed):
            self.region.establish(self.day, "parameter_error")
        standing = self.region.home.warehouse.establishment(KEY)
        if standing.version == self.version:
            self.region.deliver(self.shape.year())
        else:
            self.version, self.shape = standing.version, shape

    # --- billing ------------------------------------------------------------------------------------------------------

    @rule(days=steps)
    def bill(self, days: int) -> None:
        self.day = min(END, self.day + timedelta(days))
        self._balance(self.region.bill(self.day))
        assert self.region.bill(self.day).posted_now == (), "nothing is left for a second run"

    @rule(days=steps, moment=moments)
    def killed_while_billing(self, days: int, moment: int) -> None:
        self.day = min(END, self.day + timedelta(days))
        with killed_at(moment, (DefaultDialect, "do_commit")), suppress(Killed):
            self.region.bill(self.day)

    @rule(days=steps)
    def preview(self, days: int) -> None:
        before = self.region.posted()
        shown = self.region.bill(min(END, self.day + timedelta(days)), preview=True)
        assert self.region.posted() == before
        self._balance(shown)

    @rule()
    def a_twin_with_an_old_plan(self) -> None:
        """Two runs planned the same; the second finds that all of it was done."""
        planned: list = []
        post = self.region.home.ledger.post
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(self.region.home.ledger), "post", lambda _, d, **__: planned.extend(d) or [])
            self.region.bill(self.day)
        self.region.bill(self.day)
        assert post(planned) == []

    # --- parking, releasing, closing ----------------------------------------------------------------------------------

    @rule(payer=st.sampled_from(PAYERS))
    def park(self, payer: str) -> None:
        self._deliver_only(known=self.shape.known - {payer}, committed=payer != BREDA and self.shape.committed)

    @rule(payer=st.sampled_from(PAYERS))
    def unpark(self, payer: str) -> None:
        self._deliver_only(known=self.shape.known | {payer}, committed=payer == BREDA or self.shape.committed)

    def _deliver_only(self, *, known: frozenset[str], committed: bool) -> None:
        self.shape = replace(self.shape, committed=committed, known=known)
        self.region.deliver(self.shape.year())

    @rule()
    def release(self) -> None:
        numbers = {d.number for d in self.region.posted()}
        releasing.release(self.region.home, KEY, [], "Fin", self.day)
        assert self.region.home.ledger.states().keys() == numbers

    @rule()
    def closing_the_year_too_early(self) -> None:
        """Nobody has claimed anything: the year cannot be closed, and trying changes nothing."""
        before = self.region.posted()
        with pytest.raises(ZioError):
            closing.close(self.region.home, KEY, "Fin", self.day)
        assert self.region.posted() == before

    @rule()
    def close_a_period(self) -> None:
        yesterday = self.day - timedelta(1)
        if (self.region.home.ledger.locked_through() or date.min) <= yesterday:
            self.region.home.ledger.lock_through(yesterday, "Fin", self.day)
        with pytest.raises(ZioError):
            self.region.home.ledger.lock_through(yesterday - timedelta(1), "Fin", self.day)

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def the_ledger_is_sound(self) -> None:
        assert self.region.home.verify() == []
        posted = self.region.posted()
        series = defaultdict(list)
        for document in posted:
            series[document.series].append(document)
        for documents in series.values():
            assert [d.sequence for d in documents] == list(range(1, len(documents) + 1))
            assert [d.document_date for d in documents] == sorted(d.document_date for d in documents)
        places = Counter((d.payer, d.period) for d in standing_documents(posted))
        assert all(count == 1 for count in places.values())
        assert len({d.credits for d in posted if d.credits}) == sum(d.credits is not None for d in posted)

    def _balance(self, billed) -> None:
        """What stands, what waits and what is still to come is the year of every payer."""
        found: Counter[str] = Counter()
        stands = {(d.payer, d.period): d.amount_cents for d in standing_documents(billed.posted)}
        waits = {(p.payer, p.period): p.amount_cents for p in billed.parked}
        assert not stands.keys() & waits.keys()
        for (payer, _), cents in [*stands.items(), *waits.items()]:
            found[payer] += cents
        for term in self.region.rows("terms"):
            if (term["payer"], term["period"]) not in {*stands, *waits}:
                found[term["payer"]] += term["amount_cents"]
        year: Counter[str] = Counter()
        for row in self.region.rows("municipal_shares"):
            year[row["payer"]] += row["amount_cents"]
        assert found == year

    def teardown(self) -> None:
        try:
            if self.version:
                self._deliver_only(known=frozenset(PAYERS), committed=True)
                last = self.region.bill(END)
                assert last.parked == ()
                assert self.region.bill(END).posted_now == ()
                net: Counter[str] = Counter()
                for document in last.posted:
                    net[document.payer] += document.signed_cents
                year: Counter[str] = Counter()
                for row in self.region.rows("municipal_shares"):
                    year[row["payer"]] += row["amount_cents"]
                assert {p: c for p, c in net.items() if c} == {p: c for p, c in year.items() if c}
        finally:
            self.stack.close()


def play(url: str | None, tmp_path: Path, few: int) -> None:
    """A few in every run of the tests, many more in `make soak`."""
    examples, steps_each = (40, 25) if "ZIO_SOAK" in os.environ else (few, 10)
    machine = type("Books", (Books,), {"url": url, "where": tmp_path})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=steps_each))


def test_books_on_sqlite(tmp_path: Path):
    play(None, tmp_path, few=2)


def test_books_on_postgresql(postgres_server: str, tmp_path: Path):
    play(postgres_server, tmp_path, few=1)
