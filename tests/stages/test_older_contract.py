"""A year established under an older contract of its workbook: a sheet and a column that came later change nothing of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.money.shapes import Shape
from tests.region import JULY, KEY, Region, quick
from zio_pipeline.contracts import sources
from zio_pipeline.errors import ZioError
from zio_pipeline.stages import standing
from zio_pipeline.stages.verifying import verify


class Older(Region):
    """Takes workbooks in as a release did that knew no sheet `werkafspraken` and no month of a besluit."""

    def _take_in(self, source: str, tables: Any) -> None:
        kept = {name: [_older(row) for row in rows] for name, rows in tables.items() if name != "agreements"}
        super()._take_in(source, kept)


def _older(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "month"}


def test_it_comes_out_the_same(tmp_path: Path):
    with quick():
        region = Older(tmp_path)
        region.deliver(Shape().year())
        region.establish(JULY)
        assert region.bill(JULY.replace(month=9)).posted
        region.bill_and_publish(JULY.replace(month=9))
        assert verify(region.home) == []


def test_a_table_that_today_asks_for_is_never_read_as_empty(tmp_path: Path):
    """Gone from the vault is not the same as never there."""
    with quick():
        region = Older(tmp_path)
        region.deliver(Shape().year())
    (entry,) = region.home.warehouse.active("school_year_setup", KEY)
    assert standing.accepted_rows(region.home, entry, "agreements") == []
    of_today = type(entry)(**vars(entry) | {"contract_fingerprint": sources()["school_year_setup"].fingerprint})
    with pytest.raises(ZioError):
        standing.accepted_rows(region.home, of_today, "agreements")
