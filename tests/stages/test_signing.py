"""What may happen between a proposal and its approval, and what a version for one reason leaves alone. Every figure is fictief."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from resources.closing import Closings, Closure
from resources.warehouse import Warehouse
from tests.money.shapes import Shape
from tests.region import JULY, KEY, Region, quick
from tests.year_builder import GOIRLE, HEUSDEN, TILBURG, Year
from zio_pipeline.errors import EstablishmentBlocked, NotProved, WarehouseError
from zio_pipeline.stages import establishing, verifying, year

DECEMBER, SIXTH, JANUARY = date(2025, 12, 5), date(2025, 12, 6), date(2026, 1, 5)
FIRST = Shape()
DEARER = FIRST.priced("LP", 65_00).changed("LP", "2026-01")


def billed_up_to_december(folder: Path, url: str | None = None) -> Region:
    made = Region(folder, url)
    made.deliver(FIRST.year())
    made.establish(JULY)
    made.bill_and_publish(DECEMBER)
    return made


@pytest.fixture
def anywhere(tmp_path: Path, warehouse_url: str) -> Iterator[Region]:
    """On both databases."""
    with quick():
        yield billed_up_to_december(tmp_path, warehouse_url)


@pytest.fixture(scope="session")
def billed(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """The home of a region that was billed up to December; read it, never write it."""

    def make(folder: Path) -> None:
        with quick():
            billed_up_to_december(folder)

    return made_once("billed-up-to-december", make)


@pytest.fixture
def region(billed: Path, tmp_path: Path) -> Iterator[Region]:
    """On the embedded database."""
    with quick():
        yield Region(shutil.copytree(billed, tmp_path / "region"))


def version(region: Region) -> int:
    return region.home.warehouse.establishment(KEY).version


def beside(monkeypatch: pytest.MonkeyPatch, what) -> None:
    """Something happens after an approval was computed again and before its transaction begins."""
    real = Warehouse.approve

    def late(warehouse: Warehouse, *args, **kwargs) -> bool:
        what()
        return real(warehouse, *args, **kwargs)

    monkeypatch.setattr(Warehouse, "approve", late)


def test_an_order_change_falls_when_something_is_posted_at_the_last_moment(anywhere: Region, monkeypatch):
    anywhere.deliver(DEARER.year())
    made = establishing.propose(anywhere.home, KEY, "Jan", SIXTH, reason="order_change")
    beside(monkeypatch, lambda: anywhere.bill(JANUARY))
    with pytest.raises(WarehouseError, match=r"past niet meer: wat geboekt is\. Stel opnieuw voor"):
        establishing.approve(anywhere.home, KEY, made.receipt_hash, "Piet", JANUARY)
    assert version(anywhere) == 1
    with pytest.raises(NotProved, match="past niet meer"):
        establishing.approve(anywhere.home, KEY, made.receipt_hash, "Piet", JANUARY)
    assert anywhere.home.verify() == []


def test_an_error_does_not_fall_by_a_monthly_run(region: Region, monkeypatch):
    region.deliver(FIRST.moved(0, HEUSDEN).year())
    made = establishing.propose(region.home, KEY, "Jan", SIXTH, reason="peildatum_error")
    assert made.receipt["base"]["posted"] == []
    region.bill(JANUARY)
    beside(monkeypatch, lambda: region.bill(date(2026, 2, 2)))
    establishing.approve(region.home, KEY, made.receipt_hash, "Piet", date(2026, 2, 2))
    assert version(region) == 2


def test_an_approval_falls_when_a_file_comes_in_at_the_last_moment(region: Region, monkeypatch):
    region.deliver(DEARER.year())
    made = establishing.propose(region.home, KEY, "Jan", SIXTH, reason="parameter_error")
    beside(monkeypatch, lambda: region.deliver(DEARER.moved(0, HEUSDEN).year()))
    with pytest.raises(WarehouseError, match="de bestanden die tellen"):
        establishing.approve(region.home, KEY, made.receipt_hash, "Piet", SIXTH)
    assert version(region) == 1


def test_of_two_proposals_the_approved_one_stands_in_the_tables(region: Region):
    region.deliver(DEARER.year())
    one = establishing.propose(region.home, KEY, "Jan", SIXTH, reason="parameter_error")
    other = establishing.propose(region.home, KEY, "Kees", SIXTH, reason="order_change")
    assert one.receipt["figures_sha256"] != other.receipt["figures_sha256"]
    establishing.approve(region.home, KEY, one.receipt_hash, "Piet", SIXTH)
    region.bill_and_publish(SIXTH)
    assert verifying.verify(region.home) == []
    with pytest.raises(EstablishmentBlocked, match="versie 2"):
        establishing.approve(region.home, KEY, other.receipt_hash, "Piet", SIXTH)


def test_a_letter_without_width_makes_nobody_another_person(region: Region):
    region.deliver(DEARER.year())
    made = establishing.propose(region.home, KEY, "Jan", SIXTH, reason="parameter_error")

    def signed(name: str) -> None:
        region.home.warehouse.approve(KEY, 2, made.receipt_hash, approved_by=name, approved_on=SIXTH)

    for name in ("Jan\u200b", "J\u00adan", " \u2060JAN", "\uff2aan"):
        with pytest.raises(WarehouseError, match="vier ogen"):
            signed(name)
    with pytest.raises(WarehouseError, match="een naam nodig"):
        signed("\u200b")


def test_of_a_closed_year_no_draft_is_left_behind(region: Region):
    closings, posted = Closings(region.home.warehouse.database), [d.number for d in region.posted()]
    closings.close(Closure(KEY, 1, "Fin", date(2026, 8, 1), "{}"), posted)
    region.deliver(FIRST.moved(0, HEUSDEN).year())
    with pytest.raises(WarehouseError, match="is gesloten op 01-08-2026"):
        establishing.propose(region.home, KEY, "Jan", date(2026, 8, 2), reason="peildatum_error")
    assert region.home.warehouse.rows("terms", school_year=KEY, version=2) == []


def test_a_year_of_the_other_kind_leaves_no_draft_behind(region: Region):
    real: Year = DEARER.year()
    next(row for row in real.sheets["settings"] if row["key"] == "fictief")["value"] = "nee"
    region.deliver(real)
    with pytest.raises(EstablishmentBlocked, match="echt schooljaar hoort niet"):
        establishing.propose(region.home, KEY, "Jan", SIXTH, reason="parameter_error")
    assert region.home.warehouse.rows("terms", school_year=KEY, version=2) == []


def test_a_wrong_tariff_settles_no_error_that_nobody_judged(region: Region):
    """Pupil p01 stands in Heusden now, undated. The version for the tariff leaves it on the worklist; the next one takes it."""

    def open_points() -> list[str]:
        year.publish_decisions(region.home, KEY)
        return [row["row_ref"] for row in region.home.warehouse.rows("worklist", school_year=KEY)]

    def pupils() -> dict[str, int]:
        rows = [r for r in region.rows("share_details") if (r["order_id"], r["doelgroep"]) == ("LP", "EMB")]
        return {row["payer"]: row["pupils"] for row in rows if row["stream"] == "jeugdwet"}

    region.deliver(FIRST.priced("LP", 61_00).moved(1, HEUSDEN).year())
    (point,) = open_points()
    before = pupils()
    assert region.establish(SIXTH, "parameter_error") == 2
    assert pupils() == before
    assert open_points() == [point]
    taking = establishing.propose(region.home, KEY, "Jan", SIXTH, reason="objection")
    assert taking.receipt["base"]["taken_rows"] == [point]
    establishing.approve(region.home, KEY, taking.receipt_hash, "Piet", SIXTH)
    assert pupils() == before | {TILBURG: before[TILBURG] - 1, HEUSDEN: before[HEUSDEN] + 1}
    assert open_points() == []


def test_an_error_after_an_order_change_keeps_its_month_through_the_receipts(region: Region):
    """LP is dearer from January only: after an error, an objection and a wrong tariff, too."""

    def declared() -> dict[tuple[str, str, str], int]:
        names = ("order_id", "law", "month")
        return {tuple(r[n] for n in names): r["amount_cents"] for r in region.rows("monthly_declarations")}

    first = declared()
    region.deliver(DEARER.year())
    region.establish(SIXTH, "order_change")
    changed = declared()
    assert {key for key in first if changed[key] != first[key]} == {k for k in first if k[0] == "LP" and k[2] >= "2026"}
    region.deliver(DEARER.moved(0, HEUSDEN).year())
    region.establish(SIXTH, "peildatum_error")
    assert declared() == changed
    region.deliver(DEARER.moved(0, HEUSDEN).moved(7, GOIRLE).year())
    region.establish(SIXTH, "objection")
    assert declared() == changed
    (kept,) = region.home.warehouse.establishment(KEY).receipt["base"]["order_changes"]
    assert (kept["order_id"], kept["first_term"]) == ("LP", "2026-01")
    region.deliver(DEARER.moved(0, HEUSDEN).moved(7, GOIRLE).priced("LP", 130_00).year())
    region.establish(SIXTH, "parameter_error")
    for key, cents in declared().items():
        assert abs(cents - changed[key] * (2 if key[0] == "LP" else 1)) <= 2
    region.bill_and_publish(SIXTH)
    assert verifying.verify(region.home) == []
