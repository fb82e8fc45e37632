"""The same year through the Dagster jobs: every partition materialises, every check passes, figures equal `zio run`."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from resources.dagster_home import ClockResource, HomeResource
from resources.home import Home
from tests.integration.test_privacy import leaks, personal_values, written_bytes
from zio_pipeline.cli import main
from zio_pipeline.definitions import build_defs
from zio_pipeline.demo import generate
from zio_pipeline.setup import read_setup
from zio_pipeline.stages.year import year_inputs

YEAR = "2025-2026"
MONTHS = ["2025-09", "2026-01", "2026-06"]
"""The months between are caught up by the next one that runs: a missed schedule loses nothing."""
YEAR_TABLES = ("municipal_shares", "terms", "zorgkantoor_statement", "proofs", "parked_documents")
MONTH_TABLES = ("monthly_declarations", "declaration_addressees", "delivered_hours")


@pytest.fixture(scope="module")
def through_dagster(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, dg.DagsterInstance, Path]:
    folder = tmp_path_factory.mktemp("dagster-home")
    home = Home.open(folder, {})
    generate(home.inbox, YEAR, 120, 7)
    defs = build_defs(home=HomeResource(folder=str(folder)), clock=ClockResource(fixed="2026-07-31"))
    (folder / "dagster").mkdir()
    instance = dg.DagsterInstance.local_temp(str(folder / "dagster"))
    runs = [
        ("innemen", None),
        ("schooljaar", YEAR),
        *(("maand", month) for month in MONTHS),
        *(("uren", month) for month in MONTHS),
        ("halfjaar", f"{YEAR}-H1"),
        ("halfjaar", f"{YEAR}-H2"),
    ]
    for job, partition in runs:
        result = defs.get_repository_def().get_job(job).execute_in_process(instance=instance, partition_key=partition)
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
    return home, instance, folder


def test_figures_equal_those_of_the_command_line(through_dagster, tmp_path: Path):
    home, _, folder = through_dagster
    other = tmp_path / "cli"
    assert (
        main(
            [
                "--home",
                str(other),
                "run",
                "--inbox",
                str(folder / "inbox"),
                "--school-year",
                YEAR,
                "--as-of",
                "2026-07-31",
            ]
        )
        == 0
    )
    by_command = Home.open(other, {})
    # Pseudonyms come from each home's own key, so everything without them must be equal to the byte.
    scopes = [(name, {"school_year": YEAR}) for name in YEAR_TABLES]
    scopes += [(name, {"school_year": YEAR, "month": month}) for name in MONTH_TABLES for month in MONTHS]
    for name, scope in scopes:
        assert home.warehouse.export_csv(name, **scope) == by_command.warehouse.export_csv(name, **scope), (name, scope)
    posted = {(d.payer, d.period): (d.amount_cents, d.lines) for d in home.ledger.posted(YEAR)}
    assert posted == {(d.payer, d.period): (d.amount_cents, d.lines) for d in by_command.ledger.posted(YEAR)}


def test_nothing_personal_in_dagster_storage_or_logs(through_dagster):
    _, _, folder = through_dagster
    contents = written_bytes(folder)
    assert any("dagster" in path.parts and path.suffix == ".db" for path in contents)
    assert leaks(contents, personal_values(folder / "inbox")) == []


def test_running_a_month_again_posts_nothing(through_dagster):
    home, instance, folder = through_dagster
    before = [d.number for d in home.ledger.posted(YEAR)]
    defs = build_defs(home=HomeResource(folder=str(folder)), clock=ClockResource(fixed="2026-07-31"))
    assert (
        defs.get_repository_def()
        .get_job("maand")
        .execute_in_process(instance=instance, partition_key="2026-01")
        .success
    )
    assert [d.number for d in home.ledger.posted(YEAR)] == before
    assert home.verify() == []


def test_metadata_counts_rows_and_adds_up_cents(through_dagster):
    _, instance, _ = through_dagster
    event = instance.get_latest_materialization_event(dg.AssetKey("terms"))
    metadata = event.asset_materialization.metadata
    assert metadata["dagster/row_count"].value > 0
    assert metadata["som bedrag (cent)"].value > 0


def test_a_real_year_waits_for_two_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = Home.open(tmp_path, {})
    generate(home.inbox, YEAR, 60, 3)
    monkeypatch.setattr("zio_pipeline.stages.year.current_setup", _as_real(home))
    defs = build_defs(home=HomeResource(folder=str(tmp_path)), clock=ClockResource(fixed="2025-08-20"))
    repository, instance = defs.get_repository_def(), dg.DagsterInstance.ephemeral()
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
