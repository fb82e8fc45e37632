"""What people get wrong: the program stops in one Dutch sentence, changes nothing, and works again when it is put right."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from resources.home import Home
from tests.integration.conftest import SettledYear, zio_run
from tests.region import quick
from zio_pipeline.audit import audit
from zio_pipeline.cli import main
from zio_pipeline.contracts import products
from zio_pipeline.errors import NotProved
from zio_pipeline.stages import billing, publishing

YEAR = "2025-2026"
BOOK, WLZ = "inrichting-2025-2026.xlsx", "wlz-lijst-2025-2026.csv"


@pytest.fixture(autouse=True)
def without_audit() -> Iterator[None]:
    """What a run makes of a mistake does not hang on it, and it takes longer than all the rest."""
    with quick():
        yield


@pytest.fixture
def inbox(small_year: SettledYear) -> Path:
    """A small fictitious year: what is about money."""
    return small_year.inbox


@pytest.fixture
def home(small_year: SettledYear, tmp_path: Path) -> Path:
    """A settled home of one's own."""
    shutil.copytree(small_year.folder, tmp_path / "home")
    return tmp_path / "home"


def cell_changed(book: Path, out: Path, *, sheet: str, row_of: str, column: str, value: str) -> None:
    """The workbook with one cell changed: in the row that holds `row_of`, under the header `column`."""
    workbook = openpyxl.load_workbook(book)
    cells = workbook[sheet]
    rows = list(cells.iter_rows())
    header = next(row for row in rows if any(cell.value == column for cell in row))
    position = next(cell.column for cell in header if cell.value == column)
    (found,) = [row for row in rows if any(cell.value == row_of for cell in row)]
    cells.cell(found[0].row, position).value = value
    out.parent.mkdir(exist_ok=True)
    workbook.save(out)


def test_another_warehouse_by_mistake_takes_nothing_from_the_vault(
    home: Path, inbox: Path, tmp_path: Path, monkeypatch, capsys
):
    before = Home.open(home, {}).vault.names()
    monkeypatch.setenv("ZIO_WAREHOUSE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    assert zio_run(home, inbox) == 1
    assert "horen niet bij elkaar" in capsys.readouterr().err
    monkeypatch.delenv("ZIO_WAREHOUSE_URL")
    assert Home.open(home, {}).vault.names() == before
    assert zio_run(home, inbox) == 0


def test_other_keys_by_mistake_change_nothing(home: Path, inbox: Path, monkeypatch):
    for name in ("ZIO_PSEUDONYM_KEY", "ZIO_VAULT_KEY"):
        monkeypatch.setenv(name, base64.b64encode(name.encode().ljust(32)).decode())
    assert zio_run(home, inbox) == 1
    for name in ("ZIO_PSEUDONYM_KEY", "ZIO_VAULT_KEY"):
        monkeypatch.delenv(name)
    assert zio_run(home, inbox) == 0


def test_a_workbook_that_contradicts_itself_is_refused_and_the_earlier_one_stays(
    home: Path, inbox: Path, tmp_path: Path, capsys
):
    cell_changed(
        inbox / BOOK,
        tmp_path / "new" / "later.xlsx",
        sheet="gemeenten",
        row_of="Dongen",
        column="lid vanaf",
        value="01-01-2027",
    )
    assert zio_run(home, tmp_path / "new") == 0
    shown = capsys.readouterr().out
    assert "Dongen" in shown
    assert "geweigerd" in shown


def test_an_older_wlz_list_does_not_take_the_place_of_a_newer_one(home: Path, inbox: Path, tmp_path: Path, capsys):
    (tmp_path / "old").mkdir()
    lines = (inbox / WLZ).read_bytes().replace(b"24-06-2025", b"01-02-2025").splitlines(keepends=True)
    (tmp_path / "old" / WLZ).write_bytes(b"".join(lines[:-1]))
    active = [e.content_sha256 for e in Home.open(home, {}).warehouse.active("wlz_statuses", YEAR)]
    assert zio_run(home, tmp_path / "old") == 0
    assert "ouder dan de lijst die nu geldt" in capsys.readouterr().out
    assert [e.content_sha256 for e in Home.open(home, {}).warehouse.active("wlz_statuses", YEAR)] == active


def test_timesheets_that_lack_weeks_do_not_take_the_place_of_the_month(
    small_year: SettledYear, home: Path, tmp_path: Path, capsys
):
    (sheet,) = small_year.rest.glob("urenstaat-01FX00-2025-09.csv")
    (tmp_path / "month").mkdir()
    shutil.copy(sheet, tmp_path / "month")
    assert zio_run(home, tmp_path / "month") == 0
    hours = Home.open(home, {}).warehouse.export_csv("delivered_hours")
    (tmp_path / "weeks").mkdir()
    head, *lines = sheet.read_bytes().splitlines(keepends=True)
    (tmp_path / "weeks" / "weeks.csv").write_bytes(b"".join([head, *lines[: len(lines) // 2]]))
    assert zio_run(home, tmp_path / "weeks") == 0
    assert "Lever de hele maand in één bestand aan" in capsys.readouterr().out
    assert Home.open(home, {}).warehouse.export_csv("delivered_hours") == hours


def test_a_file_after_the_establishment_is_named_and_moves_no_cent(home: Path, inbox: Path, tmp_path: Path, capsys):
    (tmp_path / "later").mkdir()
    (pupils,) = inbox.glob("leerlingen-01FX00-*.csv")
    (tmp_path / "later" / pupils.name).write_bytes(pupils.read_bytes().replace(b";Tilburg;", b";Waalwijk;"))
    shares = Home.open(home, {}).warehouse.export_csv("municipal_shares")
    assert zio_run(home, tmp_path / "later") == 0
    assert "Aangeleverd na de vaststelling" in capsys.readouterr().out
    assert Home.open(home, {}).warehouse.export_csv("municipal_shares") == shares


def test_a_table_that_is_not_the_one_signed_for_is_never_billed(home: Path):
    opened = Home.open(home, {})
    rows = opened.warehouse.rows("terms", school_year=YEAR)
    first = next(row for row in rows if row["month"] == "2025-09" and row["amount_cents"])
    second = next(
        r for r in rows if r["month"] == "2025-10" and all(r[k] == first[k] for k in ("order_id", "stream", "payer"))
    )
    first["amount_cents"], second["amount_cents"] = first["amount_cents"] + second["amount_cents"], 0
    audit(products()["terms"], rows).require()
    publishing.publish(opened, {"terms": rows}, {"school_year": YEAR})  # audited, and adds up to the year
    with pytest.raises(NotProved, match="vastgesteld"):
        billing.bill(opened, YEAR, max(row["due_on"] for row in rows if row["due_on"]))


def test_a_business_date_before_the_last_document_is_refused(home: Path, inbox: Path, capsys):
    parked = Home.open(home, {}).warehouse.export_csv("parked_documents")
    status = main(["--home", str(home), "run", "--inbox", str(inbox), "--school-year", YEAR, "--as-of", "2025-11-15"])
    assert status == 1
    assert "vóór het laatste document" in capsys.readouterr().err
    assert Home.open(home, {}).warehouse.export_csv("parked_documents") == parked


def test_one_cell_cannot_sign_a_real_year(inbox: Path, tmp_path: Path, capsys):
    real, home = tmp_path / "real", tmp_path / "home"
    shutil.copytree(inbox, real)
    cell_changed(inbox / BOOK, real / BOOK, sheet="schooljaar", row_of="fictief", column="waarde", value="nee")
    assert zio_run(home, real) == 1
    assert "wacht op twee personen" in capsys.readouterr().err
    establish = ["--home", str(home), "establish", "--school-year", YEAR, "--as-of", "2025-07-15"]
    assert main([*establish, "--propose", "--by", "Jan"]) == 0
    assert zio_run(home, inbox) == 1, "the fictitious workbook, after a real proposal"
    assert Home.open(home, {}).warehouse.establishment(YEAR) is None

    cell_changed(inbox / BOOK, real / BOOK, sheet="gemeenten", row_of="Dongen", column="bron", value="raadsbesluit")
    cell_changed(real / BOOK, real / BOOK, sheet="schooljaar", row_of="fictief", column="waarde", value="nee")
    assert zio_run(home, real) == 1
    assert main([*establish, "--propose", "--by", "Jan"]) == 0
    receipt = capsys.readouterr().out.rpartition("Bewijs:")[2].split()[0]
    assert main([*establish, "--approve", receipt, "--by", " JAN "]) == 1, "the same person"
    assert main([*establish, "--approve", receipt, "--by", "Piet"]) == 0
    future = ["--home", str(home), "run", "--inbox", str(real), "--school-year", YEAR, "--as-of", "2099-07-31"]
    assert main(future) == 1
    assert "in de toekomst" in capsys.readouterr().err
    assert Home.open(home, {}).ledger.posted(YEAR) == []
    assert zio_run(home, real) == 0


@pytest.mark.parametrize("wrong", ["no-such-folder", "a-file"])
def test_a_wrong_folder_is_said_in_one_sentence(wrong: str, tmp_path: Path, capsys):
    (tmp_path / "a-file").touch()
    assert zio_run(tmp_path / "home", tmp_path / wrong) == 1
    assert "bestaat niet" in capsys.readouterr().err
    assert main(["--home", str(tmp_path / "a-file"), "verify"]) == 1
    assert "Gestopt" in capsys.readouterr().err
