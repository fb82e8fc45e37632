"""Whole fictitious school years, settled once per run of the tests by the command people use: `zio run`."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from resources.home import Home
from tests.region import quick
from zio_pipeline.cli import main
from zio_pipeline.demo import DemoYear, generate

SCHOOL_YEAR, AS_OF = "2025-2026", "2026-07-31"
Make = Callable[[Path], None]


@dataclass(frozen=True)
class SettledYear:
    """A home in which the demo year stands settled; read it, never write it.

    `rest` was written and not delivered yet; `shown` is what the command said.
    """

    folder: Path
    inbox: Path
    rest: Path
    demo: DemoYear
    shown: str

    @property
    def home(self) -> Home:
        return Home.open(self.folder, {})


def zio_run(home: Path, inbox: Path, *more: str) -> int:
    """`zio run` as a person types it."""
    return main(
        ["--home", str(home), "run", "--inbox", str(inbox), "--school-year", SCHOOL_YEAR, "--as-of", AS_OF, *more]
    )


@pytest.fixture(scope="session")
def settled_year(made_once: Callable[[str, Make], Path]) -> SettledYear:
    """The demo year of `make run`: 1030 pupils, seed 1, every term booked on its own due date, everything audited."""
    return _settled(made_once("settled", lambda folder: _settle(folder, 1030, 1)))


@pytest.fixture(scope="session")
def small_year(made_once: Callable[[str, Make], Path]) -> SettledYear:
    """60 pupils, settled without timesheets and claims, which are its `rest`; nothing was audited."""

    def make(folder: Path) -> None:
        with quick():
            _settle(folder, 60, 5, later=("urenstaat-", "declaratie-"))

    return _settled(made_once("settled-small", make))


@pytest.fixture(scope="session")
def small_whole_year(made_once: Callable[[str, Make], Path]) -> SettledYear:
    """60 pupils with everything that comes in over a year; nothing was audited."""

    def make(folder: Path) -> None:
        with quick():
            _settle(folder, 60, 7)

    return _settled(made_once("settled-small-whole", make))


def _settle(folder: Path, pupils: int, seed: int, later: tuple[str, ...] = ()) -> None:
    inbox, rest = folder / "inbox", folder / "rest"
    demo = generate(inbox, SCHOOL_YEAR, pupils, seed)
    (folder / "demo.json").write_text(json.dumps([demo.planted, demo.counts]))
    rest.mkdir()
    for path in demo.files:
        if path.name.startswith(later):
            path.rename(rest / path.name)
    with redirect_stdout(io.StringIO()) as shown:
        assert zio_run(folder / "home", inbox, "--replay") == 0
    (folder / "shown.txt").write_text(shown.getvalue())


def _settled(folder: Path) -> SettledYear:
    planted, counts = json.loads((folder / "demo.json").read_text())
    inbox, rest = folder / "inbox", folder / "rest"
    demo = DemoYear(sorted(inbox.iterdir()), planted, counts)
    return SettledYear(folder / "home", inbox, rest, demo, (folder / "shown.txt").read_text())
