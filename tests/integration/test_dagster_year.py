"""The same year through the Dagster jobs: every partition materialises, every check passes, figures equal `zio run`."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from resources.dagster_home import ClockResource, HomeResource
from resources.home import Home
from tests.integration.conftest import SettledYear
from tests.integration.test_privacy import leaks, personal_values, written_bytes
from tests.region import quick
from zio_pipeline.definitions import build_defs
from zio_pipeline.demo import generate
from zio_pipeline.setup import read_setup
from zio_pipeline.stages.year import year_inputs

YEAR = "2025-2026"
MONTHS = ["2025-09", *(["2026-01"] if "ZIO_SOAK" in os.environ else []), "2026-06"]
"""The months between are caught up by the next one that runs: a missed schedule loses nothing."""
YEAR_TABLES = ("municipal_shares", "terms", "zorgkantoor_statement", "proofs", "parked_documents")
MONTH_TABLES = ("monthly_declarations", "declaration_addressees", "delivered_hours")


@pytest.fixture(scope="module")
def through_dagster(made_once: Callable[[str, Callable[[Path], None]], Path], small_whole_year: SettledYear) -> Path:
    """The home of a year that was settled by the jobs; read it, never write it."""
    return made_once("dagster-home", lambda folder: materialize_all(folder, small_whole_year.inbox))


def instance_of(folder: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.local_temp(str(folder / "dagster"))


def definitions(folder: Path, today: str = "2026-07-31") -> dg.Definitions:
    return build_defs(home=HomeResource(folder=str(folder)), clock=ClockResource(fixed=today))


def materialize_all(folder: Path, files: Path) -> None:
    """Every job with every partition; of each job the first run is audited."""
    shutil.copytree(files, Home.open(folder, {}).inbox, dirs_exist_ok=True)
    defs = definitions(folder)
    (folder / "dagster").mkdir()
    instance = instance_of(folder)
    runs = [
        ("innemen", None),
        ("schooljaar", YEAR),
        *(("maand", month) for month in MONTHS),
        *(("uren", month) for month in MONTHS),
        ("halfjaar", f"{YEAR}-H1"),
        ("halfjaar", f"{YEAR}-H2"),
    ]
    audited: set[str] = set()
    for job, partition in runs:
        with quick() if job in audited else nullcontext():
            named = defs.get_repository_def().get_job(job)
            result = named.execute_in_process(instance=instance, partition_key=partition)
        audited.add(job)
        assert result.success
        checks = result.get_asset_check_evaluations()
        assert all(check.passed or check.severity == dg.AssetCheckSeverity.WARN for check in checks)
    parked = dg.materialize(
        [a for a in defs.assets if dg.AssetKey("parked_documents") in a.keys],
        instance=instance,
        partition_key=YEAR,
        resources={"home": HomeResource(folder=str(folder)), "clock": ClockResource(fixed="2026-07-31")},
    )
    assert parked.success


def test_figures_equal_those_of_the_command_line(through_dagster: Path, small_whole_year: SettledYear):
    home, by_command = Home.open(through_dagster, {}), small_whole_year.home
    # Pseudonyms come from each home's own key, so everything without them must be equal to the byte.
    scopes = [(name, {"school_year": YEAR}) for name in YEAR_TABLES]
    scopes += [(name, {"school_year": YEAR, "month": month}) for name in MONTH_TABLES for month in MONTHS]
    for name, scope in scopes:
        assert home.warehouse.export_csv(name, **scope) == by_command.warehouse.export_csv(name, **scope), (name, scope)
    posted = {(d.payer, d.period): (d.amount_cents, d.lines) for d in home.ledger.posted(YEAR)}
    assert posted == {(d.payer, d.period): (d.amount_cents, d.lines) for d in by_command.ledger.posted(YEAR)}


def test_nothing_personal_in_dagster_storage_or_logs(through_dagster: Path):
    contents = written_bytes(through_dagster)
    assert any("dagster" in path.parts and path.suffix == ".db" for path in contents)
    assert leaks(contents, personal_values(through_dagster / "inbox")) == []


def test_running_a_month_again_posts_nothing(through_dagster: Path, tmp_path: Path):
    folder = shutil.copytree(through_dagster, tmp_path / "again")
    home = Home.open(folder, {})
    before = [d.number for d in home.ledger.posted(YEAR)]
    month = definitions(folder).get_repository_def().get_job("maand")
    assert month.execute_in_process(instance=instance_of(folder), partition_key="2026-06").success
    assert [d.number for d in home.ledger.posted(YEAR)] == before
    assert home.verify() == []


def test_metadata_counts_rows_and_adds_up_cents(through_dagster: Path):
    event = instance_of(through_dagster).get_latest_materialization_event(dg.AssetKey("terms"))
    metadata = event.asset_materialization.metadata
    assert metadata["dagster/row_count"].value > 0
    assert metadata["som bedrag (cent)"].value > 0


@pytest.fixture
def without_audit() -> Iterator[None]:
    with quick():
        yield


@pytest.mark.usefixtures("without_audit")
def test_a_real_year_waits_for_two_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = Home.open(tmp_path, {})
    generate(home.inbox, YEAR, 60, 3)
    for path in (*home.inbox.glob("urenstaat-*"), *home.inbox.glob("declaratie-*")):
        path.unlink()
    monkeypatch.setattr("zio_pipeline.stages.year.current_setup", _as_real(home))
    repository, instance = definitions(tmp_path, "2025-08-20").get_repository_def(), dg.DagsterInstance.ephemeral()
    assert repository.get_job("innemen").execute_in_process(instance=instance).success
    result = repository.get_job("schooljaar").execute_in_process(
        instance=instance, partition_key=YEAR, raise_on_error=False
    )
    assert not result.success
    assert not result.asset_materializations_for_node("terms")
    assert home.warehouse.establishment(YEAR) is None


def _as_real(home: Home):
    def real(stores, school_year):
        setup = read_setup(year_inputs(stores, school_year).sheets)
        return replace(setup, settings=replace(setup.settings, fictitious=False))

    return real
