"""`zio verify` finds what was touched, says where, and does not end with 0. Every figure is fictief."""

import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from resources.home import Home
from resources.registers import Sending
from tests.money.shapes import Shape
from tests.region import JULY, KEY, Region, quick
from tests.year_builder import HEUSDEN
from zio_pipeline.cli import main
from zio_pipeline.errors import WarehouseError
from zio_pipeline.stages import closing, releasing, year
from zio_pipeline.stages.verifying import verify

DECEMBER, JANUARY = date(2025, 12, 1), date(2026, 1, 5)


@pytest.fixture(scope="module")
def settled(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A year with a second version, billed and published."""
    return made_once("settled-region", settle)


def settle(folder: Path) -> None:
    with quick():
        made = Region(folder)
        made.deliver(Shape().year())
        made.establish(JULY)
        made.bill(DECEMBER)
        made.deliver(Shape().moved(0, HEUSDEN).year())
        made.establish(JANUARY, "peildatumfout")
        made.bill_and_publish(JANUARY)
        releasing.release(made.home, KEY, [], "Fin", JANUARY)
        releasing.deliver(made.home, Sending(made.posted()[0].number, "e-mail", "a" * 64, "Fin", JANUARY))
        made.home.ledger.lock_through(date(2025, 12, 31), "Fin", JANUARY)
        year.publish_decisions(made.home, KEY)
        closing.publish_accruals(made.home, KEY, JANUARY)


@pytest.fixture
def region(settled: Path, tmp_path: Path):
    """A copy of it, to be touched."""
    with quick():
        yield Region(shutil.copytree(settled, tmp_path / "home"))


def told(region: Region, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says of a home in which something was touched; it does not end with 0."""
    assert main(["--home", str(region.folder), "verify"]) == 1
    return capsys.readouterr().out


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
        ("UPDATE proofs SET left_cents = 1, right_cents = 1 WHERE version = 1", "versie 1: tabel proofs"),
        ("DELETE FROM proofs WHERE version = 2", "versie 2: tabel proofs"),
        ("UPDATE document_states SET state = 'posted'", "tabel document_states"),
        ("UPDATE accruals SET cost_cents = cost_cents + 1", "tabel accruals heeft geen geldig controlebewijs"),
        ("UPDATE document_series SET calendar_year = 2031 WHERE kind = 'invoice' AND calendar_year = 2025", "Reeks"),
        ("UPDATE vault_manifest SET status = 'partly_accepted' WHERE sequence = 1", "de status van bestand"),
        ("UPDATE vault_manifest SET scope = 'x' WHERE sequence = 1", "Manifest, volgnummer 1: de plaats"),
        ("UPDATE vault_manifest SET label = 'x' WHERE sequence = 1", "staat niet in het manifest"),
        ("UPDATE vault_manifest SET sequence = 99 WHERE sequence = 1", "Manifest: vóór volgnummer"),
    ],
)
def test_a_table_that_was_touched_is_named(
    region: Region, capsys: pytest.CaptureFixture[str], statement: str, said: str
):
    with region.home.warehouse.database.writing() as connection:
        connection.execute(text(statement))
    assert said in told(region, capsys)


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


def behind_the_guards(region: Region, table: str, statement: str) -> None:
    """As the owner of the file: without guards and rules."""
    connection = sqlite3.connect(region.folder / "warehouse.db", isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,))
    guards = guards.fetchall()
    for name, _ in guards:
        connection.execute(f"DROP TRIGGER {name}")
    assert connection.execute(statement).rowcount > 0
    for _, ddl in guards:
        connection.execute(ddl)
    connection.close()


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("establishment_proposals", "receipt_json = '{'", "receipt_json: het bewijs is onleesbaar"),
        ("establishment_proposals", "receipt_json = '{}'", "Controle van tabellen van Schooljaar"),
        ("establishment_approvals", "receipt_hash = 'x'", "een goedkeuring hoort bij geen voorstel"),
        (
            "document_releases",
            "released_on = '2026-13-45'",
            "document_releases.released_on: er staat iets dat geen datum is",
        ),
        ("vault_manifest", "active = 7", "vault_manifest.active: er staat iets dat waar noch niet waar is"),
        ("documents", "due_on = '2025-1-1'", "documents.due_on: er staat iets dat geen datum is"),
        ("document_lines", "line_number = line_number + 100", "de regels zijn niet doorlopend genummerd"),
    ],
)
def test_what_cannot_be_read_is_a_finding_that_names_the_place(region: Region, table: str, change: str, said: str):
    """One part that stops does not stop the others, and there is never nothing but a traceback."""
    behind_the_guards(region, table, f"UPDATE {table} SET {change}")
    found = verify(region.home)
    assert any(said in finding for finding in found), found
    assert main(["--home", str(region.folder), "verify"]) == 1


def test_a_stop_that_nobody_foresaw_is_said_without_values(
    region: Region, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> Home:
        raise UnicodeDecodeError("utf-8", b"geheim", 0, 1, "geheim")

    monkeypatch.setattr(Home, "open", broken)
    assert main(["--home", str(region.folder), "verify"]) == 1
    said = capsys.readouterr().err
    assert "UnicodeDecodeError" in said
    assert "geheim" not in said
    with pytest.raises(UnicodeDecodeError):
        main(["--home", str(region.folder), "status", "--school-year", KEY])


FLIPS = 150 if os.environ.get("ZIO_SOAK") else 8
NOT_HELD = {"verdicts", "quarantine", "deliveries", "removals"}
"""What no figure stands on: the explanation of a verdict, what intake shows."""


def test_one_flipped_bit_anywhere_in_the_file_is_found_or_stops(region: Region, capsys: pytest.CaptureFixture[str]):
    """Only where nothing stands (a free page, unused bytes) or where nothing hangs on it may a bit go unseen."""
    path = region.folder / "warehouse.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode = DELETE")
    before = stored(connection)
    connection.close()
    clean, chosen, missed = path.read_bytes(), random.Random(1), Counter[str]()
    for _ in range(FLIPS):
        at = chosen.choice([place for place in chosen.sample(range(len(clean)), 50) if clean[place]])
        changed = bytearray(clean)
        changed[at] ^= 1 << chosen.randrange(8)
        for rest in ("-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        path.write_bytes(changed)
        if main(["--home", str(region.folder), "verify"]) == 0:
            connection = sqlite3.connect(path)
            missed.update(name for name, rows in stored(connection).items() if rows != before[name])
            connection.close()
    assert "Traceback" not in capsys.readouterr().err
    assert missed.keys() <= NOT_HELD


def stored(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}


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
