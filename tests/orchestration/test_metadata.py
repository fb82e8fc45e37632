"""What the Dagster UI shows of a table: counts and sums, and of columns that not everybody may see nothing at all."""

from zio_pipeline.contracts import products
from zio_pipeline.orchestration.metadata import OPEN, table_metadata


def test_amounts_and_minutes_that_everybody_may_see_are_added_up():
    rows = [{"amount_cents": 100_00, "minutes": 30}, {"amount_cents": 5, "minutes": None}]
    terms = [dict.fromkeys(c.name for c in products()["terms"].columns) | row for row in rows]
    assert table_metadata(products()["terms"], terms) == {"dagster/row_count": 2, "som bedrag (cent)": 100_05}


def test_no_sum_of_a_restricted_column_of_any_table():
    """Whoever opens the UI reads along: a sum over the rows of one pupil is about that pupil."""
    shut = 0
    for dataset in products().values():
        row = {column.name: 7 if column.kind in ("euro", "minutes") else None for column in dataset.columns}
        shown = table_metadata(dataset, [row])
        for column in dataset.columns:
            if column.kind in ("euro", "minutes"):
                name = f"som {column.dutch}" + (" (cent)" if column.kind == "euro" else "")
                assert (name in shown) == (column.classification in OPEN), (dataset.name, column.name)
                shut += column.classification not in OPEN
    assert shut > 10
    assert not [name for name in table_metadata(products()["wlz_hours"], []) if name.startswith("som")]
