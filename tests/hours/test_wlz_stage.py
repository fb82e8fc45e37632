"""The Wlz side on the real stores: the shares that were signed, and the legal ground as the newest workbook has it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.faces import wlz_hours
from resources.dagster_home import ClockResource, HomeResource
from tests.region import JULY, KEY, Region, quick
from tests.year_builder import MIDDEN_BRABANT, Year, small_year
from zio_pipeline.stages.wlz_hours import publish_wlz_hours

NOVEMBER = date(2025, 11, 11)


@pytest.fixture(autouse=True)
def unaudited() -> Iterator[None]:
    with quick():
        yield


def prolonged() -> Year:
    """The same year, in which planning counts as delivery from 1 October on."""
    year = small_year(planning_is_realisatie=None)
    rows = [
        ("nee", date(2025, 8, 1), date(2025, 9, 30), "fictief"),
        ("ja", date(2025, 10, 1), None, "overeenkomst (fictief)"),
    ]
    for row in rows:
        names = ("value", "valid_from", "valid_to", "source")
        year.add("settings", key="planning_is_realisatie", **dict(zip(names, row, strict=True)))
    return year


def of_middle(rows: list[dict[str, Any]]) -> dict[str, Any]:
    (row,) = [row for row in rows if row["payer"] == MIDDEN_BRABANT]
    return row


def test_a_ground_that_came_later_counts_and_a_month_to_come_has_no_volume(tmp_path: Path):
    """No hour was delivered. The law may change in the course of an established year, and moves no amount of it."""
    region = Region(tmp_path / "home")
    region.deliver(small_year())
    region.establish(JULY)
    before = of_middle(publish_wlz_hours(region.home, KEY, NOVEMBER, "2025-10"))
    assert (before["volume_minutes"], before["legal_ground"]) == (0, None)

    region.deliver(prolonged())
    october, december, september = (
        of_middle(publish_wlz_hours(region.home, KEY, NOVEMBER, month)) for month in ("2025-10", "2025-12", "2025-09")
    )
    assert october["volume_minutes"] == october["planned_minutes"] == before["planned_minutes"] > 0
    assert october["legal_ground"] == "overeenkomst (fictief)"
    assert (september["volume_minutes"], september["legal_ground"]) == (0, None), "nee in September"
    assert december["planned_minutes"] > 0
    assert (december["volume_minutes"], december["legal_ground"]) == (0, None), "not begun on 11 November"

    result = dg.materialize(
        [wlz_hours],
        partition_key="2025-12",
        resources={"home": HomeResource(folder=str(region.folder)), "clock": ClockResource(fixed="2026-07-31")},
        run_config={"ops": {"wlz_hours": {"config": {"as_of": NOVEMBER.isoformat()}}}},
    )
    (made,) = result.asset_materializations_for_node("wlz_hours")
    assert {"peildag", "dagster/row_count"} <= set(made.metadata)
    assert not [name for name in made.metadata if name.startswith("som ")], "every minute of it is restricted"
    kept = of_middle(region.home.warehouse.rows("wlz_hours", school_year=KEY, month="2025-12"))
    assert (kept["volume_minutes"], kept["absence_status"]) == (0, "not_measured"), (
        "the day of the run, not of the clock"
    )
