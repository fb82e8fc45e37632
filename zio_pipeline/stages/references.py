"""What the rows that count say of each other: the rules over two sources, for everything that counts now.

Belongs here: which file is compared with which, and keeping what was found beside the other reasons of a file. It is derived
from what counts now, so a corrected setup clears a warning without anybody sending a file again.
Does not belong here: the rules (contracts), carrying one out (intake.references).
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from resources.home import Home
from zio_pipeline.contracts import Contract, sources
from zio_pipeline.intake.references import Known, broken_references
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.stages.standing import accepted_table, vault_stem

_NOTED = "references"


def note_references(home: Home) -> None:
    """Judge the rules over two sources for every file that counts, unless they were judged with these very files before."""
    rules = {reference.name for contract in sources().values() for d in contract.datasets for reference in d.references}
    active = home.warehouse.manifest(active=True)
    for source, contract in sources().items():
        needed = sorted({reference.source for dataset in contract.datasets for reference in dataset.references})
        for entry in active:
            if entry.source == source and needed:
                others = [e for e in active if e.source in needed and e.school_year == entry.school_year]
                _note(home, contract, entry, others, rules)


def _note(home: Home, contract: Contract, entry: ManifestEntry, others: list[ManifestEntry], rules: set[str]) -> None:
    identity = hashlib.sha256("|".join([vault_stem(entry), *sorted(map(vault_stem, others))]).encode()).hexdigest()
    if not others or home.warehouse.verdict(_NOTED, identity, contract.fingerprint) is not None:
        return
    known = _known(home, contract, others)
    found = [
        reason
        for dataset in contract.datasets
        for reason in broken_references(dataset, accepted_table(home, entry, dataset.name), known)
    ]
    noted = home.warehouse.rows("quarantine", content_sha256=entry.content_sha256)
    kept = [row for row in noted if row["rule"] not in rules]
    if found or len(kept) < len(noted):
        place: Mapping[str, Any] = {"content_sha256": entry.content_sha256, "label": entry.label}
        names = ("sheet", "row_number", "column", "rule", "severity", "explanation")
        rows = [*kept, *({**place, **{name: getattr(reason, name) for name in names}} for reason in found)]
        home.warehouse.replace({"quarantine": rows}, content_sha256=entry.content_sha256)
    home.warehouse.record_verdict(_NOTED, identity, contract.fingerprint, not found, "{}")


def _known(home: Home, contract: Contract, others: list[ManifestEntry]) -> Known:
    wanted = {(r.source, r.dataset) for dataset in contract.datasets for r in dataset.references}
    return {
        (source, name): accepted_table(home, other, name)
        for source, name in wanted
        for other in others
        if other.source == source
    }
