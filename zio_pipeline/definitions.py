"""Everything Dagster loads: assets, jobs, schedules, sensors and the resources.

Belongs here: putting them together. Loading must stay light: no Great Expectations, no plotting, no file is touched.
"""

from typing import Any

import dagster as dg

import assets.billing
import assets.claims
import assets.closing
import assets.control
import assets.establishing
import assets.explain
import assets.faces
import assets.foundation
import assets.hour_signals
import assets.hours
import assets.intake
import assets.lawfulness
import assets.mutations
import assets.recalibration
import assets.retention
from resources.dagster_home import ClockResource, HomeResource
from resources.notifier import EnvironmentNotifier
from zio_pipeline.orchestration.jobs import ALL_JOBS
from zio_pipeline.orchestration.schedules import (
    control_schedule,
    half_year_schedule,
    hours_schedule,
    hours_year_schedule,
    monthly_schedule,
    retention_schedule,
)
from zio_pipeline.orchestration.sensors import file_drop_sensor, late_hours_sensor


def build_defs(**overrides: Any) -> dg.Definitions:
    """The definitions, with other resources where a test wants them (`home=`, `clock=`)."""
    modules = [
        assets.intake,
        assets.foundation,
        assets.billing,
        assets.control,
        assets.hours,
        assets.hour_signals,
        assets.faces,
        assets.lawfulness,
        assets.recalibration,
        assets.claims,
        assets.mutations,
        assets.explain,
        assets.closing,
        assets.retention,
    ]
    return dg.Definitions(
        assets=dg.load_assets_from_modules(modules),
        asset_checks=dg.load_asset_checks_from_modules(modules),
        jobs=[*ALL_JOBS, assets.establishing.establish_job],
        schedules=[
            monthly_schedule,
            half_year_schedule,
            hours_schedule,
            hours_year_schedule,
            control_schedule,
            retention_schedule,
        ],
        sensors=[file_drop_sensor, late_hours_sensor],
        resources={"home": HomeResource(), "clock": ClockResource(), "notifier": EnvironmentNotifier()} | overrides,
        # A run is ten small steps: in one process they take seconds, in ten processes most of a minute.
        executor=dg.in_process_executor,
    )


defs = build_defs()
