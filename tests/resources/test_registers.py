"""What people do with posted documents, on both databases: release, deliver, close a period. Parties are fictief."""

from datetime import date

import pytest

from resources.ledger import Ledger
from resources.registers import Sending
from resources.warehouse import Warehouse
from tests.resources.test_ledger import END, FIRST, JANUARY, YEAR, establish, ready
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
