"""After establishment: of the pupil files only the facts stay, without birth date and postcode (SPEC section 8).

Facts hold for a startdatum, a peildatum and a list of verblijf locations. Where versions differ in those, a row keeps what each of
them makes of it, so that every version of the year can be computed again.

Belongs here: which files are thinned, proving that the year stays the same, and the order in which record and removal are
written. Does not belong here: what a fact is (payer.facts), the bytes and rows as they were sent (retention).

First every thin table, then a rehearsal: every version is computed as if the fuller ones were gone, and must be what was signed.
Then the record, then the removal. A run that is cut off leaves both, and the fuller one is read; the next run finishes it. So
nothing is gone without a record, and nothing that the year needs is ever gone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pyarrow as pa

from resources.closing import Closings
from resources.establishments import Establishment
from resources.home import Home
from resources.sealed import sync_folder
from resources.vault import Vault
from zio_pipeline.errors import EstablishmentBlocked, NotProved, ZioError
from zio_pipeline.establishment import require_signed, sha256_of
from zio_pipeline.figures import compute_year
from zio_pipeline.intake import rows_with_refs
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.payer.facts import OTHERWISE, facts_of, thinned
from zio_pipeline.privacy import Keys
from zio_pipeline.settings import Settings
from zio_pipeline.setup import read_setup
from zio_pipeline.stages import vault_log
from zio_pipeline.stages.inputs import signed_inputs
from zio_pipeline.stages.residence_answers import ANSWERED, ASKED, copy_name, words_name, workbook_path
from zio_pipeline.stages.standing import vault_stem

DATASET = "pupil_registrations"
THINNED = "thinned"
THIN = ".thin"
"""How the name of a thin table ends, behind that of the fuller one."""
_FIRST = pa.schema(  # beside the place of the sender's row
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
SCHEMA = _FIRST.append(
    pa.field("otherwise", pa.list_(pa.struct([_FIRST.field(name) for name in OTHERWISE])))  # for other versions
)


def thin(home: Home, school_year: str, by: str, on: date) -> int:
    """Replace the accepted rows of the pupil files of an established year by their facts, and remove the fuller ones for good.

    It goes for the files that a receipt names and for those that count no more; a file that was accepted after the
    establishment stays whole until a version names it or the year is closed: then no version can come any more. The workbooks
    of residence checks of the year go too, for they hold birth dates, and what municipalities wrote beside their answers, for
    that can be anything. Files thinned before are left alone.

    Returns:
        The number of files thinned now.

    Raises:
        EstablishmentBlocked: the year is not established.
        NotProved: without the fuller rows a version would not be the one that was signed; nothing was removed.
    """
    versions = home.warehouse.establishments(school_year)[::-1]
    if not versions:
        raise EstablishmentBlocked(
            [f"schooljaar {school_year} is nog niet vastgesteld; tot dan zijn alle rijen nodig."]
        )
    is_closed = Closings(home.warehouse.database).closure(school_year) is not None
    with home.vault.exclusive():
        bases = [read_setup(signed_inputs(home, version).sheets).settings for version in versions]
        tables: dict[str, pa.Table] = {}
        files: dict[ManifestEntry, int] = {}
        for together in _read_together(whole_files(home, school_year), versions, is_closed=is_closed):
            tables |= _thin_tables(home, together, bases)
            files |= {file: tables[_full(file)].num_rows for file in together}
        _put(home, tables, versions)
        _record(home, school_year, files, by, on)
        _remove(home, school_year, list(tables))
    return len(tables)


def whole_files(home: Home, school_year: str) -> list[ManifestEntry]:
    """The versions of pupil files of which the vault still holds birth date and postcode."""
    return [e for e in home.warehouse.manifest(source=DATASET, school_year=school_year) if home.vault.has(_full(e))]


def _read_together(
    whole: Sequence[ManifestEntry], versions: Sequence[Establishment], *, is_closed: bool
) -> Iterator[list[ManifestEntry]]:
    """The files to be thinned: those that a version read together, the last version first, and every other one alone."""
    left = list(whole)
    for version in versions:
        signed = [file for file in left if _is_in(file, version.receipt["inputs"])]
        left = [file for file in left if file not in signed]
        yield signed
    yield from ([file] for file in left if is_closed or not file.active)


def _full(entry: ManifestEntry) -> str:
    return f"{vault_stem(entry)}-{DATASET}"


def _is_in(entry: ManifestEntry, files: Sequence[Mapping[str, str]]) -> bool:
    names = ("content_sha256", "contract_fingerprint", "parser_version", "key_id")
    return any(all(file[name] == getattr(entry, name) for name in names) for file in files)


def _thin_tables(home: Home, entries: Sequence[ManifestEntry], bases: Sequence[Settings]) -> dict[str, pa.Table]:
    """The thin table of each file, by the name of its fuller one; the files are read together, as the year reads them.

    The settings of the last version come first: what is read of a row without saying for when, is of that version.
    """
    full = {entry: home.vault.get(_full(entry)) for entry in entries}
    rows = [row for entry, table in full.items() for row in rows_with_refs(entry.label, table)]
    first, *others = ([(one, settings) for one in facts_of(rows, settings)] for settings in bases)
    facts = (thinned(*one, *(other[n] for other in others)) for n, one in enumerate(first))
    found = {}
    for entry, table in full.items():
        kept = pa.Table.from_pylist([next(facts) for _ in range(table.num_rows)], schema=SCHEMA)
        for place in ("sheet", "row_number"):
            kept = kept.append_column(place, table[place])
        found[_full(entry)] = kept
    return found


def _put(home: Home, tables: Mapping[str, pa.Table], versions: Sequence[Establishment]) -> None:
    """Keep the thin tables when every version is the same without the fuller ones."""
    thin_names = [f"{name}{THIN}" for name in tables]
    home.vault.remove(thin_names, [])  # of a run that was cut off: the fuller ones are still there
    try:
        for name, table in tables.items():
            home.vault.put(f"{name}{THIN}", table)
        without = replace(home, vault=_Rehearsal(home.folder / "vault", home.keys, tables.keys()))
        for version in versions:
            _rehearse(without, version)
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


def _rehearse(home: Home, version: Establishment) -> None:
    """Compute an established version: its decisions and every table must be those that two people signed for."""
    without = f"Zonder geboortedatum en postcode is versie {version.version} van het jaar"
    try:
        figures = compute_year(signed_inputs(home, version), version.version)
        require_signed(version.receipt, figures.tables)
        same = sha256_of([asdict(d) for d in figures.outcome.decisions]) == version.receipt["decisions_sha256"]
    except ZioError as error:
        raise NotProved(f"{without} niet na te rekenen; er is niets verwijderd. {error}") from error
    if not same:
        raise NotProved(f"{without} een jaar met andere betalers; er is niets verwijderd.")


def _record(home: Home, school_year: str, files: Mapping[ManifestEntry, int], by: str, on: date) -> None:
    """A line per thin table, so also for a file that was read again and thinned again; unless a run that was cut off wrote it."""
    known = Counter(line["content_sha256"] for line in vault_log.lines(home, school_year, THINNED))
    made = Counter(name.partition("-")[0] for name in home.vault.names() if name.endswith(f"-{DATASET}{THIN}"))
    fresh = {file: rows for file, rows in files.items() if known[file.content_sha256] < made[file.content_sha256]}
    lines = [vault_log.Entry(THINNED, f.content_sha256, f.label, None, rows, by, on) for f, rows in fresh.items()]
    vault_log.record(home, school_year, lines)


def _remove(home: Home, school_year: str, tables: Sequence[str]) -> None:
    asked, answered = (vault_log.lines(home, school_year, what) for what in (ASKED, ANSWERED))
    for line in asked:
        workbook_path(home, line["label"]).unlink(missing_ok=True)
    if asked and workbook_path(home, "-").parent.exists():
        sync_folder(workbook_path(home, "-").parent)
    copies = [copy_name(school_year, line["content_sha256"]) for line in asked]
    words = [words_name(school_year, line["content_sha256"]) for line in answered]
    home.vault.remove([*tables, *copies, *words], [])
