"""Sums that a sender's own total rows state: what adds up counts, what does not refuses the file."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.intake.files import (
    KEYS,
    Row,
    csv_of,
    deliver,
    indication,
    line,
    order,
    pupil,
    rules,
    setup_sheets,
    table,
    warned,
    xlsx_bytes,
)
from zio_pipeline.intake import Delivery, take_in_all

Cells = dict[str, Any]


def total(words: str = "Totaal", **stated: Any) -> Row:
    """A total row of a timesheet: words in the first cell, sums below their columns."""
    return dict.fromkeys(line(), "") | {"schooljaar": words} | stated


def with_hours(*durations: Any) -> list[Row]:
    return [line(number, uren=value) for number, value in enumerate(durations)]


def require_right(delivery: Delivery, rows: int, totals: Sequence[int]) -> None:
    """Accepted whole, and the sums of the total rows on these lines were checked."""
    assert (delivery.status, delivery.reason) == ("accepted", None)
    assert delivery.rows_accepted == rows
    assert [w.row_number for w in delivery.warnings if w.rule == "total_row"] == list(totals)
    assert all("nageteld" in w.explanation for w in delivery.warnings if w.rule == "total_row")


def require_wrong(delivery: Delivery, number: int, column: str, sheet: str = "") -> None:
    """Refused whole, with a Dutch reason that names the row."""
    place = f"Blad '{sheet}': " if sheet else ""
    assert delivery.status == "refused"
    assert (delivery.reason or "").startswith(
        f"{place}De totaalregel op regel {number} noemt in kolom '{column}' een andere som"
    )
    assert "niet volledig" in (delivery.reason or "")
    assert (dict(delivery.accepted), delivery.rows_accepted) == ({}, 0)
    assert delivery.rows_in > 0


# What a total row states, right and wrong by a little

SUMS = [
    ("uren", ["7,5", "8", "0,25"], "15,75", "15,7"),
    ("uren", ["7,5", "8", "0,25"], "15.75", "15.5"),
    ("uren", ["7,5", "8", "0,25"], "15,75 uur", "16 uur"),
    ("uren", ["7,5", "8", "0,25"], "15:45", "15:44"),
    ("uren", ["8"] * 4, "32:00", "31:00"),
    ("uren", ["7:30", "8:00"], "15:30", "15:00"),
    ("uren", ["7:30"] * 4, "30:00:00", "6:00:00"),
    ("uren", ["450", "480"], "930", "929"),
    ("uren", ["450", "480"], "15:30", "15:31"),
    ("uren", ["450"] * 3, "1.350", "1.305"),
    ("uren", ["0,3125", "0,25"], "0,5625", "0,55"),
    ("minuten", ["60", "90", "30"], "180", "181"),
    ("minuten", ["600", "600"], "1.200 min", "1.201"),
]


@pytest.mark.parametrize(("column", "values", "right", "wrong"), SUMS)
def test_a_sum_is_checked_in_the_unit_of_its_column(column: str, values: list[str], right: str, wrong: str) -> None:
    rows = [line(number, **{"uren": "", column: value}) for number, value in enumerate(values)]
    require_right(deliver(csv_of(*rows, total(**{column: right}))), len(rows), [len(rows) + 2])
    require_wrong(deliver(csv_of(*rows, total(**{column: wrong}))), len(rows) + 2, column)


@pytest.mark.parametrize(
    ("values", "right", "wrong"),
    [
        ([7.5, 8], 15.5, 15),
        ([0.1, 0.2, 0.25], 0.1 + 0.2 + 0.25, 0.5),
        ([timedelta(hours=7.5)] * 4, timedelta(hours=30), timedelta(hours=6)),
        ([450, 480], 930, 900),
        ([0.3125, 0.25], 0.5625, 0.5),
    ],
)
def test_a_sum_in_a_workbook(values: list[Any], right: Any, wrong: Any) -> None:
    rows = with_hours(*values)
    require_right(deliver(xlsx_bytes({"mei": table([*rows, total(uren=right)])})), len(rows), [len(rows) + 2])
    require_wrong(deliver(xlsx_bytes({"mei": table([*rows, total(uren=wrong)])})), len(rows) + 2, "uren", "mei")


ORDERS = [order(bedrag="1.250,50"), order(opdracht="DB", bedrag="2.000")]


@pytest.mark.parametrize("stated", ["3.250,50", "3250,5", "€ 3.250,50", 3250.5])
def test_a_sum_of_euros_that_is_right(stated: Any) -> None:
    orders = [*ORDERS, {"opdracht": "Totaal", "bedrag": stated}]
    delivery = deliver(xlsx_bytes(setup_sheets(orders=orders)))
    assert (delivery.status, delivery.reason) == ("accepted", None)
    assert delivery.accepted["orders"]["stated_amount_cents"].to_pylist() == [125050, 200000]
    assert [(w.dataset, w.row_number, w.rule) for w in delivery.warnings] == [("orders", 4, "total_row")]


@pytest.mark.parametrize("stated", ["3.250,51", "3250", 3250.49])
def test_a_sum_of_euros_that_is_a_cent_off(stated: Any) -> None:
    orders = [*ORDERS, {"opdracht": "Totaal", "bedrag": stated}]
    require_wrong(deliver(xlsx_bytes(setup_sheets(orders=orders))), 4, "bedrag", "contracten")


def test_two_sums_in_one_row_must_both_be_right() -> None:
    rows = [line(n, uren="", minuten="60", pauze="10") for n in range(3)]
    require_right(deliver(csv_of(*rows, total(minuten="180", pauze="30"))), 3, [5])
    require_wrong(deliver(csv_of(*rows, total(minuten="180", pauze="31"))), 5, "pauze")


@settings(max_examples=15)
@given(hundredths=st.lists(st.integers(1, 1200), min_size=1, max_size=12), lost=st.booleans())
def test_a_row_that_got_lost_is_noticed(hundredths: list[int], lost: bool) -> None:
    """Whatever the hours: the sum of all rows is right, and one that is off by more than rounding can explain is not.

    The row of 0,99 is none in hours and minutes: of a column with 3,45 only nobody knows its unit.
    """
    hundredths = [99, *hundredths]
    rows = with_hours(*(f"{h // 100},{h % 100:02d}" for h in hundredths))
    stated = sum(hundredths)
    delivery = deliver(csv_of(*rows, total(uren=f"{stated // 100},{stated % 100:02d}")))
    assert (delivery.status, delivery.rows_accepted) == ("accepted", len(rows))
    if lost:
        stated += 25 + len(rows)
        missing = deliver(csv_of(*rows, total(uren=f"{stated // 100},{stated % 100:02d}")))
        require_wrong(missing, len(rows) + 2, "uren")


# Blocks, sheets and the whole file


def test_a_total_may_be_of_its_block_or_of_all_above() -> None:
    first, second = with_hours("8", "7"), [line(7, uren="6"), line(8, uren="5,5")]
    lines = [
        *first,
        total("Subtotaal", uren="15"),
        *second,
        total("Subtotaal", uren="11,5"),
        total("Eindtotaal", uren="26,5"),
    ]
    require_right(deliver(csv_of(*lines)), 4, [4, 7, 8])
    wrong = [
        *first,
        total("Subtotaal", uren="15"),
        *second,
        total("Subtotaal", uren="11"),
        total("Eindtotaal", uren="26,5"),
    ]
    require_wrong(deliver(csv_of(*wrong)), 7, "uren")
    wrong[5:] = [total("Subtotaal", uren="11,5"), total("Eindtotaal", uren="15")]
    require_wrong(deliver(csv_of(*wrong)), 8, "uren")


def test_a_grand_total_may_be_of_all_sheets() -> None:
    first, second = with_hours("8", "7"), [line(7, uren="6"), line(8, uren="5,5")]

    def book(of_second: str, of_all: str) -> bytes:
        lines = [*second, total(uren=of_second), total("Eindtotaal", uren=of_all)]
        return xlsx_bytes({"week 1": table([*first, total(uren="15")]), "week 2": table(lines)})

    require_right(deliver(book("11,5", "26,5")), 4, [4, 4, 5])
    require_wrong(deliver(book("15", "26,5")), 4, "uren", "week 2")
    require_wrong(deliver(book("11,5", "26")), 5, "uren", "week 2")


def test_the_first_sheet_knows_nothing_of_the_next() -> None:
    book = {"week 1": table([*with_hours("8", "7"), total(uren="26")]), "week 2": table([line(7, uren="11")])}
    require_wrong(deliver(xlsx_bytes(book)), 4, "uren", "week 1")


# What cannot be added up, and what counts all the same


def test_a_sum_below_an_unreadable_cell_is_not_checked() -> None:
    delivery = deliver(csv_of(*with_hours("8", "acht", "7"), total(uren="9999")))
    assert rules(delivery) == {3: ["duration"]}
    (sum_of_hours,) = [w for w in delivery.warnings if w.column]
    assert (sum_of_hours.row_number, sum_of_hours.column, sum_of_hours.rule) == (5, "duration_minutes", "total_row")
    assert sum_of_hours.explanation == "De som van kolom 'uren' op deze totaalregel is niet gecontroleerd."


def test_the_block_below_an_unreadable_cell_is_checked_by_itself() -> None:
    """The total of the second block is right whatever the unreadable cell of the first was."""
    lines = [*with_hours("8", "acht"), total(uren="9999"), line(7, uren="6"), line(8, uren="5"), total(uren="11")]
    delivery = deliver(csv_of(*lines))
    assert (delivery.status, delivery.rows_accepted) == ("partly_accepted", 3)


@pytest.mark.parametrize("stated", ["acht 8", "± 15", "15 dagen", "1e3", "7:75", "15,5,5"])
def test_a_stated_sum_that_is_none_is_not_checked(stated: str) -> None:
    delivery = deliver(csv_of(*with_hours("8", "7"), total(uren=stated)))
    assert delivery.status == "accepted"
    assert [w.column for w in delivery.warnings] == ["", "duration_minutes"]


def test_a_row_that_is_bad_otherwise_counts_in_the_senders_sum() -> None:
    rows = [*with_hours("8"), line(1, uren="7", klas=""), line(2, uren="6")]
    delivery = deliver(csv_of(*rows, total(uren="21")))
    assert (rules(delivery), delivery.rows_accepted) == ({3: ["required"]}, 2)
    require_wrong(deliver(csv_of(*rows, total(uren="14"))), 5, "uren")


def test_an_empty_cell_is_nothing_in_a_sum() -> None:
    rows = [*with_hours("8", "7"), line(5, uren="", minuten="60")]
    require_right(deliver(csv_of(*rows, total(uren="15", minuten="60"))), 3, [5])


@pytest.mark.parametrize("column", ["besluitnummer", "pgb percentage"])
def test_numbers_that_nobody_adds_up_are_no_sum(column: str) -> None:
    """Below numbers that are no quantity a total can only be a number of rows, or nothing that can be checked."""
    rows = [{**indication(n), "pgb percentage": "50"} for n in range(3)]
    last = dict.fromkeys(rows[0], "") | {"schooljaar": "Totaal", column: "3"}
    assert deliver(csv_of(*rows, last)).status == "accepted"


def test_a_total_of_the_senders_own_column_is_listed_only() -> None:
    rows = [{**pupil(n), "uren per week": "20"} for n in (1, 2)]
    delivery = deliver(csv_of(*rows, dict.fromkeys(rows[0], "") | {"schooljaar": "Totaal", "uren per week": "41"}))
    assert (delivery.status, warned(delivery)) == ("accepted", [(1, "unknown_column"), (4, "total_row")])


def test_a_number_of_a_pupil_in_a_total_row_is_never_repeated() -> None:
    """Between words of a total a pupil number is the only whole number, but no number of rows."""
    last = dict.fromkeys(pupil(), "") | {"schooljaar": "Totaal", "pgn": pupil(3)["pgn"]}
    delivery = deliver(csv_of(pupil(1), pupil(2), last))
    assert pupil(3)["pgn"] not in f"{delivery!r}"


# Hours that were rounded to hundredths


def thirds(count: int) -> list[Row]:
    """Rows of twenty minutes, which a sender can only write as 0,33 hours, and one of an hour."""
    return with_hours("1", *["0,33"] * count)


@pytest.mark.parametrize("stated", ["10,90", "11,00"])
def test_a_sum_of_rounded_hours_may_be_of_the_rounded_or_of_the_real_ones(stated: str) -> None:
    delivery = deliver(csv_of(*thirds(30), total(uren=stated)))
    require_right(delivery, 31, [33])
    (rows,) = delivery.accepted.values()
    assert rows["duration_minutes"].to_pylist() == [60, *[20] * 30]


@pytest.mark.parametrize("count", [2, 10, 30])
def test_a_missing_row_is_no_rounding(count: int) -> None:
    stated = 100 + 33 * (count + 1)
    delivery = deliver(csv_of(*thirds(count), total(uren=f"{stated // 100},{stated % 100:02d}")))
    require_wrong(delivery, count + 3, "uren")


def test_the_rounding_of_every_sheet_counts_in_a_grand_total() -> None:
    second = [line(90 + n, uren="1") for n in range(2)]
    grand = total("Eindtotaal", uren="12,90")  # 1 + 30 x 0,33 on the first sheet, 2 on this one
    book = {"week 1": table(thirds(30)), "week 2": table([*second, total(uren="2"), grand])}
    require_right(deliver(xlsx_bytes(book)), 33, [4, 5])


def test_the_rounding_of_another_block_excuses_nothing() -> None:
    lines = [*thirds(30), total(uren="10,90"), line(90, uren="8"), line(91, uren="7"), total(uren="15,2")]
    require_wrong(deliver(csv_of(*lines)), 36, "uren")


def test_the_rounding_of_another_file_excuses_nothing() -> None:
    wrong = csv_of(*with_hours(*["7,5"] * 10), total(uren="75,05"))
    require_wrong(deliver(wrong), 12, "uren")
    together, _ = take_in_all([wrong, csv_of(*thirds(3))], KEYS)
    require_wrong(together, 12, "uren")
