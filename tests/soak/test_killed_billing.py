"""Billing killed with -9 at any moment, on both databases: the next run ends like an undisturbed one, number by number.

The year has a second version, so that the run that is killed takes back, posts anew and goes on to the end of the year.
Eight processes that bill the same year at once post each document once.
"""

import multiprocessing
import os
import random
import shutil
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import own_schema
from tests.money.shapes import Shape
from tests.region import JULY, KEY, Region, quick
from tests.year_builder import HEUSDEN
from zio_pipeline.billing import standing_documents

SOAK = "ZIO_SOAK" in os.environ
KILLS = 50 if SOAK else 2
DECEMBER, JANUARY, END = date(2025, 12, 1), date(2026, 1, 5), date(2026, 7, 31)
TABLES = ("in_region_invoices", "out_of_region_invoices", "wlz_documents", "parked_documents", "document_states")
RUN = """
import time
from pathlib import Path
from tests.region import Region, quick
with quick():
    region = Region(Path(folder), url)
    barrier.wait()
    came.put(time.monotonic())
    region.bill_and_publish(end)
"""


def corrected(folder: Path, url: str | None) -> Region:
    """A year billed until December, with a version in force since that moves one pupil from Tilburg to Heusden."""
    with quick():
        region = Region(folder, url)
        region.deliver(Shape().year())
        region.establish(JULY)
        region.bill(DECEMBER)
        region.deliver(Shape().moved(0, HEUSDEN).year())
        region.establish(JANUARY, "peildatum_error")
    return region


def outcome(region: Region) -> tuple[list, dict[str, list]]:
    with quick():
        region.bill_and_publish(END)
    return region.posted(), {name: region.home.warehouse.rows(name, school_year=KEY) for name in TABLES}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_killed_run_and_the_next_one_end_like_an_undisturbed_one(database, tmp_path, request, in_processes):
    if database == "postgresql" and not SOAK:
        pytest.skip("on PostgreSQL in `make soak`")
    with ExitStack() as stack:
        fresh = _maker(database, tmp_path, request, stack)
        whole = fresh("whole")
        before = len(whole.posted())
        began = time.monotonic()
        expected = outcome(whole)
        seconds = time.monotonic() - began
        assert len(expected[0]) > before + 2 * 8
        moments = [(number + random.Random(number).random()) / (KILLS + 1) * seconds for number in range(KILLS)]
        halfway = 0
        for number, moment in enumerate(moments):
            region = fresh(f"k{number}")
            came = multiprocessing.get_context("forkserver").Queue()
            (child,) = in_processes(
                RUN, 1, folder=str(region.folder), url=region.environ.get("ZIO_WAREHOUSE_URL"), end=END, came=came
            )
            came.get(timeout=60)
            time.sleep(moment)
            child.kill()
            child.join(60)
            halfway += len(region.posted()) not in (before, len(expected[0])) or child.exitcode != 0
            assert outcome(region) == expected, f"killed after {moment:.3f} s"
            assert region.home.verify() == []
        assert halfway, "some were really killed before their end"


def _maker(database, tmp_path, request, stack):
    if database == "sqlite":
        made = corrected(tmp_path / "made", None)

        def copied(name: str) -> Region:
            shutil.copytree(made.folder, tmp_path / name)
            return Region(tmp_path / name)

        return copied
    server = request.getfixturevalue("postgres_server")
    return lambda name: corrected(tmp_path / name, stack.enter_context(own_schema(server)))


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="only in `make soak`; the ledger has its own in every run")
def test_eight_processes_bill_the_same_year_at_once(warehouse_url, tmp_path, in_processes):
    region = corrected(tmp_path / "home", warehouse_url)
    came = multiprocessing.get_context("forkserver").Queue()
    before = len(region.posted())
    running = in_processes(RUN, 8, folder=str(region.folder), url=warehouse_url, end=END, came=came)
    for _ in running:
        came.get(timeout=120)
    for process in running:
        process.join(120)
        assert process.exitcode == 0
    posted = region.posted()
    assert len(posted) > before
    assert len({d.number for d in posted}) == len(posted)
    standing = standing_documents(posted)
    assert len({(d.payer, d.period) for d in standing}) == len(standing)
    assert region.home.verify() == []
    assert outcome(region)[0] == posted, "nothing was left"
