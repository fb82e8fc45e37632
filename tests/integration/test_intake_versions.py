"""Versions of files, as they really arrive: again, corrected, out of order, two at once.

Everything goes through `receive`, and is looked at where people look: `deliveries`, `quarantine`, the worklist, the
terugmelding, and the manifest that says which file counts.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from resources.home import Home
from tests.intake.files import Row, csv_of, indication, line, pupil, table, xlsx_bytes
from tests.integration.test_misuse import cell_changed
from tests.region import unaudited
from zio_pipeline.demo import generate
from zio_pipeline.errors import EstablishmentBlocked
from zio_pipeline.stages import year
from zio_pipeline.stages.receiving import Received, receive
from zio_pipeline.stages.rereading import reread
from zio_pipeline.stages.timesheets import timesheets

YEAR, FIRST_DAY, NEXT_DAY = "2025-2026", date(2025, 6, 30), date(2025, 7, 1)
WRONG_DATE = {"geboortedatum": "31-02-2012"}
Drop = dict[str, bytes]


class Office:
    """A home and its inbox; `offer` makes the inbox hold exactly these files."""

    def __init__(self, folder: Path, warehouse_url: str):
        self.home = Home.open(folder / "home", {"ZIO_WAREHOUSE_URL": warehouse_url})
        self.inbox = self.home.inbox

    def offer(self, files: Drop, on: date = FIRST_DAY) -> dict[str, Received]:
        for path in self.inbox.iterdir():
            path.unlink()
        for name, data in files.items():
            (self.inbox / name).write_bytes(data)
        return {one.name: one for one in receive(self.home, self.inbox, on)}

    def statuses(self) -> dict[str, int]:
        found = [row["status"] for row in self.home.warehouse.rows("deliveries")]
        return {status: found.count(status) for status in sorted(set(found))}

    def counting(self, source: str = "pupil_registrations") -> list[str]:
        """Labels of the files that count."""
        return [entry.label for entry in self.home.warehouse.active(source, YEAR)]

    def worked(self) -> set[tuple[str, str]]:
        """Every day of which lines count, and the file they count from."""
        sheets = timesheets(self.home, YEAR)
        return {(f"{day}", sheet.label) for sheet in sheets for day in sheet.rows["work_date"].to_pylist()}

    def workbooks(self) -> dict[str, bytes]:
        return {path.stem: path.read_bytes() for path in self.home.feedback.glob("*.xlsx")}

    def rules(self) -> set[str]:
        return {row["rule"] for row in self.home.warehouse.rows("quarantine")}

    def stored(self) -> list[object]:
        """Everything that may not change when nothing happened."""
        warehouse = self.home.warehouse
        tables = [warehouse.rows(name) for name in ("deliveries", "quarantine")]
        return [tables, warehouse.manifest(), self.home.vault.names(), self.home.vault.raw_names(), self.workbooks()]


@pytest.fixture
def audited_office(tmp_path: Path, soaked_url: str) -> Office:
    return Office(tmp_path, soaked_url)


@pytest.fixture
def office(audited_office: Office) -> Iterator[Office]:
    """Without the audit: it has tests of its own, says nothing of versions, and takes four fifths of the time."""
    with unaudited():
        yield audited_office


@pytest.fixture
def office_anywhere(tmp_path: Path, warehouse_url: str) -> Iterator[Office]:
    """The same, on both databases in every run of the tests."""
    with unaudited():
        yield Office(tmp_path, warehouse_url)


@pytest.fixture(scope="module")
def money_files(tmp_path_factory: pytest.TempPathFactory) -> Drop:
    """A fictitious year that can be settled: the setup, two pupil files and the Wlz list."""
    folder = tmp_path_factory.mktemp("money")
    generate(folder, YEAR, 60, 5)
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("urenstaat")}


def pupils(*numbers: int, **changes: str) -> list[Row]:
    return [pupil(number, **changes) for number in numbers]


def test_the_same_bytes_again_change_nothing_under_whatever_name(audited_office: Office):
    office = audited_office
    files = {"a.csv": csv_of(*pupils(1, 2), pupil(3, **WRONG_DATE)), "b.csv": b"geen leerling te bekennen"}
    first = office.offer(files)
    assert {name: one.new for name, one in first.items()} == {"a.csv": True, "b.csv": True}
    before = office.stored()
    again = office.offer({f"kopie van {name}": data for name, data in files.items()} | files, NEXT_DAY)
    assert not any(one.new for one in again.values())
    assert office.stored() == before
    assert {again[name].status for name in files} == {"partly_accepted", "refused"}


def test_a_corrected_file_takes_the_place_of_the_earlier_one_and_both_are_kept(office: Office):
    wrong, right = csv_of(*pupils(1), pupil(2, **WRONG_DATE)), csv_of(*pupils(1, 2))
    first = office.offer({"a.csv": wrong})["a.csv"]
    assert (first.status, first.rows_accepted, first.rows_quarantined) == ("partly_accepted", 1, 1)
    second = office.offer({"a.csv": wrong, "b.csv": right}, NEXT_DAY)
    assert (second["a.csv"].status, second["b.csv"].status) == ("superseded", "accepted")
    assert office.statuses() == {"accepted": 1, "superseded": 1}
    assert office.counting() == [second["b.csv"].label]
    assert len(office.home.vault.raw_names()) == 2
    # The sender who now sends the wrong one again has sent nothing new: it stays superseded.
    assert office.offer({"a.csv": wrong}, NEXT_DAY)["a.csv"].status == "superseded"
    assert office.counting() == [second["b.csv"].label]


def test_a_workbook_for_the_sender_is_written_once_and_goes_when_the_file_is_replaced(office: Office):
    wrong = csv_of(*pupils(1), pupil(2, **WRONG_DATE))
    label = office.offer({"a.csv": wrong})["a.csv"].label
    (path,) = office.home.feedback.glob("*.xlsx")
    assert path.stem == label
    assert (path.stat().st_mode & 0o777, office.home.feedback.stat().st_mode & 0o777) == (0o600, 0o700)
    cells = [
        cell for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows(values_only=True) for cell in row
    ]
    assert "31-02-2012" in cells, "the sender's own row"
    inode = path.stat().st_ino
    office.offer({"a.csv": wrong}, NEXT_DAY)
    assert path.stat().st_ino == inode, "not written again"
    office.offer({"b.csv": csv_of(*pupils(1, 2))}, NEXT_DAY)
    assert office.workbooks() == {}


@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")], ids=["newest last", "newest first"])
def test_the_newest_of_two_wlz_lists_wins_whatever_they_are_called(office: Office, order: tuple[str, str]):
    old = csv_of(indication(1, dagtekening="02-06-2025"), indication(2, dagtekening="02-06-2025"))
    new = csv_of(indication(1, dagtekening="24-06-2025"))
    names = [f"lijst-{number}.csv" for number in order]
    found = office.offer(dict(zip(names, (old, new), strict=True)))
    assert [found[name].status for name in names] == ["superseded", "accepted"]
    assert office.counting("wlz_statuses") == [found[names[1]].label]


def test_an_older_wlz_list_is_refused_and_the_newer_one_stays(office: Office):
    label = office.offer({"a.csv": csv_of(indication(1))})["a.csv"].label
    late = office.offer(
        {"b.csv": csv_of(indication(1, dagtekening="01-02-2025"), indication(2, dagtekening="01-02-2025"))}
    )
    assert late["b.csv"].status == "refused"
    assert late["b.csv"].reason == "De lijst van 01-02-2025 is ouder dan de lijst die nu geldt, van 24-06-2025."
    assert office.counting("wlz_statuses") == [label]
    assert late["b.csv"].label in office.workbooks()


def test_text_and_workbook_that_say_the_same_do_not_contradict(office: Office):
    rows = pupils(1, 2, 3)
    found = office.offer({"a.csv": csv_of(*rows), "b.xlsx": xlsx_bytes({"Blad1": table(rows)})})
    assert sorted(one.status for one in found.values()) == ["accepted", "superseded"]
    assert len(office.counting()) == 1
    assert office.workbooks() == {}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (pupils(1) + pupils(2, schooljaar="2024-2025"), "meer dan één schooljaar"),
        (pupils(1) + pupils(2, vestiging="01FX00"), "meer dan één vestiging"),
        ([line(1), line(2, datum="03-10-2025")], "meer dan één maand"),
        ([line(1, datum="02-09-2024")], "De maand 2024-09 valt niet in het schooljaar 2025-2026"),
    ],
    ids=["year", "school", "month", "month of another year"],
)
def test_a_file_about_something_else_than_it_says_is_refused_whole(office: Office, rows: list[Row], reason: str):
    good = {"goed.csv": csv_of(*pupils(7)), "uren.csv": csv_of(line(7))}
    office.offer(good)
    kept = [office.counting(), office.counting("provider_timesheets")]
    found = office.offer({"fout.csv": csv_of(*rows)}, NEXT_DAY)["fout.csv"]
    assert (found.status, found.rows_accepted) == ("refused", 0)
    assert reason in (found.reason or "")
    assert [office.counting(), office.counting("provider_timesheets")] == kept
    assert list(office.workbooks()) == [found.label]


def test_timesheets_that_miss_a_week_delivered_earlier_are_refused(office: Office):
    weeks = [line(1, datum="02-09-2025"), line(1, datum="09-09-2025"), line(1, datum="23-09-2025")]
    office.offer({"a.csv": csv_of(*weeks)})
    two = [line(1, datum="09-09-2025", uren="8,0"), line(1, datum="23-09-2025")]
    late = office.offer({"b.csv": csv_of(*two)}, NEXT_DAY)["b.csv"]
    assert late.status == "refused"
    assert "mist week 36" in (late.reason or "")
    more = office.offer({"c.csv": csv_of(*weeks, line(1, datum="16-09-2025"))}, NEXT_DAY)["c.csv"]
    assert office.counting("provider_timesheets") == [more.label]


def test_of_every_file_the_records_add_up(office: Office):
    beside = [
        ["Leerlingen van onze school"],
        [],
        *table(pupils(1, 2) + pupils(3, **WRONG_DATE)),
        [],
        ["Totaal", "", "3"],
    ]
    found = office.offer(
        {
            "a.xlsx": xlsx_bytes({"Leerlingen": beside, "Toelichting": [["Niets bijzonders"]]}),
            "b.csv": csv_of(line(1), line(1), line(2, uren="veel")),
            "c.csv": csv_of(indication(1), indication(2, pgn="123")),
        }
    )
    assert {one.status for one in found.values()} == {"partly_accepted"}
    rows = office.home.warehouse.rows("deliveries")
    assert len(rows) == 3
    for row in rows:
        assert row["records_in"] == row["records_beside"] + row["rows_in"]
        assert row["rows_in"] == row["rows_accepted"] + row["rows_quarantined"]
    (first,) = [row for row in rows if row["source"] == "pupil_registrations"]
    assert (first["rows_accepted"], first["rows_quarantined"]) == (2, 1)
    assert first["records_beside"] >= 4, "title, headers, total and the sheet beside"


def test_what_two_files_say_of_each_other_follows_the_setup_that_counts(
    office: Office, money_files: Drop, tmp_path: Path
):
    """A class is added to the setup, or goes out of it: nobody sends a timesheet again, and nothing is read again."""
    (book,) = [name for name in money_files if name.startswith("inrichting")]
    (tmp_path / book).write_bytes(money_files[book])
    classes = [r[:2] for r in openpyxl.load_workbook(tmp_path / book)["klassen"].iter_rows(values_only=True)]
    code = next(c for school, c in classes if school == "02ZX00" and [one for _, one in classes].count(c) == 1)
    sheets = {"uren.csv": csv_of(line(1, agb="41415701", klas=code), line(2, agb="41415701", klas="NIEUW-1"))}
    label = office.offer(sheets)["uren.csv"].label
    assert office.rules() == set(), "no setup, nothing to say"
    entry = office.home.warehouse.manifest(source="provider_timesheets")

    office.offer({book: money_files[book]})
    assert office.rules() == {"class_known"}
    first = office.workbooks()
    assert set(first) == {label}, "it counts, and its sender is told"
    cell_changed(tmp_path / book, tmp_path / "new" / book, sheet="klassen", row_of=code, column="klas", value="NIEUW-1")
    office.offer({book: (tmp_path / "new" / book).read_bytes()}, NEXT_DAY)
    (found,) = office.home.warehouse.rows("quarantine")
    assert (found["rule"], found["severity"], found["row_number"]) == ("class_known", "warning", 2), "the other one now"
    assert office.home.warehouse.manifest(source="provider_timesheets") == entry
    assert set(office.workbooks()) == {label}
    assert office.workbooks() != first, "it tells what is so now"


def test_two_files_that_contradict_count_neither_block_the_year_and_are_resolved(
    office_anywhere: Office, money_files: Drop
):
    office = office_anywhere
    (name,) = [n for n in money_files if n.startswith("leerlingen-01FX00")]
    wrong = money_files[name].replace(b";Loon op Zand;", b";Waalwijk;", 1)
    assert wrong != money_files[name]
    both = office.offer(money_files | {"tweede.csv": wrong})
    assert [both[one].status for one in (name, "tweede.csv")] == ["contradicting", "contradicting"]
    assert both[name].label not in office.counting()
    assert set(office.workbooks()) >= {both[name].label, both["tweede.csv"].label}

    year.publish_decisions(office.home, YEAR)
    points = office.home.warehouse.rows("worklist", school_year=YEAR)
    named = {row["row_ref"] for row in points if row["reason"] == "contradicting_files"}
    assert named == {both[name].label, both["tweede.csv"].label}
    with pytest.raises(EstablishmentBlocked, match="spreken elkaar tegen"):
        year.publish_figures(office.home, YEAR)

    before = office.stored()
    assert office.offer(money_files | {"tweede.csv": wrong})["tweede.csv"].status == "contradicting", (
        "as long as both lie there"
    )
    assert office.stored() == before

    right = office.offer(money_files, NEXT_DAY)
    assert right[name].status == "accepted"
    assert right[name].label in office.counting()
    assert office.statuses() == {"accepted": len(money_files), "refused": 1}
    year.publish_decisions(office.home, YEAR)
    assert office.home.warehouse.rows("worklist", school_year=YEAR, reason="contradicting_files") == []
    assert year.publish_figures(office.home, YEAR).tables["municipal_shares"]


def contradicting(*numbers: int) -> Drop:
    return {f"{number}.csv": csv_of(*pupils(number)) for number in numbers}


def test_a_run_cut_off_after_its_commit_has_withdrawn_the_wrong_one_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    class Killed(BaseException):
        pass

    def cut_off(*_: object) -> None:
        raise Killed

    office.offer(contradicting(1, 2))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("zio_pipeline.stages.receiving._mark_superseded", cut_off)
        office.offer(contradicting(2), NEXT_DAY)
    office.offer(contradicting(2), NEXT_DAY)
    assert office.statuses() == {"accepted": 1, "refused": 1}
    (workbook,) = office.workbooks()
    assert office.home.warehouse.rows("deliveries", label=workbook)[0]["reason"].startswith("Een ander bestand")


def test_reading_again_what_counts_does_not_settle_a_contradiction(office: Office, monkeypatch: pytest.MonkeyPatch):
    office.offer(contradicting(1))
    office.offer(contradicting(2, 3), NEXT_DAY)
    for module in ("receiving", "rereading"):
        monkeypatch.setattr(f"zio_pipeline.stages.{module}.PARSER_VERSION", "99")
    assert len(reread(office.home).files) == 1
    assert office.statuses() == {"accepted": 1, "contradicting": 2}
