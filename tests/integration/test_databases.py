"""SQLite and PostgreSQL give byte-equal tables for a whole demo year, and the same documents."""

import shutil
from pathlib import Path

import pytest

from resources.home import Home
from tests.conftest import ONLY_IN_SOAK
from tests.integration.conftest import SettledYear, zio_run
from tests.region import quick
from zio_pipeline.contracts import products


@pytest.fixture(params=["small_whole_year", pytest.param("settled_year", marks=ONLY_IN_SOAK)])
def on_sqlite(request: pytest.FixtureRequest) -> SettledYear:
    """A year of 60 pupils in every run of the tests; in `make soak` that of `make run` too."""
    year: SettledYear = request.getfixturevalue(request.param)
    return year


def test_every_table_is_byte_equal_on_postgresql(
    on_sqlite: SettledYear, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The same keys, so that pseudonyms on worklist and signals are the same too.
    shutil.copytree(on_sqlite.folder / "vault" / "keys", tmp_path / "vault" / "keys")
    (tmp_path / "vault").chmod(0o700)
    monkeypatch.setenv("ZIO_WAREHOUSE_URL", postgres_url)
    with quick():  # the rows are the same
        assert zio_run(tmp_path, on_sqlite.inbox, "--replay") == 0
    on_postgres = Home.open(tmp_path)
    assert on_postgres.warehouse.database.dialect == "postgresql"
    for name in products():
        ours, theirs = on_sqlite.home.warehouse.export_csv(name), on_postgres.warehouse.export_csv(name)
        assert ours == theirs, name
    assert on_postgres.ledger.posted("2025-2026") == on_sqlite.home.ledger.posted("2025-2026")
    assert on_postgres.verify() == []
