"""What people do with posted documents, on both databases: release, deliver, close a period. Parties are fictief.

And what a register shows of itself afterwards: a row that was changed, removed or slipped in past the program is found.
"""

import multiprocessing
from dataclasses import replace
from datetime import date

import pytest

from resources.closing import Closings, Closure, ProviderStatement
from resources.ledger import Ledger
from resources.ledger_proof import findings, verify
from resources.registers import Sending
from resources.tables import CHAINED, REGISTER_CHAIN
from resources.warehouse import Warehouse
from tests.resources.test_ledger import END, FIRST, JANUARY, YEAR, behind_the_guards, establish, ready
from zio_pipeline.errors import WarehouseError, ZioError

SENT = "a" * 64


@pytest.fixture
def ledger(warehouse: Warehouse) -> Ledger:
    establish(warehouse)
    made = Ledger(warehouse)
    made.post(ready(FIRST))
    return made


def sending(number: str, content: str = SENT, channel: str = "peppol", on: date = FIRST) -> Sending:
    return Sending(number, channel, content, "Fin", on)


def test_a_person_releases_once_and_only_what_is_released_is_delivered(ledger: Ledger):
    first, second, *_ = (document.number for document in ledger.posted(YEAR))
    with pytest.raises(WarehouseError, match="niet vrijgegeven"):
        ledger.deliver(sending(first))
    assert ledger.release([first], "Fin", FIRST) == [first]
    assert ledger.release([first, second], "Ander", JANUARY) == [second], "the first release stands"
    assert ledger.deliver(sending(first))
    assert not ledger.deliver(sending(first)), "recorded before"
    assert ledger.deliver(sending(first, channel="e-mail"))
    with pytest.raises(WarehouseError, match="andere inhoud"):
        ledger.deliver(sending(first, content="b" * 64))
    released, sent = ledger.states()[first]
    assert released is not None
    assert (released.released_by, [s.channel for s in sent]) == ("Fin", ["e-mail", "peppol"])


@pytest.mark.parametrize(
    ("by", "on", "said"),
    [(" ", FIRST, "naam"), ("Fin", date(2025, 8, 31), "vóór de documentdatum")],
)
def test_a_release_needs_a_name_and_a_day_that_can_be(ledger: Ledger, by: str, on: date, said: str):
    number = ledger.posted(YEAR)[0].number
    with pytest.raises(WarehouseError, match=said):
        ledger.release([number], by, on)
    assert ledger.states() == {}


def test_what_is_not_posted_is_not_released_and_then_nothing_is(ledger: Ledger):
    number = ledger.posted(YEAR)[0].number
    with pytest.raises(WarehouseError, match="Niet geboekt"):
        ledger.release([number, "GR-HVB-F-2025-09999"], "Fin", FIRST)
    assert ledger.states() == {}


def test_a_delivery_does_not_go_before_its_release(ledger: Ledger):
    number = ledger.posted(YEAR)[0].number
    ledger.release([number], "Fin", JANUARY)
    with pytest.raises(WarehouseError, match="vóór de vrijgave"):
        ledger.deliver(sending(number, on=FIRST))


def test_closed_books_only_close_further(ledger: Ledger):
    december = date(2025, 12, 31)
    assert ledger.locked_through() is None
    assert ledger.lock_through(december, "Fin", JANUARY)
    assert not ledger.lock_through(december, "Ander", END)
    with pytest.raises(WarehouseError, match="alleen vooruit"):
        ledger.lock_through(date(2025, 11, 30), "Fin", JANUARY)
    with pytest.raises(WarehouseError, match="pas na die dag"):
        ledger.lock_through(JANUARY, "Fin", JANUARY)
    assert ledger.locked_through() == december


def test_nothing_is_posted_in_a_closed_period(ledger: Ledger):
    ledger.lock_through(date(2025, 12, 31), "Fin", JANUARY)
    before = ledger.posted(YEAR)
    with pytest.raises(ZioError, match="gesloten tot en met 31-12-2025"):
        ledger.post(ready(date(2025, 12, 1), tuple(before)))
    assert ledger.posted(YEAR) == before
    assert ledger.post(ready(JANUARY, tuple(before))), "the same terms, on a day that is open"


def test_a_preview_says_what_would_be_posted_and_writes_nothing(ledger: Ledger):
    before = ledger.posted(YEAR)
    planned = ready(JANUARY, tuple(before))
    shown = ledger.post(planned, preview=True)
    assert len(shown) == len(planned)
    assert ledger.posted(YEAR) == before
    assert ledger.post(planned) == shown, "the same code, the same numbers, when nobody came between"


# --- the chain of the registers ---------------------------------------------------------------------------------------

STATEMENT = ProviderStatement(YEAR, "41410101", 100, "brief", "Fin", END)


@pytest.fixture
def filled(warehouse: Warehouse, ledger: Ledger) -> Warehouse:
    """A row in every register, written by the program."""
    numbers = [document.number for document in ledger.posted(YEAR)]
    ledger.release(numbers, "Fin", FIRST)
    ledger.deliver(sending(numbers[0]))
    ledger.lock_through(date(2025, 8, 31), "Fin", FIRST)
    closings = Closings(warehouse.database)
    closings.register(STATEMENT)
    closings.register(replace(STATEMENT, amount_cents=200))
    closings.close(Closure(YEAR, 1, "Fin", END, "{}"), numbers)
    return warehouse


def found_after(warehouse: Warehouse, statement: str) -> list[str]:
    """What is found after a statement past the guards, which is undone again."""
    with warehouse.database.writing() as connection:
        behind_the_guards(connection, statement)
        found = findings(connection)
        connection.rollback()
    return found


def test_every_row_of_every_register_has_its_link(filled: Warehouse):
    assert verify(filled) == []
    with filled.database.reading() as connection:
        rows = {table.name: len(connection.execute(table.select()).all()) for table in CHAINED}
        links = connection.execute(REGISTER_CHAIN.select().order_by(REGISTER_CHAIN.c.sequence)).all()
    assert all(rows.values())
    assert [link.sequence for link in links] == list(range(1, sum(rows.values()) + 1))
    assert {name: sum(link.register == name for link in links) for name in rows} == rows


CHANGED = [
    "establishment_proposals SET reason = 'x'",
    "establishment_proposals SET proposed_on = '2025-07-02'",
    "establishment_approvals SET approved_by = 'x'",
    "establishment_approvals SET approved_on = '2025-08-19'",
    "document_releases SET released_by = 'x'",
    "document_releases SET released_on = '2025-09-02'",
    f"document_deliveries SET content_sha256 = '{'b' * 64}'",
    "document_deliveries SET delivered_by = 'x'",
    "period_locks SET locked_by = 'x'",
    "provider_statements SET amount_cents = amount_cents + 1",
    "provider_statements SET registered_by = 'x'",
    "year_closures SET detail = 'x'",
    "year_closures SET closed_by = 'x'",
]


def test_a_value_changed_behind_the_guards_is_found(filled: Warehouse):
    for change in CHANGED:
        register = change.split(maxsplit=1)[0]
        found = found_after(filled, f"UPDATE {change}")
        assert any(f"Register {register}, " in finding and "gewijzigd" in finding for finding in found), (change, found)
    assert verify(filled) == []


BROKEN = [
    ("DELETE FROM document_deliveries", "verwijderd of gewijzigd"),
    ("UPDATE period_locks SET locked_through = '2025-07-31'", "buiten het programma om toegevoegd"),
    ("INSERT INTO period_locks VALUES ('2025-12-31', 'Fin', '2026-01-01')", "period_locks, 2025-12-31: deze rij"),
    ("DELETE FROM register_chain WHERE sequence = 2", "vóór schakel 3 ontbreekt er een"),
    ("UPDATE register_chain SET sequence = 99 WHERE sequence = 2", "vóór schakel 3 ontbreekt er een"),
    ("UPDATE register_chain SET register = 'x' WHERE sequence = 2", "schakel 2: de inhoud is gewijzigd"),
    (f"UPDATE register_chain SET content_hash = '{SENT}' WHERE sequence = 1", "schakel 1: de inhoud is gewijzigd"),
    (f"UPDATE register_chain SET previous_hash = '{SENT}' WHERE sequence = 3", "schakel 3: sluit niet aan"),
    (f"UPDATE register_chain SET hash = '{SENT}' WHERE sequence = 3", "schakel 4: sluit niet aan"),
]


def test_a_row_removed_or_slipped_in_and_a_broken_link_are_found(filled: Warehouse):
    for statement, said in BROKEN:
        found = found_after(filled, statement)
        assert any(said in finding for finding in found), (statement, found)


RELEASE = """
from datetime import date
from resources.ledger import Ledger
from resources.warehouse import Warehouse
ledger = Ledger(Warehouse(url))
barrier.wait()
for number in numbers[turn:] + numbers[:turn]:
    ledger.release([number], "Fin", date(2026, 1, 1))
    ledger.lock_through(date(2025, 8, 31), "Fin", date(2026, 1, 1))
results.put(turn)
"""


def test_many_at_once_make_one_chain(warehouse: Warehouse, warehouse_url: str, ledger: Ledger, in_processes):
    """In different registers, under different locks: nobody waits for ever, and no two take the same place."""
    numbers = [document.number for document in ledger.posted(YEAR)]
    results = multiprocessing.get_context("forkserver").Queue()
    running = in_processes(RELEASE, 4, url=warehouse_url, numbers=numbers, results=results, turn=1)
    assert [results.get(timeout=120) for _ in running] == [1] * 4
    assert len(ledger.states()) == len(numbers)
    assert verify(warehouse) == []
