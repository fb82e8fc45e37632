"""Demo years that the tests of the generator share: a small one, and the one of 1030 pupils that people see."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from zio_pipeline.demo import DemoYear, generate


@dataclass(frozen=True)
class Made:
    """A demo year, its folder, and the processor seconds it took."""

    folder: Path
    year: DemoYear
    seconds: float


def _make(folder: Path, pupils: int) -> Made:
    begun = time.process_time()
    year = generate(folder, "2025-2026", pupils, 1)
    return Made(folder, year, time.process_time() - begun)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return _make(tmp_path_factory.mktemp("small"), 120)


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return _make(tmp_path_factory.mktemp("full"), 1030)
