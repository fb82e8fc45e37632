"""`zio verify`: the ledger proved, every signature held against the tables and against the vault, every table re-made.

Belongs here: findings, as Dutch sentences that name the place. It repairs nothing, and it stops at nothing: what cannot be read
is a finding too. Does not belong here: how the ledger is proved (`resources.ledger_proof`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from resources.establishments import Establishment
from resources.home import Home
from resources.ledger_proof import guarded
from zio_pipeline.billing import invoice_rows
from zio_pipeline.contracts import Dataset, products
from zio_pipeline.errors import ZioError
from zio_pipeline.establishment import table_hashes
from zio_pipeline.figures import YearFigures, compute_year, figures_hash
from zio_pipeline.stages.billing import DOCUMENT_TABLES
from zio_pipeline.stages.inputs import MONEY_SOURCES, signed_inputs
from zio_pipeline.stages.releasing import state_rows
from zio_pipeline.stages.standing import QUARANTINED, kept, vault_stem
from zio_pipeline.stages.year import FINANCE_TABLES

Rows = Sequence[Mapping[str, Any]]

REMADE = {*FINANCE_TABLES, *DOCUMENT_TABLES, "document_states", "proofs"}
"""Tables that are held against a signature, the vault or the ledger; every other one against the verdict it was published with."""
SCOPES = ("school_year", "version", "calendar_year", "as_of", "month")
"""Columns by which tables are published, from coarse to fine; after these the columns of the key."""


def verify(home: Home) -> list[str]:
    """Everything that is not as it was signed, posted, received or published; empty when all is sound.

    Proved: the warehouse itself (`Home.verify`); per established version that its tables are those its receipt was signed for
    and come out again of the files in the vault that it names, with the same proofs; that the tables of documents and of their
    states are what the ledger says; and that every other finance table was audited as it stands. A table of the last kind
    from which every row is gone cannot be told from one that was never made.
    """
    findings = guarded("het warehouse", home.verify)
    signed: list[Establishment] = []
    findings += guarded("vaststellingen", lambda: signed.extend(home.warehouse.establishments()))
    in_force = {one.school_year: one.version for one in signed}
    for one in signed:
        last = in_force[one.school_year] == one.version
        findings += guarded(f"tabellen van {_named(one)}", partial(_tables, home, one))
        findings += guarded(f"bestanden van {_named(one)}", partial(_files, home, one))
        findings += guarded(f"herrekening van {_named(one)}", partial(_vault, home, one, last=last))
    for school_year in sorted(in_force):
        findings += guarded(f"documenten van {school_year}", partial(_documents, home, school_year))
    for dataset in products().values():
        if dataset.group != "intake" and dataset.name not in REMADE:
            findings += guarded(f"tabel {dataset.name}", partial(_published, home, dataset))
    return findings


def _named(signed: Establishment) -> str:
    return f"Schooljaar {signed.school_year} versie {signed.version}"


def _tables(home: Home, signed: Establishment) -> Iterator[str]:
    scope = {"school_year": signed.school_year, "version": signed.version}
    for name, expected in sorted(signed.receipt["figures_sha256"].items()):
        if table_hashes({name: home.warehouse.rows(name, **scope)})[name] != expected:
            yield f"{_named(signed)}: tabel {name} is niet wat ondertekend is."


def _files(home: Home, signed: Establishment) -> Iterator[str]:
    """Each file of a receipt stands in the manifest once, of its year, as accepted as the vault says it was."""
    for pinned in signed.receipt["inputs"]:
        if pinned["source"] not in MONEY_SOURCES:
            continue
        entries = home.warehouse.manifest(**pinned)
        if [entry.school_year for entry in entries] != [signed.school_year]:
            yield f"{_named(signed)}: bestand {pinned['label']} staat niet in het manifest zoals het ondertekend is."
            continue
        rejected = kept(home, vault_stem(entries[0]), QUARANTINED).num_rows
        if entries[0].status != ("partly_accepted" if rejected else "accepted"):
            yield f"{_named(signed)}: de status van bestand {pinned['label']} in het manifest is niet die van de kluis."


def _vault(home: Home, signed: Establishment, *, last: bool) -> Iterator[str]:
    try:
        figures = compute_year(signed_inputs(home, signed), signed.version)
    except ZioError as error:
        yield f"{_named(signed)}: is niet te herrekenen uit de kluis. {error}"
        return
    for name, found in table_hashes(figures.tables).items():
        if signed.receipt["figures_sha256"].get(name) != found:
            yield f"{_named(signed)}: uit de kluis herrekend is tabel {name} niet wat ondertekend is."
    yield from _proofs(home, signed, figures, last=last)


def _proofs(home: Home, signed: Establishment, figures: YearFigures, *, last: bool) -> Iterator[str]:
    """The proofs come out again; those of an earlier version may be of a program with other equations, but were audited."""
    scope = {"school_year": signed.school_year, "version": signed.version}
    stored = figures_hash({"proofs": home.warehouse.rows("proofs", **scope)})
    if stored == figures_hash({"proofs": [proof.row() | scope for proof in figures.proofs]}):
        return
    if last or stored not in _audited(home, "proofs"):
        yield f"{_named(signed)}: tabel proofs is niet wat opnieuw uit de cijfers komt."


def _documents(home: Home, school_year: str) -> Iterator[str]:
    tables = {**invoice_rows(home.ledger.posted(school_year)), "document_states": state_rows(home, school_year)}
    for name, rows in tables.items():
        published = home.warehouse.rows(name, school_year=school_year)
        if table_hashes({name: published}) != table_hashes({name: rows}):
            yield f"Schooljaar {school_year}: tabel {name} is niet wat het grootboek zegt; boek opnieuw (zio bill) of herstel."


def _published(home: Home, dataset: Dataset) -> Iterator[str]:
    names = {column.name for column in dataset.columns}
    scopes = [*(name for name in SCOPES if name in names), *(name for name in dataset.key if name not in SCOPES)]
    standing = home.warehouse.rows(dataset.name)
    good = _audited(home, dataset.name) if standing else set()
    for school_year, rows in _split(standing, scopes[0]):
        if not _covered(dataset.name, rows, scopes[1:], good):
            yield f"Schooljaar {school_year}: tabel {dataset.name} heeft geen geldig controlebewijs; maak haar opnieuw of herstel."


def _covered(name: str, rows: Rows, finer: Sequence[str], good: set[str]) -> bool:
    """Whether the rows were published as they stand: at once, or each part of them."""
    if figures_hash({name: rows}) in good:
        return True
    return bool(finer) and all(_covered(name, part, finer[1:], good) for _, part in _split(rows, finer[0]))


def _split(rows: Iterable[Mapping[str, Any]], column: str) -> list[tuple[Any, Rows]]:
    ordered = sorted(rows, key=lambda row: str(row[column]))
    return [(value, list(part)) for value, part in groupby(ordered, key=lambda row: row[column])]


def _audited(home: Home, name: str) -> set[str]:
    """Hashes of the contents of a table that passed an audit, by the rules of then."""
    return {row["input_hash"] for row in home.warehouse.verdict_details(dataset=name, ok=True)}
