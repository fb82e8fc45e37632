"""What Dagster loads: complete, light, and not changing by accident."""

import subprocess
import sys

import pytest

from zio_pipeline.contracts import products, sources
from zio_pipeline.definitions import build_defs

GROUPS = {
    "intake": {
        "deliveries",
        "quarantine",
        "removals",
        "school_year_setup",
        "pupil_registrations",
        "wlz_statuses",
        "provider_timesheets",
        "provider_claims",
        "pupil_absence",
    },
    "foundation": {
        "payer_decisions",
        "doelgroep_budgets",
        "funding_split",
        "share_details",
        "municipal_shares",
        "established_year",
        "terms",
        "worklist",
        "signals",
    },
    "billing": {
        "monthly_declarations",
        "declaration_addressees",
        "zorgkantoor_statement",
        "in_region_invoices",
        "out_of_region_invoices",
        "wlz_documents",
        "parked_documents",
        "document_states",
    },
    "control": {
        "accruals",
        "claim_control",
        "claim_lines",
        "delivered_hours",
        "delivery_control",
        "delivery_summary",
        "fixed_faces",
        "lawfulness",
        "lawfulness_sample",
        "recalibration",
        "recalibration_effect",
        "wlz_hours",
        "alerts",
        "hour_signals",
        "missing_statements",
        "explained_documents",
        "forecast",
        "mutations",
        "proofs",
        "shadow_shares",
        "vault_log",
        "year_statement",
    },
}

LOAD = """
import sys, time
from zio_pipeline.definitions import defs
defs.get_repository_def().get_all_jobs()
print(time.process_time())
heavy = [m for m in ("great_expectations", "matplotlib", "altair", "plotly", "typst") if m in sys.modules]
print(",".join(heavy) or "light")
"""


@pytest.fixture(scope="module")
def graph():
    return build_defs().get_repository_def().asset_graph


def test_groups_tell_the_story(graph):
    found: dict[str, set[str]] = {}
    for key in graph.get_all_asset_keys():
        found.setdefault(graph.get(key).group_name, set()).add(key.to_user_string())
    assert found == GROUPS


def test_every_finance_table_and_source_is_an_asset(graph):
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert set(products()) | set(sources()) <= names


def test_every_table_shows_its_columns_owner_and_kind(graph):
    for name, dataset in products().items():
        (node,) = [graph.get(key) for key in graph.get_all_asset_keys() if key.to_user_string() == name]
        assert node.owners
        assert node.kinds
        schema = node.metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns] == [column.name for column in dataset.columns]


def test_every_table_has_a_blocking_check_from_its_contract(graph):
    checked = {key.asset_key.to_user_string() for key in graph.asset_check_keys if key.name == "contract"}
    assert set(products()) | set(sources()) <= checked


def test_jobs_schedules_and_sensors_do_not_change_by_accident():
    repository = build_defs().get_repository_def()
    assert sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")) == [
        "bewaartermijn",
        "controle",
        "halfjaar",
        "innemen",
        "maand",
        "schooljaar",
        "uren",
        "urenjaar",
        "vaststellen",
    ]
    schedules = {s.name: (s.job_name, s.cron_schedule, s.execution_timezone) for s in repository.schedule_defs}
    assert schedules == {
        "maandrun": ("maand", "0 7 1-7 * *", "Europe/Amsterdam"),
        "halfjaarrun": ("halfjaar", "0 7 1-7 * *", "Europe/Amsterdam"),
        "urenrun": ("uren", "0 7 11-17 * *", "Europe/Amsterdam"),
        "urenjaarrun": ("urenjaar", "0 8 11-17 * *", "Europe/Amsterdam"),
        "controlerun": ("controle", "0 8 1-7 * *", "Europe/Amsterdam"),
        "bewaarrun": ("bewaartermijn", "0 7 1-7 * *", "Europe/Amsterdam"),
    }
    assert [s.name for s in repository.sensor_defs] == ["bestanden_ontvangen", "uren_bijgewerkt"]


def load_once() -> tuple[float, str]:
    command = [sys.executable, "-W", "error", "-c", LOAD]
    seconds, heavy = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), heavy


def test_loading_is_light_and_takes_under_five_seconds():
    """Processor time of a new process, three times at most: how busy the machine is says nothing about the definitions."""
    for _ in range(3):
        seconds, heavy = load_once()
        assert heavy == "light"
        if seconds < 5:
            break
    else:
        pytest.fail(f"{seconds} seconds")
