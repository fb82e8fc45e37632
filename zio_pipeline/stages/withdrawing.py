"""Taking a file out of force by the decision of a person, and putting the one it had replaced back.

Belongs here: which file may be withdrawn, which one comes back, and what is recorded of it. Does not belong here: files that
replace each other by themselves (receiving, comparing).

A year that is established keeps what was signed: its receipt names its files, whatever counts now.
"""

from dataclasses import dataclass
from datetime import date

from resources.home import Home
from zio_pipeline.errors import ZioError
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.stages.feedback import write_feedback
from zio_pipeline.stages.references import note_references

WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Withdrawal:
    """What came of it: the label of the file that counts again, None when there is none; `signed`: its year is established."""

    back: str | None
    signed: bool


def withdraw(home: Home, label: str, by: str, reason: str, on: date) -> Withdrawal:
    """Take the file of this label out of force and put the one it had superseded back, in one transaction.

    Who, when and why stand in the reason of its row in `deliveries`. Its bytes stay known: offered again they do not count.

    Raises:
        ZioError: nobody or no reason is given, or no file of that label counts.
    """
    if not by.strip() or not reason.strip():
        raise ZioError("Geef met --by wie het bestand intrekt en met --reason waarom.")
    with home.vault.exclusive():
        rows = {row["content_sha256"]: row for row in home.warehouse.rows("deliveries")}
        found = [entry for entry in home.warehouse.manifest(active=True) if entry.label == label]
        if not found:
            known = any(row["label"] == label for row in rows.values())
            why = "telt niet, dus valt er niets in te trekken" if known else "is niet bekend"
            raise ZioError(f"Het bestand {label} {why}.")
        (mine,) = found
        gone = {content for content, row in rows.items() if row["status"] == WITHDRAWN}
        back = _earlier(home, mine, gone)
        said = f"Ingetrokken op {on:%d-%m-%Y} door {by.strip()}: {reason.strip()}"
        shown = [rows[mine.content_sha256] | {"status": WITHDRAWN, "reason": said}]
        if back:
            shown.append(rows[back.content_sha256] | {"status": back.status, "reason": None})
        home.warehouse.withdraw(mine, back, shown)
        note_references(home)
        write_feedback(home)
    signed = mine.school_year is not None and home.warehouse.establishment(mine.school_year) is not None
    return Withdrawal(back.label if back else None, signed)


def _earlier(home: Home, mine: ManifestEntry, gone: set[str]) -> ManifestEntry | None:
    """The newest reading of the content that came last before this one in its place, refused and withdrawn ones left out."""
    entries = home.warehouse.manifest(source=mine.source, scope=mine.scope)
    first = {entry.content_sha256: entry.sequence for entry in reversed(home.warehouse.manifest())}
    limit = first[mine.content_sha256]
    earlier = [e for e in entries if first[e.content_sha256] < limit and e.status != "refused"]
    return max(
        (e for e in earlier if e.content_sha256 not in gone),
        key=lambda e: (first[e.content_sha256], e.sequence),
        default=None,
    )
