"""What goes wrong around a file: lost weeks, lists that leave out, faults of one file, contradictions that end, withdrawals.

Each test goes through `receive` and is looked at where people look; what a person withdraws is tried on both databases.
"""

import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from rich.console import Console

from tests.intake.files import Row, csv_of, indication, line, pupil
from tests.integration.test_intake_versions import FIRST_DAY, NEXT_DAY, YEAR, Office, contradicting, pupils
from zio_pipeline.cli import show
from zio_pipeline.cli.main import main
from zio_pipeline.errors import ZioError
from zio_pipeline.stages import receiving, standing
from zio_pipeline.stages.receiving import inbox_files, inbox_folders
from zio_pipeline.stages.withdrawing import withdraw

AUTUMN = date(2025, 10, 1)
TIMESHEETS, LISTS = "provider_timesheets", "wlz_statuses"


@pytest.fixture(autouse=True)
def without_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit of deliveries has tests of its own and says nothing of what is tried here."""
    monkeypatch.setattr("zio_pipeline.stages.receiving.audit_deliveries", lambda *_, **__: None)


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str) -> Office:
    return Office(tmp_path, sqlite_url)


@pytest.fixture
def any_office(tmp_path: Path, warehouse_url: str) -> Office:
    return Office(tmp_path, warehouse_url)


def newer_reader(monkeypatch: pytest.MonkeyPatch, version: str = "98") -> None:
    monkeypatch.setattr("zio_pipeline.stages.receiving.PARSER_VERSION", version)


def week(day: str, handed_in: str, **changes: str) -> bytes:
    return csv_of(line(1, datum=day, **{"ingeleverd op": handed_in}, **changes))


def listed(*codes: str, day: str = "24-06-2025") -> bytes:
    rows = enumerate(codes)
    return csv_of(*(indication(n, dagtekening=day, **{"verantwoordelijk zorgkantoor": code}) for n, code in rows))


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_weekly_timesheets_offered_together_lose_no_week_in_silence(office: Office, names: str):
    first, second = names
    files = {first: week("03-09-2025", "05-09-2025"), second: week("10-09-2025", "12-09-2025")}
    found = office.offer(files, AUTUMN)
    assert {one.status for one in found.values()} == {"accepted"}
    assert set(office.counting(TIMESHEETS)) == {found[first].label, found[second].label}
    assert {day for day, _ in office.worked()} == {"2025-09-03", "2025-09-10"}


def test_a_date_of_handing_in_that_is_still_to_come_says_nothing(office: Office):
    files = {"a": week("03-09-2025", "05-10-2052"), "b": week("03-09-2025", "06-09-2025", uren="8")}
    assert {one.status for one in office.offer(files, AUTUMN).values()} == {"contradicting"}


def test_a_list_without_a_zorgkantoor_that_counts_is_refused(office: Office):
    label = office.offer({"a": listed("5527", "5527")})["a"].label
    late = office.offer({"b": listed("5526", day="25-06-2025")})["b"]
    assert late.reason == (
        "De lijst noemt zorgkantoor 5527 niet, dat wel in de geldende lijst staat. "
        "Lever één lijst met alle zorgkantoren."
    )
    assert office.counting(LISTS) == [label]
    both = office.offer({"c": listed("5526", "5527", day="26-06-2025")})["c"]
    assert office.counting(LISTS) == [both.label]


def test_lists_of_two_zorgkantoren_in_one_drop_do_not_replace_each_other(office: Office):
    found = office.offer({"a": listed("5527"), "b": listed("5526", day="25-06-2025")})
    assert (found["a"].status, found["b"].status) == ("accepted", "refused")


def test_a_list_dated_after_its_reception_is_refused(office: Office):
    late = office.offer({"a": listed("5527", day="24-06-2052")})["a"]
    assert late.status == "refused"
    assert "24-06-2052 ligt na de dag van ontvangst, 30-06-2025" in (late.reason or "")
    assert office.offer({"b": listed("5527")})["b"].status == "accepted"


def test_files_with_the_same_good_rows_and_other_bad_ones_contradict(office: Office):
    good = pupils(1, 2)
    found = office.offer({"a": csv_of(*good, pupil(3, pgn="123456789")), "b": csv_of(*good)})
    assert {one.status for one in found.values()} == {"contradicting"}


def test_files_with_the_same_rows_in_another_order_say_the_same_and_the_name_decides_nothing(tmp_path: Path):
    files = [csv_of(*pupils(1, 2, 3)), csv_of(*pupils(3, 2, 1))]
    counting = []
    for names in ("ab", "ba"):
        office = Office(tmp_path / names, f"sqlite:///{tmp_path / names}.db")
        found = office.offer(dict(zip(names, files, strict=True)))
        assert sorted(one.status for one in found.values()) == ["accepted", "superseded"]
        counting.append(office.counting())
    assert counting[0] == counting[1]


def test_another_reader_keeps_the_order_and_the_day_of_what_was_received(
    any_office: Office, monkeypatch: pytest.MonkeyPatch
):
    office, old, new = any_office, csv_of(*pupils(1)), csv_of(*pupils(2))
    office.offer({"b": old})
    label = office.offer({"a": new}, NEXT_DAY)["a"].label
    newer_reader(monkeypatch)
    found = office.offer({"a": new, "b": old}, date(2026, 7, 1))
    assert (found["a"].status, found["b"].status) == ("accepted", "superseded")
    assert office.counting() == [label]
    days = {row["label"]: row["received_on"] for row in office.home.warehouse.rows("deliveries")}
    assert days == {found["a"].label: NEXT_DAY, found["b"].label: FIRST_DAY}


def test_another_reader_does_not_bring_a_replaced_file_back(any_office: Office, monkeypatch: pytest.MonkeyPatch):
    office, old = any_office, csv_of(*pupils(1))
    office.offer({"a": old})
    label = office.offer({"b": csv_of(*pupils(2))}, NEXT_DAY)["b"].label
    newer_reader(monkeypatch)
    assert office.offer({"a": old}, NEXT_DAY)["a"].status == "superseded"
    assert office.counting() == [label]


def test_a_contradiction_whose_files_were_taken_away_ends(office: Office):
    standing = office.offer({"s": csv_of(*pupils(9))})["s"].label
    files = contradicting(1, 2)
    office.offer(files, NEXT_DAY)
    office.offer({}, NEXT_DAY)
    assert office.statuses() == {"accepted": 1, "refused": 2}
    assert office.counting() == [standing]
    reasons = {row["reason"] for row in office.home.warehouse.rows("deliveries", status="refused")}
    assert reasons == {receiving.LAPSED}
    right = office.offer({"2.csv": files["2.csv"]}, NEXT_DAY)["2.csv"]
    assert right.status == "accepted", "offered alone it counts after all"
    assert office.offer(files, NEXT_DAY)["1.csv"].status == "refused", "and the other one does not take its place"
    assert office.counting() == [right.label]


def test_a_withdrawn_wrong_file_does_not_take_the_place_of_the_right_one_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    files = contradicting(1, 2)
    office.offer(files)
    label = office.offer({"2.csv": files["2.csv"]}, NEXT_DAY)["2.csv"].label
    assert office.offer(files, NEXT_DAY)["1.csv"].status == "refused"
    assert office.offer({"1.csv": files["1.csv"]}, NEXT_DAY)["1.csv"].status == "refused"
    newer_reader(monkeypatch)
    office.offer({"1.csv": files["1.csv"]}, NEXT_DAY)
    assert office.counting() == [label]


def test_a_file_that_cannot_be_read_is_reported_and_the_others_go_on(office: Office, monkeypatch: pytest.MonkeyPatch):
    listing = inbox_files(office.inbox)
    faults = {"gone": FileNotFoundError, "closed": PermissionError, "folder": IsADirectoryError}
    read = Path.read_bytes

    def failing(path: Path) -> bytes:
        if path.name in faults:
            raise faults[path.name](2, "niet", str(path))
        return read(path)

    def with_failing(folder: Path) -> Iterable[Path]:
        return [*(folder / name for name in faults), *inbox_files(folder)]

    assert listing == []
    monkeypatch.setattr(Path, "read_bytes", failing)
    monkeypatch.setattr(receiving, "inbox_files", with_failing)
    found = office.offer({"z.csv": csv_of(*pupils(1))})
    assert found["z.csv"].status == "accepted"
    assert {found[name].status for name in faults} == {"refused"}
    assert all("niet te lezen" in (found[name].reason or "") for name in faults)
    assert office.statuses() == {"accepted": 1}


def test_an_unreadable_file_does_not_end_a_contradiction(office: Office, monkeypatch: pytest.MonkeyPatch):
    office.offer(contradicting(1, 2))
    monkeypatch.setattr(receiving, "inbox_files", lambda folder: [folder / "1.csv"])
    office.offer({})
    assert office.statuses() == {"contradicting": 2}


def test_lock_files_are_skipped_and_folders_are_named(office: Office):
    (office.inbox / "Leijpark").mkdir()
    for name in ("~$uren.xlsx", ".verborgen", "a.csv"):
        (office.inbox / name).write_bytes(b"x")
    assert [path.name for path in inbox_files(office.inbox)] == ["a.csv"]
    out = io.StringIO()
    show.folders(Console(file=out, force_terminal=True, width=200), inbox_folders(office.inbox))
    assert "Leijpark" in out.getvalue()
    out = io.StringIO()
    show.folders(Console(file=out, width=200), inbox_folders(office.inbox))
    assert "Leijpark" not in out.getvalue()
    assert "1 map wordt niet gelezen" in out.getvalue()


def test_texts_that_no_database_holds_stop_nobody(any_office: Office, monkeypatch: pytest.MonkeyPatch):
    office, noted = any_office, receiving._delivery_row
    monkeypatch.setattr(receiving, "_delivery_row", lambda *a: noted(*a) | {"reason": "een\x00twee\ud800drie\x0b"})
    office.offer({"a": csv_of(*pupils(1)), "b": csv_of(line(1))})
    assert {row["reason"] for row in office.home.warehouse.rows("deliveries")} == {"een twee drie "}
    assert len(office.home.warehouse.manifest(active=True)) == 2


def test_a_fault_that_nobody_foresaw_is_looked_at_again(office: Office, monkeypatch: pytest.MonkeyPatch):
    def fails(*_: object) -> None:
        raise MemoryError

    files = {"a": csv_of(*pupils(1))}
    with monkeypatch.context() as patch:
        patch.setattr("zio_pipeline.intake.read", fails)
        assert office.offer(files)["a"].status == "refused"
    assert office.home.warehouse.manifest() == []
    assert office.offer(files, NEXT_DAY)["a"].status == "accepted"
    assert office.statuses() == {"accepted": 1}
    assert office.workbooks() == {}


def warned(number: int) -> Row:
    """A row with a column that nobody knows: it counts, with a warning."""
    return pupil(number) | {"bijnaam": "x"}


def test_a_file_that_counts_with_a_warning_gets_a_workbook_too_and_is_counted(office: Office):
    found = office.offer({"a": csv_of(warned(1)), "b": csv_of(line(1))})
    assert (found["a"].status, found["a"].warnings > 0, found["b"].warnings) == ("accepted", True, 0)
    assert set(office.workbooks()) == {found["a"].label}
    out = io.StringIO()
    show.received(Console(file=out, width=200), list(found.values()))
    assert "1 van 2 bestanden tellen en hebben opmerkingen" in out.getvalue()


def test_a_workbook_is_written_again_only_when_its_reasons_changed(office: Office):
    files = {"a": csv_of(warned(1))}
    office.offer(files)
    (path,) = office.home.feedback.glob("*.xlsx")
    inode = path.stat().st_ino
    office.offer(files)
    assert path.stat().st_ino == inode
    (row, *more) = office.home.warehouse.rows("quarantine")
    rows = [row | {"explanation": "Nu iets anders."}, *more]
    office.home.warehouse.replace({"quarantine": rows}, content_sha256=row["content_sha256"])
    office.offer(files)
    cells = [c for s in openpyxl.load_workbook(path) for r in s.iter_rows(values_only=True) for c in r]
    assert any("Nu iets anders." in str(cell) for cell in cells)


def test_only_workbooks_of_this_program_are_removed(office: Office):
    wrong = csv_of(pupil(1), pupil(2, geboortedatum="31-02-2012"))
    label = office.offer({"a": wrong})["a"].label
    (office.home.feedback / "gemaild op 3-10.xlsx").write_bytes(b"x")
    office.offer({"b": csv_of(*pupils(1, 2))}, NEXT_DAY)
    assert set(office.workbooks()) == {"gemaild op 3-10"}
    assert label not in office.workbooks()


def test_who_pays_for_whom_is_not_swept(office: Office):
    vault, name = office.home.vault, f"{standing.DECISIONS}{YEAR}-abc"
    for table in (name, "left-over"):
        vault.put(table, pa.table({"a": [1]}))
    office.offer({})
    assert vault.names() == [name]


def test_what_a_person_withdraws_is_out_of_force_and_the_one_before_counts_again(
    any_office: Office, monkeypatch: pytest.MonkeyPatch
):
    office, good, wrong = any_office, csv_of(*pupils(1)), csv_of(*pupils(2))
    first = office.offer({"a": good})["a"].label
    mistaken = office.offer({"b": wrong}, NEXT_DAY)["b"].label
    assert office.counting() == [mistaken]
    assert withdraw(office.home, mistaken, "A. Beheer", "verkeerde school", NEXT_DAY).back == first
    assert office.counting() == [first]
    rows = {row["label"]: row for row in office.home.warehouse.rows("deliveries")}
    assert (rows[first]["status"], rows[mistaken]["status"]) == ("accepted", "withdrawn")
    assert rows[mistaken]["reason"] == "Ingetrokken op 01-07-2025 door A. Beheer: verkeerde school"
    before = office.stored()
    assert office.offer({"a": good, "b": wrong}, NEXT_DAY)["b"].status == "withdrawn"
    assert office.stored() == before
    newer_reader(monkeypatch)
    assert office.offer({"a": good, "b": wrong}, NEXT_DAY)["b"].status == "withdrawn", "also for a newer reader"
    assert office.counting() == [first]


def test_withdrawals_go_back_one_by_one(office: Office):
    labels = [office.offer({"a": csv_of(*pupils(number))}, NEXT_DAY)["a"].label for number in (1, 2, 3)]
    for label, back in zip(reversed(labels), [labels[1], labels[0], None], strict=True):
        assert withdraw(office.home, label, "A. Beheer", "fout", NEXT_DAY).back == back
        assert office.counting() == ([back] if back else [])


@pytest.mark.parametrize("by", ["A. Beheer", " "])
def test_what_does_not_count_cannot_be_withdrawn(office: Office, by: str):
    old = office.offer({"a": csv_of(*pupils(1))})["a"].label
    new = office.offer({"b": csv_of(*pupils(2))}, NEXT_DAY)["b"].label
    before = office.stored()
    wanted = {old: "telt niet", "onbekend": "is niet bekend"} if by.strip() else {new: "--by"}
    for label, message in wanted.items():
        with pytest.raises(ZioError, match=message):
            withdraw(office.home, label, by, "fout", NEXT_DAY)
    assert office.stored() == before


def test_the_command_withdraws_and_says_what_counts_again(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ZIO_WAREHOUSE_URL", raising=False)
    office = Office(office.home.folder.parent / "own", f"sqlite:///{office.home.folder.parent}/own/home/warehouse.db")
    label = office.offer({"a": csv_of(*pupils(1))})["a"].label
    told = ["--by", "A. Beheer", "--reason", "fout", "--as-of", "2025-07-01"]
    assert main(["--home", str(office.home.folder), "withdraw", label, *told]) == 0
    assert f"Ingetrokken: {label}." in " ".join(capsys.readouterr().out.split())
    assert main(["--home", str(office.home.folder), "withdraw", label, *told]) == 1


def test_a_fault_of_the_disk_does_not_print_the_name_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "Jan Jansen 123456782.csv"))

    monkeypatch.setattr("zio_pipeline.cli.commands.inbox_files", fails)
    arguments = ["run", "--school-year", YEAR, "--inbox", str(tmp_path), "--as-of", "2025-10-01"]
    assert main(["--home", str(tmp_path / "home"), *arguments]) == 1
    shown = capsys.readouterr().err
    assert "Jansen" not in shown
    assert tmp_path.name in shown
