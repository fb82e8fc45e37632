"""`zio verify`: the ledger proved, every signature held against the tables and against the vault, every table of documents re-made.

Belongs here: findings, as Dutch sentences that name the place. It repairs nothing, and it stops at nothing: what cannot be read
is a finding too. Does not belong here: how the ledger is proved (`resources.ledger_proof`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resources.establishments import Establishment
from resources.home import Home
from zio_pipeline.billing import invoice_rows
from zio_pipeline.errors import ZioError
from zio_pipeline.establishment import table_hashes
from zio_pipeline.figures import compute_year
from zio_pipeline.stages.inputs import signed_inputs

Rows = Sequence[Mapping[str, Any]]


def verify(home: Home) -> list[str]:
    """Everything that is not as it was signed, posted or received; empty when all is sound.

    Proved: the warehouse itself (`Home.verify`), per established version that its tables are those its receipt was signed for
    and come out again of the files in the vault that it names, and that the tables of documents are what the ledger says.
    """
    findings = home.verify()
    for signed in home.warehouse.establishments():
        findings += [*_tables(home, signed), *_vault(home, signed)]
    for school_year in sorted({signed.school_year for signed in home.warehouse.establishments()}):
        findings += _documents(home, school_year)
    return findings


def _named(signed: Establishment) -> str:
    return f"Schooljaar {signed.school_year} versie {signed.version}"


def _tables(home: Home, signed: Establishment) -> Iterator[str]:
    scope = {"school_year": signed.school_year, "version": signed.version}
    for name, expected in sorted(signed.receipt["figures_sha256"].items()):
        if table_hashes({name: home.warehouse.rows(name, **scope)})[name] != expected:
            yield f"{_named(signed)}: tabel {name} is niet wat ondertekend is."


def _vault(home: Home, signed: Establishment) -> Iterator[str]:
    try:
        figures = compute_year(signed_inputs(home, signed), signed.version)
    except ZioError as error:
        yield f"{_named(signed)}: is niet te herrekenen uit de kluis. {error}"
        return
    for name, found in table_hashes(figures.tables).items():
        if signed.receipt["figures_sha256"].get(name) != found:
            yield f"{_named(signed)}: uit de kluis herrekend is tabel {name} niet wat ondertekend is."


def _documents(home: Home, school_year: str) -> Iterator[str]:
    for name, rows in invoice_rows(home.ledger.posted(school_year)).items():
        published = home.warehouse.rows(name, school_year=school_year)
        if table_hashes({name: published}) != table_hashes({name: rows}):
            yield f"Schooljaar {school_year}: tabel {name} is niet wat het grootboek zegt; boek opnieuw (zio bill) of herstel."
