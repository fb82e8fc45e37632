"""A whole fictitious school year, settled once per test session by the command people use: `zio run`."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from resources.home import Home
from zio_pipeline.cli import main
from zio_pipeline.demo import DemoYear, generate

SCHOOL_YEAR, AS_OF = "2025-2026", "2026-07-31"


@dataclass(frozen=True)
class SettledYear:
    """A home in which the demo year stands settled; read it, never write it."""

    folder: Path
    inbox: Path
    demo: DemoYear

    @property
    def home(self) -> Home:
        return Home.open(self.folder, {})


def zio_run(home: Path, inbox: Path, *more: str) -> int:
    """`zio run` as a person types it."""
    return main(
        ["--home", str(home), "run", "--inbox", str(inbox), "--school-year", SCHOOL_YEAR, "--as-of", AS_OF, *more]
    )


@pytest.fixture(scope="session")
def settled_year(tmp_path_factory: pytest.TempPathFactory) -> SettledYear:
    """The demo year of `make run`: 1030 pupils, seed 1, every term booked on its own due date."""
    shared = (
        tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else tmp_path_factory.getbasetemp()
    )
    folder, inbox = shared / "settled", shared / "settled-inbox"
    with FileLock(shared / "settled.lock"):
        demo = generate(inbox, SCHOOL_YEAR, 1030, 1)
        if not (folder / "done").exists():
            assert zio_run(folder, inbox, "--replay") == 0
            (folder / "done").touch()
    return SettledYear(folder, inbox, demo)
