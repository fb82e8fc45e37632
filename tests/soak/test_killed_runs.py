"""`zio run` killed at random moments: the next run finishes the work, books nothing twice and leaves nothing behind."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resources.home import Home
from zio_pipeline.contracts import products
from zio_pipeline.demo import generate

pytestmark = [pytest.mark.soak, pytest.mark.skipif("ZIO_SOAK" not in os.environ, reason="only in `make soak`")]
YEAR, KILLS = "2025-2026", 12


def start(home: Path, inbox: Path) -> subprocess.Popen:
    command = [
        "-m",
        "zio_pipeline.cli",
        "--home",
        str(home),
        "run",
        "--inbox",
        str(inbox),
        "--school-year",
        YEAR,
        "--as-of",
        "2026-07-31",
    ]
    return subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, float]:
    folder = tmp_path_factory.mktemp("undisturbed")
    generate(folder / "inbox", YEAR, 60, 11)
    home = folder / "home"
    Home.open(home, {})  # makes the keys that every copy shares, so that pseudonyms are equal
    shutil.copytree(home / "vault" / "keys", folder / "keys")
    began = time.monotonic()
    assert start(home, folder / "inbox").wait() == 0
    return folder, home, time.monotonic() - began


@pytest.mark.parametrize("moment", [random.Random(n).random() for n in range(KILLS)])
def test_a_run_that_is_killed_and_run_again_ends_like_an_undisturbed_one(moment: float, undisturbed, tmp_path: Path):
    folder, whole, seconds = undisturbed
    shutil.copytree(folder / "keys", tmp_path / "vault" / "keys")
    (tmp_path / "vault").chmod(0o700)
    process = start(tmp_path, folder / "inbox")
    time.sleep(moment * seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert start(tmp_path, folder / "inbox").wait() == 0
    ended, expected = Home.open(tmp_path, {}), Home.open(whole, {})
    for name in products():
        assert ended.warehouse.export_csv(name) == expected.warehouse.export_csv(name), name
    assert ended.ledger.posted(YEAR) == expected.ledger.posted(YEAR)
    assert ended.vault.names() == expected.vault.names(), "no orphan, and nothing half"
    assert ended.verify() == []
