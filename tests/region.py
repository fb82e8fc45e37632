"""A region on real stores: the rows of `year_builder` as files that were taken in, two people who sign, and a ledger.

Everything from the vault to the ledger is the program's own; only the reading of files is skipped, and with `quick` the audit
by Great Expectations too (it costs more than all the rest, and has tests of its own).
Belongs here: putting rows where intake puts them, and short names for what people do. Does not belong here: any expectation.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pyarrow as pa
import pytest

from resources.home import Home
from resources.vault import Vault
from tests.year_builder import Year
from zio_pipeline.audit import Audit
from zio_pipeline.figures import canonical
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.stages import billing, establishing, releasing
from zio_pipeline.stages.standing import vault_stem

KEY = "2025-2026"
JULY = date(2025, 7, 15)


class Region:
    """One home with one school year."""

    def __init__(self, folder: Path, url: str | None = None):
        environ = {"ZIO_WAREHOUSE_URL": url} if url else {}
        self.folder, self.environ = folder, environ
        self.home = Home.open(folder, environ)

    def deliver(self, year: Year) -> None:
        """These rows count from now on, each source as one file."""
        self._take_in("school_year_setup", year.filled_sheets())
        self._take_in("pupil_registrations", {"pupil_registrations": _unnamed(year.registrations)})
        self._take_in("wlz_statuses", {"wlz_statuses": _unnamed(year.indications)})

    def _take_in(self, source: str, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        content = hashlib.sha256(canonical(tables).encode()).hexdigest()
        names = ("content_sha256", "contract_fingerprint", "parser_version", "key_id")
        identity = dict(zip(names, (content, "0" * 64, "test", self.home.keys.key_id), strict=True))
        label = f"{source}-{content[:8]}"
        entry = ManifestEntry(
            **identity, label=label, source=source, status="accepted", received_on=JULY, school_year=KEY
        )
        (standing,) = self.home.warehouse.active(source, KEY) or [None]
        if standing is not None and standing.content_sha256 == content:
            return
        known = self.home.warehouse.manifest(**identity)
        if known:  # what was delivered before counts again
            self.home.warehouse.withdraw(standing, known[0], [])
            return
        for name, rows in tables.items():
            placed = [{**row, "sheet": "", "row_number": number} for number, row in enumerate(rows, start=2)]
            table = pa.Table.from_pylist(placed) if placed else pa.table({"sheet": [], "row_number": []})
            self.home.vault.put(f"{vault_stem(entry)}-{name}", table)
        self.home.warehouse.take_up([entry], {})

    def establish(self, on: date, reason: str | None = None) -> int:
        """Proposed by one, approved by another; the version that is in force then."""
        proposal = establishing.propose(self.home, KEY, "Jan", on, reason=reason)
        establishing.approve(self.home, KEY, proposal.receipt_hash, "Piet", on)
        return proposal.version

    def bill(self, on: date, **options: Any) -> billing.Billed:
        """Post what is due; what waits is in the outcome."""
        return billing.bill(self.home, KEY, on, **options)

    def bill_and_publish(self, on: date) -> None:
        """As a run does: post, and publish what finance reads of it."""
        billed = self.bill(on)
        billing.publish_documents(self.home, KEY, billed)
        billing.publish_parked(self.home, KEY, billed)
        releasing.publish_states(self.home, KEY)

    def posted(self) -> list[Any]:
        return self.home.ledger.posted(KEY)

    def rows(self, product: str) -> list[dict[str, Any]]:
        """Rows of a finance table of the version in force."""
        version = self.home.warehouse.establishment(KEY).version
        return self.home.warehouse.rows(product, school_year=KEY, version=version)


def _unnamed(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows without the name of their own place: the reader gives it."""
    return [{name: value for name, value in row.items() if name != "row_ref"} for row in rows]


@contextmanager
def unaudited() -> Iterator[None]:
    """Tables are published and files are taken in without asking Great Expectations: every audit passes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zio_pipeline.stages.publishing.audit", _passed)
        patch.setattr("zio_pipeline.stages.receiving.audit_deliveries", lambda *_, **__: None)
        yield


@contextmanager
def quick() -> Iterator[None]:
    """Nothing is audited, and the vault is opened once per table."""
    read = Vault.get
    seen: WeakKeyDictionary[Vault, dict[str, pa.Table]] = WeakKeyDictionary()

    def get(vault: Vault, name: str) -> pa.Table:
        tables = seen.setdefault(vault, {})
        if name not in tables:
            tables[name] = read(vault, name)
        return tables[name]

    with unaudited(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Vault, "get", get)
        yield


def _passed(dataset: Any, rows: Any, minimum_rows: int = 0) -> Audit:
    return Audit(dataset.name, len(rows), ())
