"""After establishment: of the pupil files only the facts stay, without birth date and postcode (SPEC section 8).

Belongs here: which files are thinned, proving that the year stays the same, and the order in which record and removal are
written. Does not belong here: what a fact is (payer.facts), the bytes and rows as they were sent (retention).

First every thin table, then a rehearsal: the year is computed as if the fuller ones were gone, and must be what was signed. Then
the record, then the removal. A run that is cut off leaves both, and the fuller one is read; the next run finishes it. So nothing
is gone without a record, and nothing that the year needs is ever gone.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pyarrow as pa

from resources.establishments import Establishment
from resources.home import Home
from resources.sealed import sync_folder
from resources.vault import Vault
from zio_pipeline.errors import EstablishmentBlocked, NotProved, ZioError
from zio_pipeline.establishment import require_signed, sha256_of
from zio_pipeline.figures import compute_year
from zio_pipeline.intake import rows_with_refs
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.payer.facts import facts_of, thinned
from zio_pipeline.privacy import Keys
from zio_pipeline.settings import Settings
from zio_pipeline.setup import read_setup
from zio_pipeline.stages import vault_log
from zio_pipeline.stages.inputs import year_inputs
from zio_pipeline.stages.residence_answers import ASKED, copy_name, workbook_path
from zio_pipeline.stages.standing import vault_stem

DATASET = "pupil_registrations"
THINNED = "thinned"
THIN = ".thin"
"""How the name of a thin table ends, behind that of the fuller one."""
SCHEMA = pa.schema(  # beside the place of the sender's row
    [
        ("pupil", pa.string()),
        ("school", pa.string()),
        ("class_code", pa.string()),
        ("placed_from", pa.date32()),
        ("placed_to", pa.date32()),
        ("needs_care", pa.bool_()),
        ("age_class", pa.string()),
        ("turns_18", pa.bool_()),
        ("municipality", pa.string()),
        ("problem", pa.string()),
        ("evidence", pa.string()),
        ("reading", pa.int64()),
        ("start_date", pa.date32()),
        ("reference_date", pa.date32()),
        ("stay_postcodes", pa.string()),
    ]
)


def thin(home: Home, school_year: str, by: str, on: date) -> int:
    """Replace the accepted rows of the pupil files of an established year by their facts, and remove the fuller ones for good.

    It goes for the files that the receipt names and for those that count no more; a file that was accepted after the
    establishment stays whole until a version names it. The workbooks of residence checks of the year go too: they hold birth
    dates. Files thinned before are left alone.

    Returns:
        The number of files thinned now.

    Raises:
        EstablishmentBlocked: the year is not established.
        NotProved: without the fuller rows the year would not be the one that was signed; nothing was removed.
    """
    standing = home.warehouse.establishment(school_year)
    if standing is None:
        raise EstablishmentBlocked(
            [f"schooljaar {school_year} is nog niet vastgesteld; tot dan zijn alle rijen nodig."]
        )
    with home.vault.exclusive():
        settings = read_setup(year_inputs(home, school_year).sheets).settings
        files = [
            e for e in home.warehouse.manifest(source=DATASET, school_year=school_year) if home.vault.has(_full(e))
        ]
        signed = [file for file in files if _is_in(file, standing.receipt["inputs"])]
        others = [file for file in files if file not in signed and not file.active]
        tables: dict[str, pa.Table] = {}
        for together in (signed, *([file] for file in others)):
            tables |= _thin_tables(home, together, settings)
        _put(home, tables, standing)
        _record(home, school_year, {file: tables[_full(file)].num_rows for file in (*signed, *others)}, by, on)
        _remove(home, school_year, list(tables))
    return len(tables)


def _full(entry: ManifestEntry) -> str:
    return f"{vault_stem(entry)}-{DATASET}"


def _is_in(entry: ManifestEntry, files: Sequence[Mapping[str, str]]) -> bool:
    names = ("content_sha256", "contract_fingerprint", "parser_version", "key_id")
    return any(all(file[name] == getattr(entry, name) for name in names) for file in files)


def _thin_tables(home: Home, entries: Sequence[ManifestEntry], settings: Settings) -> dict[str, pa.Table]:
    """The thin table of each file, by the name of its fuller one; the files are read together, as the year reads them."""
    full = {entry: home.vault.get(_full(entry)) for entry in entries}
    rows = [row for entry, table in full.items() for row in rows_with_refs(entry.label, table)]
    facts = iter([thinned(one, settings) for one in facts_of(rows, settings)])
    found = {}
    for entry, table in full.items():
        kept = pa.Table.from_pylist([next(facts) for _ in range(table.num_rows)], schema=SCHEMA)
        for place in ("sheet", "row_number"):
            kept = kept.append_column(place, table[place])
        found[_full(entry)] = kept
    return found


def _put(home: Home, tables: Mapping[str, pa.Table], standing: Establishment) -> None:
    """Keep the thin tables when the year is the same without the fuller ones."""
    thin_names = [f"{name}{THIN}" for name in tables]
    home.vault.remove(thin_names, [])  # of a run that was cut off: the fuller ones are still there
    try:
        for name, table in tables.items():
            home.vault.put(f"{name}{THIN}", table)
        _rehearse(replace(home, vault=_Rehearsal(home.folder / "vault", home.keys, tables.keys())), standing)
    except BaseException:
        home.vault.remove(thin_names, [])
        raise


class _Rehearsal(Vault):
    """The vault as if the fuller tables were gone."""

    def __init__(self, folder: Path, keys: Keys, gone: AbstractSet[str]):
        super().__init__(folder, keys)
        self._gone = frozenset(gone)

    def has(self, name: str) -> bool:
        return name not in self._gone and super().has(name)

    def get(self, name: str) -> pa.Table:
        if name in self._gone:
            raise ZioError(f"'{name}' zou niet meer in de kluis liggen.")
        return super().get(name)


def _rehearse(home: Home, standing: Establishment) -> None:
    """Compute the established year: its decisions and every table must be those that two people signed for."""
    try:
        figures = compute_year(year_inputs(home, standing.school_year), standing.version)
        require_signed(standing.receipt, figures.tables)
        same = sha256_of([asdict(d) for d in figures.outcome.decisions]) == standing.receipt["decisions_sha256"]
    except ZioError as error:
        raise NotProved(
            f"Zonder geboortedatum en postcode is het jaar niet na te rekenen; er is niets verwijderd. {error}"
        ) from error
    if not same:
        raise NotProved("Zonder geboortedatum en postcode volgen andere betalers; er is niets verwijderd.")


def _record(home: Home, school_year: str, files: Mapping[ManifestEntry, int], by: str, on: date) -> None:
    """A line per file, unless a run that was cut off wrote it already."""
    known = {line["content_sha256"] for line in vault_log.lines(home, school_year, THINNED)}
    fresh = {entry: rows for entry, rows in files.items() if entry.content_sha256 not in known}
    lines = [
        vault_log.Entry(THINNED, entry.content_sha256, entry.label, None, rows, by, on) for entry, rows in fresh.items()
    ]
    vault_log.record(home, school_year, lines)


def _remove(home: Home, school_year: str, tables: Sequence[str]) -> None:
    asked = vault_log.lines(home, school_year, ASKED)
    for line in asked:
        workbook_path(home, line["label"]).unlink(missing_ok=True)
    if asked and workbook_path(home, "-").parent.exists():
        sync_folder(workbook_path(home, "-").parent)
    home.vault.remove([*tables, *(copy_name(school_year, line["content_sha256"]) for line in asked)], [])
