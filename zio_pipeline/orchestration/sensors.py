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
from zio_pipeline.stages.receiving import inbox_files
from zio_pipeline.stages.timesheets import counting_timesheets, months_of


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


@dg.sensor(
    jobs=[hours_job, hours_year_job],
    name="uren_bijgewerkt",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def late_hours_sensor(context: dg.SensorEvaluationContext, home: HomeResource) -> dg.SensorResult | dg.SkipReason:
    """A late, corrected or withdrawn timesheet asks for a run of its own months, and of their year; a new workbook for all.

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
    """By month of the established years: a hash of the timesheets that count and of the workbook with calendar and class names."""
    found: dict[str, str] = {}
    for key in {standing.school_year for standing in home.warehouse.establishments()}:
        books = [entry.label for entry in home.warehouse.active("school_year_setup", key)]
        of_month: dict[str, list[str]] = defaultdict(list)
        for entry in counting_timesheets(home, key):
            for month in months_of(entry):
                of_month[month].append(entry.label)
        found |= {
            month: hashlib.sha256(json.dumps([labels, books]).encode()).hexdigest()[:16]
            for month, labels in of_month.items()
        }
    return found
