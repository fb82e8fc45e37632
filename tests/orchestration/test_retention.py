"""The retention job as Dagster runs it: what the schedule asks for, the record as its table, and no step into the future."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from resources.dagster_home import ClockResource, HomeResource
from resources.home import Home
from tests.intake.files import csv_of, pupil
from zio_pipeline.definitions import build_defs
from zio_pipeline.stages import receiving


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(receiving, "audit_deliveries", lambda *_, **__: None)
    opened = Home.open(tmp_path, {})
    (opened.inbox / "a.csv").write_bytes(csv_of(pupil(1)))
    receiving.receive(opened, opened.inbox, date(2025, 6, 30))
    return opened


def run(home: Home, as_of: str, today: str) -> dg.ExecuteInProcessResult:
    defs = build_defs(home=HomeResource(folder=str(home.folder)), clock=ClockResource(fixed=today))
    job = defs.get_repository_def().get_job("bewaartermijn")
    config = {"ops": {"removals": {"config": {"as_of": as_of}}}}
    return job.execute_in_process(run_config=config, raise_on_error=False)


def test_the_job_removes_what_expired_and_shows_the_record(home: Home):
    early = run(home, "2026-08-03", "2026-08-03")
    assert early.success
    (made,) = early.asset_materializations_for_node("removals")
    assert made.metadata["dagster/row_count"].value == 0
    late = run(home, "2026-09-01", "2026-09-01")
    assert late.success
    assert all(check.passed for check in late.get_asset_check_evaluations())
    (made,) = late.asset_materializations_for_node("removals")
    assert made.metadata["dagster/row_count"].value == 1
    assert made.metadata["bewaartermijn"].value == 400
    assert [row["removed_on"] for row in home.warehouse.rows("removals")] == [date(2026, 9, 1)]
    assert home.vault.raw_names() == []


def test_the_job_does_not_look_ahead(home: Home):
    assert not run(home, "2099-01-01", "2026-07-01").success
    assert len(home.vault.raw_names()) == 1
