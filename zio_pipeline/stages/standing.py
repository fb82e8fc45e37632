"""What stands in the vault of a received file: its accepted and its quarantined rows.

Belongs here: the names under which the vault keeps the tables of a file version, and reading them back.
Does not belong here: writing them (receiving), which file counts (the manifest says so).
"""

from typing import Any

import pyarrow as pa

from resources.home import Home
from zio_pipeline.contracts import Dataset, sources
from zio_pipeline.intake import rows_with_refs
from zio_pipeline.intake.delivery import RAW_SCHEMA
from zio_pipeline.manifest import ManifestEntry

DECISIONS = "payer_decisions-"
"""How the tables in the vault begin that no file brought: who pays for whom, by school year and content."""
PUPILS = "pupil_registrations"
THIN = ".thin"
"""How the name of a table of pupils ends that was made thinner."""
QUARANTINED = "quarantined"
RAW = "raw"
QUARANTINE_SCHEMA = pa.schema([(name, pa.string()) for name in ("dataset", "row_ref", "pupil", "school", "class_code")])
"""What can be known of a quarantined row, by which the rules of the payer find its order."""

_EMPTY = {QUARANTINED: QUARANTINE_SCHEMA.empty_table(), RAW: RAW_SCHEMA.empty_table()}


def vault_stem(entry: ManifestEntry) -> str:
    """How the vault names a file version: another name for other bytes, another contract, reader or key."""
    return f"{entry.content_sha256}-{entry.contract_fingerprint[:12]}-{entry.parser_version}-{entry.key_id}"


def accepted_rows(home: Home, entry: ManifestEntry, dataset: str) -> list[dict[str, Any]]:
    """Accepted rows of one dataset of a received file, each with the `row_ref` of the sender's row.

    A file may have been taken in under an older contract. A sheet that was not asked for then has no rows, and a column that was
    not is empty: what was established with them comes out the same.
    """
    contract = sources()[entry.source]
    name = f"{vault_stem(entry)}-{dataset}"
    older = entry.contract_fingerprint != contract.fingerprint
    if older and not any(home.vault.has(found) for found in (name, f"{name}{THIN}")):
        return []
    rows = rows_with_refs(entry.label, accepted_table(home, entry, dataset))
    # A thin table lacks columns on purpose.
    return [_blank(contract.dataset(dataset)) | row for row in rows] if older and home.vault.has(name) else rows


def _blank(dataset: Dataset) -> dict[str, Any]:
    return {column.name: None for column in dataset.columns if column.name != "row_ref"}


def accepted_table(home: Home, entry: ManifestEntry, dataset: str) -> pa.Table:
    """Accepted rows as an Arrow table, with the sender's `sheet` and `row_number`.

    Those of pupils are kept thinner once their year is established: without birth date and postcode (`stages.thinning`).
    """
    name = f"{vault_stem(entry)}-{dataset}"
    thin = dataset == PUPILS and not home.vault.has(name)
    return home.vault.get(f"{name}{THIN}" if thin else name)


def quarantined_rows(home: Home, entry: ManifestEntry) -> list[dict[str, Any]]:
    """The quarantined rows of a received file (QUARANTINE_SCHEMA)."""
    return kept(home, vault_stem(entry), QUARANTINED).to_pylist()  # type: ignore[no-any-return]


def kept(home: Home, stem: str, name: str) -> pa.Table:
    """The quarantine (QUARANTINED) or the rows as they were sent (RAW) of a file version; nothing is kept of nothing."""
    return home.vault.get(f"{stem}-{name}") if home.vault.has(f"{stem}-{name}") else _EMPTY[name]
