"""Retention: what senders wrote goes in time, never without a record, and nothing that the settlement needs goes with it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from resources import vault
from resources.home import Home
from tests.intake.files import csv_of, line, pupil
from tests.killing import Killed, killed_at
from tests.region import unaudited
from zio_pipeline.cli import main
from zio_pipeline.errors import ZioError
from zio_pipeline.stages import receiving, retention
from zio_pipeline.stages.receiving import receive
from zio_pipeline.stages.retention import KEEP_DAYS, remove_expired
from zio_pipeline.stages.standing import accepted_rows, quarantined_rows

ON = date(2025, 7, 1)
LAST_DAY, EXPIRED = ON + timedelta(KEEP_DAYS), ON + timedelta(KEEP_DAYS + 1)
BAD = csv_of(pupil(1), pupil(2, geboortedatum="31-02-2012"))
GOOD = csv_of(line(1), line(2))
NOBODY = b"geen leerling te bekennen"
PERSONAL = b"31-02-2012"


@pytest.fixture
def home(tmp_path: Path, soaked_url: str) -> Iterator[Home]:
    """Three files, one of which counts whole; nothing is audited. In `make soak` on both databases."""
    with unaudited():
        yield with_files(tmp_path, soaked_url)


@pytest.fixture
def audited_home(tmp_path: Path, warehouse_url: str) -> Home:
    """The same on both databases in every run of the tests; what is published of it is audited."""
    with unaudited():
        return with_files(tmp_path, warehouse_url)


@pytest.fixture
def without_audit() -> Iterator[None]:
    with unaudited():
        yield


def with_files(folder: Path, url: str) -> Home:
    opened = Home.open(folder / "home", {"ZIO_WAREHOUSE_URL": url})
    for name, data in {"bad.csv": BAD, "good.csv": GOOD, "nobody.txt": NOBODY}.items():
        (opened.inbox / name).write_bytes(data)
    receive(opened, opened.inbox, ON)
    return opened


def left(home: Home) -> Counter[str]:
    """What senders wrote and is still here."""
    return Counter(
        raw_bytes=len(home.vault.raw_names()),
        raw_rows=sum(name.endswith("-raw") for name in home.vault.names()),
        terugmelding=len(list(home.feedback.iterdir())),
    )


def recorded(home: Home) -> list[tuple[str, str, date]]:
    return [(row["what"], row["label"], row["removed_on"]) for row in home.warehouse.rows("removals")]


def test_the_period_is_kept_to_the_day(audited_home: Home):
    home = audited_home
    assert remove_expired(home, LAST_DAY) == []
    assert left(home) == {"raw_bytes": 3, "raw_rows": 1, "terugmelding": 2}
    assert recorded(home) == []
    removed = remove_expired(home, EXPIRED)
    assert Counter(row["what"] for row in removed) == {"raw_bytes": 3, "raw_rows": 1, "terugmelding": 2}
    assert left(home).total() == 0
    assert sorted(recorded(home)) == sorted((r["what"], r["label"], EXPIRED) for r in removed)
    assert {(r["received_on"], r["rule"]) for r in removed} == {(ON, f"ontvangen meer dan {KEEP_DAYS} dagen eerder")}
    labels = {row["content_sha256"]: row["label"] for row in home.warehouse.rows("deliveries")}
    assert {r["content_sha256"]: r["label"] for r in removed} == labels


def test_what_the_settlement_needs_stays(home: Home):
    def needed() -> list[Any]:
        (pupils,) = home.warehouse.active("pupil_registrations", "2025-2026")
        (hours,) = home.warehouse.active("provider_timesheets", "2025-2026")
        rows = [
            accepted_rows(home, pupils, "pupil_registrations"),
            quarantined_rows(home, pupils),
            accepted_rows(home, hours, "provider_timesheets"),
        ]
        assert list(map(len, rows)) == [1, 1, 2]
        return [rows, [home.warehouse.rows(name) for name in ("deliveries", "quarantine")], home.warehouse.manifest()]

    before = needed()
    remove_expired(home, EXPIRED)
    assert needed() == before


def test_again_changes_nothing_and_the_same_bytes_are_still_known(home: Home):
    remove_expired(home, EXPIRED)
    first = home.warehouse.rows("removals")
    assert remove_expired(home, EXPIRED + timedelta(30)) == []
    assert not any(one.new for one in receive(home, home.inbox, EXPIRED))
    assert left(home).total() == 0, "neither the bytes nor the workbook comes back"
    assert remove_expired(home, EXPIRED + timedelta(999)) == []
    assert home.warehouse.rows("removals") == first


def test_bytes_that_a_newer_reader_reads_anew_were_not_received_anew(home: Home, monkeypatch: pytest.MonkeyPatch):
    remove_expired(home, EXPIRED)
    monkeypatch.setattr(receiving, "PARSER_VERSION", "99")
    assert all(one.new for one in receive(home, home.inbox, EXPIRED))
    assert left(home) == {"raw_bytes": 3, "raw_rows": 1, "terugmelding": 2}, "they still lay in the inbox"
    later = EXPIRED + timedelta(1)
    assert len(remove_expired(home, later)) == 6
    assert left(home).total() == 0
    assert {removed_on for _, _, removed_on in recorded(home)} == {later}
    assert len(recorded(home)) == 6


def work(**values: Any) -> dict[str, Any]:
    row = {"school_year": "2025-2026", "item_id": "1", "reason": "quarantined_row", "order_id": None, "subject": None}
    return row | {"row_ref": None, "explanation": "fictief", "blocking": True, "decision_id": None} | values


def test_files_with_an_open_point_stay_until_it_is_settled(home: Home):
    (pupils,) = home.warehouse.active("pupil_registrations", "2025-2026")
    for row_ref in (f"{pupils.label}:3", f"{pupils.label}:Blad1:3", pupils.label):
        home.warehouse.replace({"worklist": [work(row_ref=row_ref)]})
        remove_expired(home, EXPIRED)
        assert left(home) == {"raw_bytes": 1, "raw_rows": 1, "terugmelding": 1}, row_ref
    home.warehouse.replace({"worklist": [work(row_ref=pupils.label, decision_id="B1", blocking=False)]})
    remove_expired(home, EXPIRED)
    assert left(home).total() == 0


def test_an_open_point_that_names_no_file_keeps_those_of_its_year(home: Home):
    home.warehouse.replace({"worklist": [work(reason="class_size")]})
    remove_expired(home, EXPIRED)
    assert left(home) == {"raw_bytes": 2, "raw_rows": 1, "terugmelding": 1}, "what nobody recognised is of no year"


def test_files_that_contradict_each_other_stay(home: Home):
    for name, number in (("x.csv", 5), ("y.csv", 6)):
        (home.inbox / name).write_bytes(csv_of(pupil(number, vestiging="01FX00")))
    receive(home, home.inbox, ON)
    remove_expired(home, EXPIRED)
    assert left(home) == {"raw_bytes": 2, "raw_rows": 0, "terugmelding": 2}
    (home.inbox / "y.csv").unlink()
    receive(home, home.inbox, EXPIRED)
    remove_expired(home, EXPIRED)
    assert left(home) == {"raw_bytes": 1, "raw_rows": 0, "terugmelding": 0}, "the one that counts now was just received"


def test_bytes_of_a_run_that_was_cut_off_and_never_came_again_go_too(home: Home):
    home.vault.put_bytes("f" * 64, PERSONAL)
    stored = home.vault.bytes_since("f" * 64)
    remove_expired(home, stored + timedelta(KEEP_DAYS))
    assert "f" * 64 in home.vault.raw_names()
    remove_expired(home, stored + timedelta(KEEP_DAYS + 1))
    assert home.vault.raw_names() == []
    (row,) = home.warehouse.rows("removals", content_sha256="f" * 64)
    assert (row["what"], row["label"], row["received_on"]) == ("raw_bytes", "unknown-ffffffff", stored)


def test_the_record_and_the_folder_hold_nothing_personal(home: Home, tmp_path: Path):
    written = b"".join(path.read_bytes() for path in home.folder.rglob("*.xlsx"))
    assert written
    remove_expired(home, EXPIRED)
    record = home.warehouse.export_csv("removals")
    assert record.count(b"\n") == 7
    assert PERSONAL not in record
    assert b"200000" not in record
    assert not list(home.feedback.iterdir())


STEPS = ((retention, "publish"), (Path, "unlink"), (retention, "sync_folder"), (vault, "sync_folder"))
"""Every write of the record and of a folder, and every removal."""


def test_a_kill_at_any_moment_leaves_nothing_without_record_and_the_next_run_finishes(tmp_path: Path, without_audit):
    for moment in count(1):
        home = Home.open(tmp_path / str(moment), {})
        (home.inbox / "bad.csv").write_bytes(BAD)
        receive(home, home.inbox, ON)
        everything = left(home)
        assert everything.total() == 3
        with killed_at(moment, *STEPS) as reached, suppress(Killed):
            remove_expired(home, EXPIRED)
        finished = len(reached) < moment - 1
        gone = everything - left(home)
        assert gone <= Counter(row["what"] for row in home.warehouse.rows("removals"))
        if moment % 2:
            receive(home, home.inbox, EXPIRED)  # an ordinary run in between
        remove_expired(home, EXPIRED + timedelta(1))
        assert left(home).total() == 0
        assert Counter(row["what"] for row in home.warehouse.rows("removals")) == everything
        if finished:
            break
    assert moment > 6, "the record, three removals and the folders were all reached"


def test_a_record_of_what_may_not_go_any_more_is_taken_back(home: Home, monkeypatch: pytest.MonkeyPatch):
    def cut_off(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(retention, "_remove", cut_off)
        remove_expired(home, EXPIRED)
    assert len(recorded(home)) == 6
    assert remove_expired(home, EXPIRED, KEEP_DAYS + 100) == []
    assert recorded(home) == []
    assert left(home).total() == 6


def test_the_command_says_what_it_did_and_refuses_a_day_to_come(home: Home, soaked_url: str, monkeypatch, capsys):
    monkeypatch.setenv("ZIO_WAREHOUSE_URL", soaked_url)
    monkeypatch.setattr("resources.clock.today", lambda: EXPIRED)

    def command(*arguments: str) -> int:
        return main(["--home", str(home.folder), "retention", *arguments])

    assert command("--as-of", str(EXPIRED + timedelta(1))) == 1
    assert "ligt in de toekomst" in capsys.readouterr().err
    assert command("--as-of", str(EXPIRED), "--keep-days", "-1") == 1
    assert left(home).total() == 6
    assert command("--as-of", str(EXPIRED)) == 0
    shown = capsys.readouterr().out
    assert "bestand zoals verstuurd, 3 keer" in shown
    assert "6 verwijderingen" in shown
    assert command("--as-of", str(EXPIRED)) == 0
    assert "niets verlopen" in capsys.readouterr().out


def test_a_period_is_not_negative(home: Home):
    with pytest.raises(ZioError, match="bewaartermijn"):
        remove_expired(home, EXPIRED, -1)
