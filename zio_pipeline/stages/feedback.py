"""The terugmeldingen of an installation: one workbook per file that was not accepted whole, for its sender.

Belongs here: which files get one and where it is put. Does not belong here: what it looks like (intake.terugmelding).

They lie beside the inbox, for the owner only: like the files in it they hold what the sender wrote, personal keys too.
"""

from collections import defaultdict
from pathlib import Path

from resources.home import Home, write_atomically
from zio_pipeline.intake.delivery import RAW_SCHEMA
from zio_pipeline.intake.terugmelding import terugmelding
from zio_pipeline.stages.standing import RAW, kept, vault_stem

NOT_WHOLE = ("partly_accepted", "refused", "contradicting")


def write_feedback(home: Home) -> None:
    """Write the workbooks that are missing, and remove those of files that count whole or no more.

    Derived from what is stored, so a run that was cut off is mended. After the rows as they were sent have been removed by
    the retention rule no workbook is made again.
    """
    home.feedback.mkdir(mode=0o700, parents=True, exist_ok=True)
    stems = {entry.content_sha256: vault_stem(entry) for entry in home.warehouse.manifest()}
    wanted = {_path(home, row["label"]): row for row in home.warehouse.rows("deliveries") if row["status"] in NOT_WHOLE}
    for path in set(home.feedback.glob("*.xlsx")) - set(wanted):
        path.unlink(missing_ok=True)
    missing = {
        path: row for path, row in wanted.items() if not path.exists() and home.vault.has_bytes(row["content_sha256"])
    }
    reasons = defaultdict(list)
    for reason in home.warehouse.rows("quarantine") if missing else ():
        reasons[reason["content_sha256"]].append(reason)
    for path, row in missing.items():
        content = row["content_sha256"]
        raw = kept(home, stems[content], RAW) if content in stems else RAW_SCHEMA.empty_table()
        write_atomically(path, terugmelding(row, reasons[content], raw))


def _path(home: Home, label: str) -> Path:
    return home.feedback / f"{label}.xlsx"
