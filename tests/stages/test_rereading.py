"""Reading again: offered, complete, counted per file; and what was signed for stays as it was signed."""

import base64
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from resources.home import Home
from tests.intake.files import csv_of, line, pupil
from tests.region import unaudited
from zio_pipeline.cli import main
from zio_pipeline.demo import generate
from zio_pipeline.intake import PARSER_VERSION, Delivery, take_in_all
from zio_pipeline.intake.delivery import refusal_of
from zio_pipeline.privacy import Keys
from zio_pipeline.stages import establishing, receiving, year
from zio_pipeline.stages.inputs import later_files
from zio_pipeline.stages.receiving import receive
from zio_pipeline.stages.rereading import Counts, outdated, reread
from zio_pipeline.stages.retention import remove_expired
from zio_pipeline.stages.standing import accepted_rows

YEAR, ON = "2025-2026", date(2025, 7, 1)
PROOFS = {"provider_timesheets", "provider_claims", "pupil_absence"}
"""What comes after the establishment and changes no amount: a newer reading of it is welcome."""
READ_BADLY, READ_WELL = csv_of(pupil(1), pupil(2, geboortedatum="31-02-2012")), csv_of(pupil(1), pupil(2))
Reader = Callable[[Sequence[bytes], Keys], list[Delivery]]


@pytest.fixture(autouse=True)
def without_audit() -> Iterator[None]:
    with unaudited():
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A pupil file and a timesheet, read by a reader that could not read one of the birth dates."""
    home = Home.open(tmp_path / "home", {})
    (home.inbox / "pupils.csv").write_bytes(READ_WELL)
    (home.inbox / "hours.csv").write_bytes(csv_of(line(1), line(2, uren="veel")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receiving, "take_in_all", badly)
        patch.setattr(receiving, "PARSER_VERSION", "0")
        receive(home, home.inbox, ON)
    for path in home.inbox.iterdir():
        path.unlink()
    return home


def badly(files: Sequence[bytes], keys: Keys) -> list[Delivery]:
    """The reader of long ago."""
    shas = [sha256(data).hexdigest() for data in files]
    found = take_in_all([READ_BADLY if data == READ_WELL else data for data in files], keys)
    return [
        replace(one, content_sha256=sha, label=one.label.replace(one.content_sha256[:8], sha[:8]))
        for one, sha in zip(found, shas, strict=True)
    ]


@pytest.fixture(scope="module")
def established(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A home in which a fictitious year was signed for; of its timesheets those of September only."""
    return made_once("established-with-september", establish)


def establish(folder: Path) -> None:
    home = Home.open(folder, {})
    generate(home.inbox, YEAR, 60, 5)
    for path in home.inbox.glob("urenstaat-*"):
        if "2025-09" not in path.name:
            path.unlink()
    with unaudited():
        receive(home, home.inbox, ON)
        assert establishing.establish_if_fictitious(home, YEAR, ON)
    for path in home.inbox.iterdir():
        path.unlink()


@pytest.fixture
def signed(established: Path, tmp_path: Path) -> Home:
    shutil.copytree(established, tmp_path / "signed")
    return Home.open(tmp_path / "signed", {})


def with_a_newer_reader(monkeypatch: pytest.MonkeyPatch, version: str = "99") -> None:
    for module in ("receiving", "rereading"):
        monkeypatch.setattr(f"zio_pipeline.stages.{module}.PARSER_VERSION", version)


def with_another_pseudonym_key(home: Home) -> Home:
    """As the runbook says: the key file with another key in it."""
    path = home.folder / "vault" / "keys" / "zio-keys.json"
    stored = json.loads(path.read_text()) | {"pseudonym_key": base64.b64encode(b"n" * 32).decode()}
    path.write_text(json.dumps(stored))
    return Home.open(home.folder, {})


def command(home: Home, *arguments: str) -> int:
    return main(["--home", str(home.folder), *arguments])


def test_reading_again_says_per_file_what_changed(home: Home, capsys):
    assert [entry.source for entry in outdated(home)] == ["provider_timesheets", "pupil_registrations"]
    assert command(home, "status", "--school-year", YEAR) == 0
    assert "2 bestanden zijn met een oudere lezer ingenomen; herlees ze met zio reread." in capsys.readouterr().out
    assert len(list(home.feedback.iterdir())) == 2

    found = reread(home)
    assert found.gone == ()
    hours, pupils = found.files
    assert (hours.before, hours.after, hours.status) == (Counts(2, 1, 1), Counts(2, 1, 1), "partly_accepted")
    assert (pupils.before, pupils.after, pupils.status) == (Counts(2, 1, 1), Counts(2, 2, 0), "accepted")
    (entry,) = home.warehouse.active("pupil_registrations", YEAR)
    assert (entry.parser_version, entry.received_on) == (PARSER_VERSION, ON), "received when it was received"
    assert len(accepted_rows(home, entry, "pupil_registrations")) == 2
    assert [row["rule"] for row in home.warehouse.rows("quarantine")] == ["duration"]
    assert [path.stem for path in home.feedback.iterdir()] == [hours.label]
    assert {row["status"] for row in home.warehouse.rows("deliveries")} == {"accepted", "partly_accepted"}

    assert outdated(home) == []
    assert reread(home).files == ()
    assert command(home, "status", "--school-year", YEAR) == 0
    assert "oudere lezer" not in capsys.readouterr().out


def test_the_command_shows_it_and_takes_one_source(home: Home, capsys):
    assert command(home, "reread", "--source", "pupil_registrations") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "│ aanvaard │ 2 │ 1 → 2 │ 1 → 0 │" in shown
    assert "1 bestand herlezen, bij 1 daarvan veranderde iets." in shown
    assert [entry.source for entry in outdated(home)] == ["provider_timesheets"]
    assert command(home, "reread") == 0
    assert "1 bestand herlezen, bij 0 daarvan veranderde iets." in capsys.readouterr().out
    assert outdated(home) == []


def test_the_workbook_for_the_sender_follows_the_new_reading(home: Home, monkeypatch: pytest.MonkeyPatch):
    (path,) = home.feedback.glob("provider_timesheets-*")
    path.write_bytes(b"of the reader before")
    reread(home)
    (path,) = home.feedback.glob("provider_timesheets-*")
    assert path.read_bytes().startswith(b"PK")


def test_what_the_reader_of_today_refuses_keeps_counting_and_is_not_offered_again(home: Home, monkeypatch, capsys):
    def refusing(files: Sequence[bytes], keys: Keys) -> list[Delivery]:
        return [refusal_of(one, "Nu niet meer.") for one in take_in_all(files, keys)]

    before = home.warehouse.active("pupil_registrations", YEAR)
    monkeypatch.setattr(receiving, "take_in_all", refusing)
    assert command(home, "reread") == 1
    assert "Nu niet meer. De eerdere lezing blijft gelden." in capsys.readouterr().out
    assert home.warehouse.active("pupil_registrations", YEAR) == before
    assert len(accepted_rows(home, before[0], "pupil_registrations")) == 1
    assert outdated(home) == []


def test_a_file_whose_bytes_are_gone_is_named_and_stays_as_it_is(home: Home, capsys):
    before = home.warehouse.manifest()
    remove_expired(home, date(2030, 1, 1))
    found = reread(home)
    assert found.files == ()
    assert found.gone == tuple(sorted(entry.label for entry in before))
    assert home.warehouse.manifest() == before
    assert command(home, "reread") == 1
    assert "Laat het opnieuw aanleveren" in capsys.readouterr().out


def test_a_run_that_is_cut_off_before_the_commit_changed_nothing(home: Home, monkeypatch: pytest.MonkeyPatch):
    class Killed(BaseException):
        pass

    def cut_off(*_: object) -> None:
        raise Killed

    before = [home.warehouse.manifest(), home.warehouse.rows("deliveries"), home.warehouse.rows("quarantine")]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(receiving, "settled", cut_off)
        reread(home)
    assert [home.warehouse.manifest(), home.warehouse.rows("deliveries"), home.warehouse.rows("quarantine")] == before
    assert len(reread(home).files) == 2
    stems = {name.rpartition("-")[0] for name in home.vault.names()}
    assert len(stems) == 4, "two readings of two files, and no orphan"


def test_a_superseded_file_is_not_read_again(home: Home):
    (home.inbox / "later.csv").write_bytes(csv_of(pupil(1), pupil(2), pupil(3)))
    receive(home, home.inbox, date(2025, 7, 2))
    assert [entry.source for entry in outdated(home)] == ["provider_timesheets"]
    reread(home)
    (entry,) = home.warehouse.active("pupil_registrations", YEAR)
    assert len(accepted_rows(home, entry, "pupil_registrations")) == 3


def test_an_established_year_keeps_the_readings_that_were_signed(signed: Home, monkeypatch: pytest.MonkeyPatch):
    receipt = signed.warehouse.establishment(YEAR)
    tables = {name: signed.warehouse.export_csv(name) for name in year.FINANCE_TABLES}
    with_a_newer_reader(monkeypatch)
    assert {entry.source for entry in outdated(signed)} == PROOFS
    assert {file.label.split("-")[0] for file in reread(signed).files} == PROOFS
    assert outdated(signed) == []
    assert {e.parser_version for e in signed.warehouse.active("provider_timesheets", YEAR)} == {"99"}
    assert {e.parser_version for e in signed.warehouse.active("pupil_registrations", YEAR)} == {PARSER_VERSION}
    year.publish_figures(signed, YEAR)  # recomputed, and compared with what was signed
    assert signed.warehouse.establishment(YEAR) == receipt
    assert {name: signed.warehouse.export_csv(name) for name in year.FINANCE_TABLES} == tables
    assert later_files(signed, YEAR) == []


def test_files_offered_again_to_a_newer_reader_do_not_change_what_was_signed_either(
    signed: Home, monkeypatch: pytest.MonkeyPatch
):
    generate(signed.inbox, YEAR, 60, 5)
    for path in signed.inbox.glob("urenstaat-*"):
        path.unlink()
    with_a_newer_reader(monkeypatch)
    assert all(one.new for one in receive(signed, signed.inbox, ON))
    assert {e.parser_version for e in signed.warehouse.active("pupil_registrations", YEAR)} == {"99"}
    year.publish_figures(signed, YEAR)


def test_another_pseudonym_key_is_followed_by_reading_the_open_year_again(signed: Home, tmp_path: Path, capsys):
    """The runbook: the key changes between school years; the files of the open year are read again from the vault."""
    generate(tmp_path / "next", "2026-2027", 60, 6)
    for path in (tmp_path / "next").glob("urenstaat-*"):
        path.unlink()
    receive(signed, tmp_path / "next", date(2026, 6, 30))
    old = year.publish_decisions(signed, "2026-2027")

    home = with_another_pseudonym_key(signed)
    assert home.keys.key_id != signed.keys.key_id
    offered = outdated(home)
    assert {e.source for e in offered if e.school_year == YEAR} == PROOFS
    assert len([e for e in offered if e.school_year == "2026-2027" and e.source not in PROOFS]) == 4
    assert command(home, "status", "--school-year", YEAR) == 0
    assert (
        f"{len(offered)} bestanden zijn met een andere pseudoniemsleutel ingenomen; herlees ze met zio reread."
        in capsys.readouterr().out
    )
    assert command(home, "reread") == 0
    assert {e.key_id for e in home.warehouse.active("pupil_registrations", "2026-2027")} == {home.keys.key_id}

    new = year.publish_decisions(home, "2026-2027")
    assert {d.pupil for d in new.decisions}.isdisjoint(d.pupil for d in old.decisions), (
        "every pupil has another pseudonym"
    )
    assert new.counts() == old.counts()
    assert len(new.worklist) == len(old.worklist)
    year.publish_figures(home, YEAR)
    assert {e.key_id for e in home.warehouse.active("pupil_registrations", YEAR)} == {signed.keys.key_id}
