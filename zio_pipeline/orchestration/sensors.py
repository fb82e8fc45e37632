"""The sensor that sees a file drop: one run per content of the inbox, whatever the files are called."""

import hashlib
from contextlib import suppress

import dagster as dg

from resources.dagster_home import HomeResource
from zio_pipeline.orchestration.jobs import receive_job
from zio_pipeline.stages.receiving import inbox_files


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
