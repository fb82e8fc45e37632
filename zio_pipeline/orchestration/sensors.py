"""The sensors: one sees a file drop, the other that the files which count of a month of hours are others than before."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

import dagster as dg

from resources.dagster_home import HomeResource
from resources.home import Home
from zio_pipeline.orchestration.jobs import hours_job, hours_year_job, receive_job
from zio_pipeline.orchestration.partitions import year_of
from zio_pipeline.orchestration.schedules import runs_by_itself
from zio_pipeline.stages.receiving import inbox_files
from zio_pipeline.stages.standing import vault_stem
from zio_pipeline.stages.timesheets import TIMESHEETS, months_of


def _status(name: str) -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if runs_by_itself(name) else dg.DefaultSensorStatus.STOPPED


@dg.sensor(
    job=receive_job,
    name="bestanden_ontvangen",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def file_drop_sensor(home: HomeResource) -> dg.RunRequest | dg.SkipReason:
    """A run key made of the bytes: the same inbox asks for one run, ever; a changed one for another."""
    hashes = []
    for path in inbox_files(home.open().inbox):
        with suppress(FileNotFoundError):  # taken away since it was listed
            hashes.append(hashlib.sha256(path.read_bytes()).hexdigest())
    if not hashes:
        return dg.SkipReason("De inbox is leeg.")
    return dg.RunRequest(run_key=hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest())


OF_THE_YEAR = ("school_year_setup", "pupil_absence")
"""Sources beside the timesheets that tables on hours are made of: calendar and class names, and absence."""


@dg.sensor(
    jobs=[hours_job, hours_year_job],
    name="uren_bijgewerkt",
    minimum_interval_seconds=300,
    default_status=_status("uren_bijgewerkt"),
)
def late_hours_sensor(context: dg.SensorEvaluationContext, home: HomeResource) -> dg.SensorResult | dg.SkipReason:
    """A late, corrected or withdrawn timesheet asks for a run of its own months, and of their year; a new workbook, version or
    reading for all it is about.

    The cursor holds what counted of every month when it was last asked for, so what comes back after a change is a change too.
    """
    before: Mapping[str, str] = json.loads(context.cursor or "{}")
    now = {**dict.fromkeys(before, ""), **_counting(home.open())}
    changed = sorted(month for month, state in now.items() if before.get(month) != state)
    if not changed:
        return dg.SkipReason("Wat van de urenstaten telt is niet veranderd.")
    requests = [dg.RunRequest(job_name=hours_job.name, partition_key=month) for month in changed]
    requests += [
        dg.RunRequest(job_name=hours_year_job.name, partition_key=key) for key in sorted(set(map(year_of, changed)))
    ]
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(now, sort_keys=True))


def _counting(home: Home) -> dict[str, str]:
    """By month of the established years: a hash of their version, of what counts for the whole year, and of its timesheets."""
    found: dict[str, str] = {}
    last = {one.school_year: one for one in home.warehouse.establishments()}
    for key, standing in last.items():
        whole = [vault_stem(entry) for source in OF_THE_YEAR for entry in home.warehouse.active(source, key)]
        of_month: dict[str, list[str]] = defaultdict(list)
        for entry in home.warehouse.active(TIMESHEETS, key):
            for month in months_of(entry):
                of_month[month].append(vault_stem(entry))
        for month, files in of_month.items():
            state = json.dumps([standing.version, standing.receipt_hash, whole, files])
            found[month] = hashlib.sha256(state.encode()).hexdigest()[:16]
    return found
