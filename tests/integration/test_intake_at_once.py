"""The same folder taken in by several processes at once, from the first opening of the home on: every file once."""

from collections import Counter
from datetime import date
from pathlib import Path

from resources.home import Home
from tests.intake.files import csv_of, indication, line, pupil
from zio_pipeline.stages.receiving import receive

RECEIVE = """
from resources.home import Home
from zio_pipeline.stages import receiving

receiving.audit_deliveries = lambda *_, **__: None  # as long as the rest together, and not about who is first
barrier.wait()
home = Home.open(folder, {"ZIO_WAREHOUSE_URL": url})
for one in receiving.receive(home, folder / "inbox", on):
    if one.new:
        (folder / f"new-{one.label}").open("a").write("x")
"""
ON = date(2025, 7, 1)
FILES = {
    "a.csv": csv_of(pupil(1), pupil(2, geboortedatum="31-02-2012")),
    "b.csv": csv_of(indication(1)),
    "c.csv": csv_of(line(1), line(2, uren="veel")),
    "d.csv": b"niets",
    "e.csv": csv_of(pupil(3, vestiging="01FX00")),
    "f.csv": csv_of(pupil(4, vestiging="01FX00")),
}


def test_two_processes(warehouse_url: str, tmp_path: Path, in_processes, monkeypatch):
    every_file_is_taken_in_once(2, warehouse_url, tmp_path, in_processes, monkeypatch)


def test_eight_processes(sqlite_url: str, tmp_path: Path, in_processes, monkeypatch):
    every_file_is_taken_in_once(8, sqlite_url, tmp_path, in_processes, monkeypatch)


def every_file_is_taken_in_once(count: int, warehouse_url: str, tmp_path: Path, in_processes, monkeypatch):
    folder = tmp_path / "home"
    (folder / "inbox").mkdir(parents=True)
    for name, data in FILES.items():
        (folder / "inbox" / name).write_bytes(data)
    for process in in_processes(RECEIVE, count, folder=folder, url=warehouse_url, on=ON):
        process.join(120)
        assert process.exitcode == 0

    monkeypatch.setattr("zio_pipeline.stages.receiving.audit_deliveries", lambda *_, **__: None)
    alone = Home.open(tmp_path / "alone", {"ZIO_WAREHOUSE_URL": f"sqlite:///{tmp_path / 'alone.db'}"})
    receive(alone, folder / "inbox", ON)
    home = Home.open(folder, {"ZIO_WAREHOUSE_URL": warehouse_url})
    rows = home.warehouse.rows("deliveries")
    assert rows == alone.warehouse.rows("deliveries")
    assert home.warehouse.rows("quarantine") == alone.warehouse.rows("quarantine")
    assert Counter(row["status"] for row in rows) == {
        "accepted": 1,
        "partly_accepted": 2,
        "refused": 1,
        "contradicting": 2,
    }
    entries = home.warehouse.manifest()
    assert sorted(e.label for e in entries) == sorted(r["label"] for r in rows if r["status"] != "contradicting")
    assert [e.sequence for e in entries] == [1, 2, 3, 4]
    assert home.vault.raw_names() == sorted(row["content_sha256"] for row in rows)
    assert _without_key(home) == _without_key(alone)
    assert {p.name for p in home.feedback.iterdir()} == {p.name for p in alone.feedback.iterdir()}
    assert not list(folder.rglob("*.tmp"))
    # Files that contradict each other are looked at again by everybody, as long as they lie there.
    taken = {p.name.removeprefix("new-"): p.stat().st_size for p in folder.glob("new-*")}
    assert taken == {r["label"]: count if r["status"] == "contradicting" else 1 for r in rows}


def _without_key(home: Home) -> list[str]:
    return [name.replace(home.keys.key_id, "key") for name in home.vault.names()]
