"""The terugmeldingen of an installation: one workbook per file with something to tell its sender.

Belongs here: which files get one and where it is put. Does not belong here: what it looks like (intake.terugmelding).

They lie beside the inbox, for the owner only: like the files in it they hold what the sender wrote, personal keys too.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from resources.home import Home, write_atomically
from zio_pipeline.intake.delivery import RAW_SCHEMA
from zio_pipeline.intake.terugmelding import terugmelding
from zio_pipeline.stages.standing import RAW, kept, vault_stem
from zio_pipeline.stages.verdicts import details_of, record_all

NOT_WHOLE = ("partly_accepted", "refused", "contradicting")
_TOLD = "terugmelding"
"""Kind of the verdicts that say which reasons a workbook was written with."""

Row = Mapping[str, Any]


def write_feedback(home: Home) -> None:
    """Write the workbooks that are missing or tell other reasons than those of now, and remove those of files that need none.

    A file that was not accepted whole gets one, and a file that was accepted with warnings. Other files in the folder are
    left alone. Derived from what is stored, so a run that was cut off is mended. After the rows as they were sent have been
    removed by the retention rule no workbook is made again.
    """
    home.feedback.mkdir(mode=0o700, parents=True, exist_ok=True)
    reasons: dict[str, list[Row]] = defaultdict(list)
    for reason in home.warehouse.rows("quarantine"):
        reasons[reason["content_sha256"]].append(reason)
    deliveries = home.warehouse.rows("deliveries")
    wanted = {row["content_sha256"]: row for row in deliveries if _needs_one(row, reasons)}
    for row in deliveries:
        if row["content_sha256"] not in wanted:
            _path(home, row).unlink(missing_ok=True)
    told = {content: detail["told"] for content, detail in details_of(home, _TOLD, _TOLD).items()}
    now = {content: _identity(row, reasons[content]) for content, row in wanted.items()}
    changed = (row for row in wanted.values() if told.get(row["content_sha256"]) != now[row["content_sha256"]])
    missing = (row for row in wanted.values() if not _path(home, row).exists())
    due = {row["content_sha256"]: row for row in (*changed, *missing) if home.vault.has_bytes(row["content_sha256"])}
    stems = {entry.content_sha256: vault_stem(entry) for entry in home.warehouse.manifest()} if due else {}
    for content, row in due.items():
        raw = kept(home, stems[content], RAW) if content in stems else RAW_SCHEMA.empty_table()
        write_atomically(_path(home, row), terugmelding(row, reasons[content], raw))
    # Only now, so that what a run that is cut off wrote is written again.
    record_all(home, _TOLD, _TOLD, {content: (True, {"told": now[content]}) for content in due})


def _needs_one(row: Row, reasons: Mapping[str, Sequence[Row]]) -> bool:
    return row["status"] in NOT_WHOLE or (row["status"] == "accepted" and row["content_sha256"] in reasons)


def _identity(row: Row, reasons: Sequence[Row]) -> str:
    """Another one for other reasons; the order of their rows says nothing."""
    said = [repr(sorted(row.items())), *sorted(repr(sorted(reason.items())) for reason in reasons)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _path(home: Home, row: Row) -> Path:
    return home.feedback / f"{row['label']}.xlsx"
