"""Intake killed at random moments: taken in again, everything ends as if nothing had happened, and nothing is left behind.

By the clock most kills fall in reading and auditing. So half of them are chosen by what is written instead: right before the
n-th flush, rename, removal or commit.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resources.home import Home
from tests.intake.files import csv_of, indication, line, pupil, table, xlsx_bytes
from zio_pipeline.demo import generate
from zio_pipeline.payer import decide_payers
from zio_pipeline.setup import read_setup
from zio_pipeline.stages.year import year_inputs

YEAR = "2025-2026"
BY_CLOCK = BY_WRITE = 10
DATABASE = {"warehouse.db-wal", "warehouse.db-shm"}

DIRTY = {
    "half.xlsx": xlsx_bytes({"Blad1": table([pupil(1)])})[:-500],
    "leeg.csv": b"",
    "brief.txt": b"Geachte heer, bijgaand de lijst.\x00",
    "ander-jaar.csv": csv_of(line(1, datum="02-09-2024")),
    "slecht.csv": csv_of(line(1), line(1), line(2, uren="veel"), line(3, klas="")),
    "tegenspraak-1.csv": csv_of(pupil(5, vestiging="09ZX00")),
    "tegenspraak-2.csv": csv_of(pupil(6, vestiging="09ZX00")),
    "wlz-oud.csv": csv_of(indication(7, dagtekening="01-02-2025")),
}


class Nursery:
    """Takes folders in, in a process of its own, and kills that when asked to."""

    def __init__(self, inbox: Path, keys: Path, *, audit: bool):
        self.inbox, self.keys, self.audit = inbox, keys, audit
        command = [sys.executable, "-m", "tests.soak.nursery"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def intake(self, home: Path, **kill: float) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        if not home.exists():
            shutil.copytree(self.keys, home / "vault" / "keys")  # shared, so that pseudonyms and names are equal
            home.chmod(0o700)
        job = {"home": str(home), "inbox": str(self.inbox), "audit": self.audit, **kill}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)


def nursery(folder: Path, inbox: Path, *, audit: bool) -> Iterator[Nursery]:
    Home.open(folder / "first", {})
    shutil.copytree(folder / "first" / "vault" / "keys", folder / "keys")
    made = Nursery(inbox, folder / "keys", audit=audit)
    yield made
    made.close()


def state(folder: Path) -> dict[str, Any]:
    """Everything that a file may come to, and the name of everything that lies in the home."""
    home = Home.open(folder, {})
    places = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {
        "tables": [home.warehouse.rows(name) for name in ("deliveries", "quarantine")],
        "manifest": sorted(map(repr, (replace(entry, sequence=0) for entry in home.warehouse.manifest()))),
        "tables in the vault": {name: home.vault.get(name) for name in home.vault.names()},
        "raw files": {name: home.vault.get_bytes(name) for name in home.vault.raw_names()},
        "workbooks": {path.name: path.read_bytes() for path in home.feedback.iterdir()},
        "pages": {path.name: path.read_bytes() for path in (folder / "data-docs").glob("*")},
        "files": places - DATABASE,
    }


def worklist(folder: Path) -> set[str]:
    inputs = year_inputs(Home.open(folder, {}), YEAR)
    return set(map(repr, decide_payers(read_setup(inputs.sheets), inputs.payer).worklist))


def whole_or_absent(folder: Path) -> None:
    """What a person may come upon between the kill and the next run."""
    home = Home.open(folder, {})
    for name in home.vault.names():
        home.vault.get(name)
    for name in home.vault.raw_names():
        home.vault.get_bytes(name)
    for page in (folder / "data-docs").glob("*.html"):
        assert page.read_text("utf-8").rstrip().endswith("</html>")
    for workbook in (folder / "terugmelding").glob("*.xlsx"):
        assert workbook.read_bytes()[-22:-18] == b"PK\x05\x06", "the end of a zip file"
    shown = {row["content_sha256"] for row in home.warehouse.rows("deliveries")}
    assert {entry.content_sha256 for entry in home.warehouse.manifest()} <= shown


def undisturbed(made: Nursery, home: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """How the intake went, and the state after it and an ordinary run: that looks at contradicting files once more."""
    went = made.intake(home)
    assert went["status"] == made.intake(home)["status"] == 0
    return went, state(home)


def killed_and_taken_in_again(made: Nursery, home: Path, expected: dict[str, Any], **kill: float) -> None:
    killed = made.intake(home, **kill)
    assert killed["status"] in (-signal.SIGKILL, 0), killed
    if (home / "warehouse.db").exists():
        whole_or_absent(home)
    _, ended = undisturbed(made, home)
    for what, value in expected.items():
        assert ended[what] == value, what


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    folder = tmp_path_factory.mktemp("small")
    (folder / "inbox").mkdir()
    for name, data in DIRTY.items():
        (folder / "inbox" / name).write_bytes(data)
    yield from nursery(folder, folder / "inbox", audit=False)


def test_three_kills_of_a_small_intake(small: Nursery, tmp_path: Path):
    """The same in a few seconds: without the audit, killed while vault, warehouse and workbooks are written."""
    went, expected = undisturbed(small, tmp_path / "whole")
    assert len(expected["workbooks"]) == 7, "one for every file that does not count whole"
    for number, part in enumerate((0.3, 0.6, 0.9)):
        killed_and_taken_in_again(small, tmp_path / str(number), expected, write=int(part * went["writes"]))


@pytest.mark.soak
@pytest.mark.skipif("ZIO_SOAK" not in os.environ, reason="only in `make soak`")
def test_a_kill_before_every_single_write_of_a_small_intake(small: Nursery, tmp_path: Path):
    went, expected = undisturbed(small, tmp_path / "whole")
    for number in range(1, went["writes"] + 1):
        killed_and_taken_in_again(small, tmp_path / str(number), expected, write=number)
        shutil.rmtree(tmp_path / str(number))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    folder = tmp_path_factory.mktemp("demo")
    generate(folder / "inbox", YEAR, 60, 11)
    for name, data in DIRTY.items():
        (folder / "inbox" / name).write_bytes(data)
    yield from nursery(folder, folder / "inbox", audit=True)


@pytest.mark.soak
@pytest.mark.skipif("ZIO_SOAK" not in os.environ, reason="only in `make soak`")
def test_kills_at_random_moments_of_a_whole_intake(demo: Nursery, tmp_path: Path):
    went, expected = undisturbed(demo, tmp_path / "whole")
    points = worklist(tmp_path / "whole")
    assert points
    chance = random.Random(2025)
    kills: list[dict[str, float]] = [{"seconds": chance.random() * went["seconds"]} for _ in range(BY_CLOCK)]
    kills += [{"write": chance.randrange(1, went["writes"])} for _ in range(BY_WRITE)]
    for number, kill in enumerate(kills):
        home = tmp_path / str(number)
        killed_and_taken_in_again(demo, home, expected, **kill)
        assert worklist(home) == points
        shutil.rmtree(home)
