"""`zio verify` finds what was touched, says where, and does not end with 0. Every figure is fictief."""

import shutil
import sqlite3
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.money.shapes import Shape
from tests.region import JULY, KEY, Region, quick
from tests.year_builder import HEUSDEN
from zio_pipeline.cli import main
from zio_pipeline.errors import WarehouseError
from zio_pipeline.stages.verifying import verify

DECEMBER, JANUARY = date(2025, 12, 1), date(2026, 1, 5)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year with a second version, billed and published."""
    with quick():
        made = Region(tmp_path_factory.mktemp("settled"))
        made.deliver(Shape().year())
        made.establish(JULY)
        made.bill(DECEMBER)
        made.deliver(Shape().moved(0, HEUSDEN).year())
        made.establish(JANUARY, "peildatumfout")
        made.bill_and_publish(JANUARY)
        return made.folder


@pytest.fixture
def region(settled: Path, tmp_path: Path):
    """A copy of it, to be touched."""
    with quick():
        yield Region(shutil.copytree(settled, tmp_path / "home"))


def test_a_sound_year_has_nothing_to_say(region: Region):
    assert verify(region.home) == []
    assert main(["--home", str(region.folder), "verify"]) == 0


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE terms SET amount_cents = amount_cents + 1 WHERE version = 1 AND month = '2025-09'",
            "versie 1: tabel terms",
        ),
        ("UPDATE share_details SET pupils = pupils + 1 WHERE version = 2", "versie 2: tabel share_details"),
        ("DELETE FROM municipal_shares WHERE version = 2 AND payer = '0855'", "tabel municipal_shares"),
        ("UPDATE in_region_invoices SET amount_cents = amount_cents + 1", "tabel in_region_invoices"),
        ("DELETE FROM wlz_documents", "tabel wlz_documents"),
    ],
)
def test_a_table_that_was_touched_is_named(region: Region, statement: str, said: str):
    with region.home.warehouse.database.writing() as connection:
        connection.execute(text(statement))
    assert any(said in finding for finding in verify(region.home))
    assert main(["--home", str(region.folder), "verify"]) == 1


def test_a_changed_byte_in_the_vault_is_found(region: Region):
    """The year cannot come out of the vault any more, and says which."""
    files = sorted((region.folder / "vault").rglob("*pupil_registrations*"), key=lambda path: path.stat().st_mtime)
    data = bytearray(files[0].read_bytes())
    data[len(data) // 2] ^= 1
    files[0].write_bytes(bytes(data))
    fresh = Region(region.folder).home
    assert any("versie 1: is niet te herrekenen uit de kluis" in finding for finding in verify(fresh))


@pytest.mark.parametrize("what", ["debtor_name", "number"])
def test_a_changed_byte_in_the_file_of_the_warehouse_is_found(region: Region, what: str):
    """Past the guards: the bytes of the file itself."""
    path = region.folder / "warehouse.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((text_of_it,),) = connection.execute(f"SELECT {what} FROM documents ORDER BY number LIMIT 1")
    connection.close()
    data = path.read_bytes()
    where = data.rfind(text_of_it.encode())
    assert where > 0
    changed = bytearray(data)
    while where >= 0:  # the row and the indexes on it
        changed[where + len(text_of_it) - 1] ^= 1
        where = data.rfind(text_of_it.encode(), 0, where)
    path.write_bytes(bytes(changed))
    try:
        found = verify(Region(region.folder).home)
    except WarehouseError as error:
        found = [str(error)]
    assert found
    assert main(["--home", str(region.folder), "verify"]) == 1


def test_a_dropped_guard_stops_the_next_run_and_verify(region: Region):
    with region.home.warehouse.database.writing() as connection:
        connection.execute(text("DROP TRIGGER document_releases_no_delete"))
    assert main(["--home", str(region.folder), "verify"]) == 1
    with pytest.raises(WarehouseError, match="ontbreekt"):
        region.bill(date(2026, 2, 2))


def test_a_run_cut_off_before_publishing_is_mended_by_the_next(region: Region):
    region.bill(date(2026, 2, 2))
    assert any("is niet wat het grootboek zegt" in finding for finding in verify(region.home))
    region.bill_and_publish(date(2026, 2, 2))
    assert verify(region.home) == []
    assert region.home.warehouse.establishment(KEY).version == 2
