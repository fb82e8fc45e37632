"""SQLite and PostgreSQL give byte-equal tables for the whole demo year, and the same documents."""

import shutil
from pathlib import Path

import pytest

from resources.home import Home
from tests.integration.conftest import SettledYear, zio_run
from tests.region import quick
from zio_pipeline.contracts import products


def test_every_table_is_byte_equal_on_postgresql(
    settled_year: SettledYear, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The same keys, so that pseudonyms on worklist and signals are the same too.
    shutil.copytree(settled_year.folder / "vault" / "keys", tmp_path / "vault" / "keys")
    (tmp_path / "vault").chmod(0o700)
    monkeypatch.setenv("ZIO_WAREHOUSE_URL", postgres_url)
    with quick():  # the same rows were audited on SQLite
        assert zio_run(tmp_path, settled_year.inbox, "--replay") == 0
    on_postgres = Home.open(tmp_path)
    assert on_postgres.warehouse.database.dialect == "postgresql"
    for name in products():
        ours, theirs = settled_year.home.warehouse.export_csv(name), on_postgres.warehouse.export_csv(name)
        assert ours == theirs, name
    assert on_postgres.ledger.posted("2025-2026") == settled_year.home.ledger.posted("2025-2026")
    assert on_postgres.verify() == []
