"""A database in memory stays there."""

from pathlib import Path

import duckdb
import pytest

from zio_pipeline.sql import IN_MEMORY

SPREAD = "create table x as select i, md5(i::varchar) as m from range(2000000) t(i)"


def test_what_does_not_fit_is_an_error_and_nothing_of_it_reaches_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left to itself DuckDB lays rows aside in a folder `.tmp`, unencrypted, wherever the program was started (SPEC 8)."""
    monkeypatch.chdir(tmp_path)
    small = {**IN_MEMORY, "memory_limit": "30MB"}
    with duckdb.connect(":memory:", config=small) as connection, pytest.raises(duckdb.OutOfMemoryException):
        connection.execute(SPREAD)
    assert list(tmp_path.iterdir()) == []
