"""What only a whole column of one file can say: the unit of its durations, the order of its dates; and never another file's."""

import io
import random
from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.intake.files import KEYS, csv_of, deliver, indication, line, pupil, rules, table, warned, xlsx_bytes
from tests.intake.test_reading import rezipped
from zio_pipeline.intake import Delivery, take_in, take_in_all
from zio_pipeline.intake.columns import SETTLED_FROM
from zio_pipeline.intake.parsing import UNITS_IN_DUTCH


def sheet_of_hours(durations: Sequence[str]) -> bytes:
    """A timesheet with these in its column 'uren', each row of another employee."""
    return csv_of(*(line(number, uren=text) for number, text in enumerate(durations)))


def minutes(delivery: Delivery) -> list[int | None]:
    return delivery.accepted["provider_timesheets"]["duration_minutes"].to_pylist()  # type: ignore[no-any-return]


# The unit of a column of durations


@pytest.mark.parametrize(
    ("durations", "expected"),
    [
        (["7:30", "8:00", "0:20"], [450, 480, 20]),
        (["7u30", "7h15", "07:30:00"], [450, 435, 450]),
        (["7,5", "8", "0.25"], [450, 480, 15]),
        (["7,5 uur", "8u", "8 uren"], [450, 480, 480]),
        (["0,33", "1,33", "0,01", "24"], [20, 80, 1, 1440]),
        (["450", "480", "90"], [450, 480, 90]),
        (["450 min", "30 minuten", "1440"], [450, 30, 1440]),
        (["0,3125", "0,25", ".3125", "0,013888888888889"], [450, 360, 450, 20]),
        # What could be two things is what the rest of the column is.
        (["450", "30", "20"], [450, 30, 20]),
        (["20", "8"], [1200, 480]),
        (["0,3125", "0,2083333", "0,5"], [450, 300, 720]),
        (["0,5", "1"], [30, 60]),
    ],
)
def test_a_column_has_one_unit(durations: list[str], expected: list[int]) -> None:
    delivery = deliver(sheet_of_hours(durations))
    assert (delivery.status, minutes(delivery)) == ("accepted", expected)


def test_a_workbook_has_its_unit_in_the_cells() -> None:
    for durations in ([timedelta(hours=7.5), timedelta(hours=8)], [7.5, 8], [450, 480], [0.3125, 1 / 3]):
        rows = [line(number, uren=value) for number, value in enumerate(durations)]
        assert minutes(deliver(xlsx_bytes({"uren": table(rows)}))) == [450, 480]


@pytest.mark.parametrize("odd", ["450", "7:30", "0,3125"])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_tenth_may_be_in_another_unit_and_is_set_apart(odd: str, count: int) -> None:
    durations = ["8"] * (9 * count) + [odd] * count
    delivery = deliver(sheet_of_hours(durations))
    assert rules(delivery) == {number: ["mixed_unit"] for number in range(9 * count + 2, 10 * count + 2)}
    assert minutes(delivery) == [480] * (9 * count)
    (explanation,) = {reason.explanation for row in delivery.quarantined for reason in row.reasons}
    assert (
        explanation == "Kolom 'uren': staat in een andere eenheid dan de rest van de kolom; schrijf haar als de andere."
    )


@pytest.mark.parametrize(
    "durations",
    [["8"] * 8 + ["450"], ["8"] * 17 + ["450", "7:30", "0,3125"], ["8", "7:30"], ["450", "8"], ["0,3125", "7,5"]],
)
def test_a_column_without_a_unit_refuses_the_file(durations: list[str]) -> None:
    delivery = deliver(sheet_of_hours(durations))
    assert (delivery.status, delivery.source) == ("refused", "provider_timesheets")
    assert (delivery.reason or "").startswith("Van kolom 'uren' is niet zeker in welke eenheid zij staat.")
    assert all(unit in (delivery.reason or "") for unit in UNITS_IN_DUTCH)
    assert not delivery.accepted
    assert (delivery.rows_in, delivery.rows_accepted) == (len(durations), 0)


def test_unreadable_cells_do_not_unsettle_a_unit() -> None:
    delivery = deliver(sheet_of_hours(["8", "acht", "7,5", "veel", "-3", "1,234"]))
    assert minutes(delivery) == [480, 450]
    assert rules(delivery) == {number: ["duration"] for number in (3, 5, 6, 7)}


DURATIONS = st.sampled_from(["8", "7,5", "20", "7:30", "8:00", "450", "90", "0,3125", "0,25", "acht", ""])


@settings(max_examples=12)
@given(durations=st.lists(DURATIONS | st.just("8"), min_size=1, max_size=14), seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_settle_a_unit(durations: list[str], seed: int) -> None:
    rows = [line(number, uren=text) for number, text in enumerate(durations)]
    shuffled = random.Random(seed).sample(rows, len(rows))
    one, other = take_in_all([csv_of(*rows), csv_of(*shuffled)], KEYS)
    assert (one.status, one.reason, one.rows_accepted) == (other.status, other.reason, other.rows_accepted)
    assert _by_employee(one) == _by_employee(other)


def _by_employee(delivery: Delivery) -> dict[str, int | None]:
    return {
        employee: duration
        for rows in delivery.accepted.values()
        for employee, duration in zip(rows["employee"].to_pylist(), rows["duration_minutes"].to_pylist(), strict=True)
    }


@pytest.mark.parametrize(
    ("durations", "warns"),
    [
        (["0,5", "0,25"], True),
        (["0,3", "0,33"], True),
        (["0,5", "1"], False),
        (["0:30", "0:15"], False),
        (["30", "45"], False),
        (["0,3125", "0,4375"], False),
    ],
)
def test_hours_that_are_all_shorter_than_one_are_pointed_out(durations: list[str], warns: bool) -> None:
    delivery = deliver(sheet_of_hours(durations))
    assert delivery.status == "accepted"
    assert warned(delivery) == ([(0, "short_durations")] if warns else [])


def test_nine_in_ten_is_counted_exactly() -> None:
    assert not [n for n in range(10, 500_001, 10) if n // 10 * 9 < SETTLED_FROM * n]


# The order of a column of dates


@pytest.mark.parametrize(
    ("dates", "expected", "broken"),
    [
        (["01/02/2012", "28/09/2012"], [date(2012, 2, 1), date(2012, 9, 28)], {}),
        (["01/02/2012", "09/28/2012", "28/09/2012"], [date(2012, 9, 28)], {2: ["ambiguous_date"], 3: ["date"]}),
        # Where they are no slip of the pen every date is in doubt, however it is written; ISO never is.
        (["09/28/2012", "01-02-2012", "2012-02-01"], [date(2012, 2, 1)], {2: ["date"], 3: ["ambiguous_date"]}),
        (["09-28-2012", "01-02-2012", "2012-02-01"], [date(2012, 2, 1)], {2: ["date"], 3: ["ambiguous_date"]}),
        # One impossible date among Dutch ones is just a wrong date.
        (
            ["09-28-2012", "01-02-2012", "28-02-2012", "27-02-2012"],
            [date(2012, 2, day) for day in (1, 28, 27)],
            {2: ["date"]},
        ),
        (
            ["01/02/12", "09/28/12", "01-02-2012", "2012-02-01"],
            [date(2012, 2, 1)],
            {2: ["ambiguous_date"], 3: ["date"], 4: ["ambiguous_date"]},
        ),
        (["05-04-12", "99-12-31", "25-04-2012"], [date(2012, 4, 25)], {2: ["ambiguous_date"], 3: ["date"]}),
        (
            ["09/31/2012", "01/02/2012", "01-02-2012", "2012-02-01"],
            [date(2012, 2, 1)],
            {2: ["date"], 3: ["ambiguous_date"], 4: ["ambiguous_date"]},
        ),
        # Neither order makes it a date: it says nothing of the others.
        (["13/13/2012", "01/02/2012"], [date(2012, 2, 1)], {2: ["date"]}),
    ],
)
def test_an_impossible_date_makes_the_doubtful_ones_of_its_column_a_guess(
    dates: list[str], expected: list[date], broken: dict[int, list[str]]
) -> None:
    delivery = deliver(csv_of(*(pupil(1, klas=f"A{n}", geboortedatum=text) for n, text in enumerate(dates))))
    assert rules(delivery) == broken
    assert delivery.accepted["pupil_registrations"]["birth_date"].to_pylist() == expected


def test_the_order_of_dates_is_settled_per_column() -> None:
    first = pupil(1, geboortedatum="09/28/2012", plaatsing_vanaf="01/08/2025")
    second = pupil(1, klas="B", geboortedatum="28-09-2012", plaatsing_vanaf="01/09/2025")
    delivery = deliver(csv_of(first, second))
    assert rules(delivery) == {2: ["date"]}
    assert delivery.accepted["pupil_registrations"]["placed_from"].to_pylist() == [date(2025, 9, 1)]


# Workbooks whose dates count from 1904

BORN = date(2012, 4, 3)
SERIAL = 41002


def workbook_from(start: int, *values: Any, with_error_cell: bool = False) -> bytes:
    """A pupil file whose birth dates are these, as date cells or as plain numbers, in the system of that year."""
    buffer = io.BytesIO()
    rows = [pupil(1, klas=f"A{number}", geboortedatum=value) for number, value in enumerate(values)]
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "date_1904": start == 1904}) as book:
        sheet, style = book.add_worksheet("a"), book.add_format({"num_format": "dd-mm-yyyy"})
        for number, cells in enumerate(table(rows)):
            for position, value in enumerate(cells):
                if isinstance(value, date):
                    moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001 (a workbook knows no time zones)
                    sheet.write_datetime(number, position, moment, style)
                elif value != "":
                    sheet.write(number, position, value)
    error = b'<c r="Z2" t="e"><v>#N/A</v></c></row></sheetData>'
    return (
        rezipped(buffer.getvalue(), lambda _, part: part.replace(b"</row></sheetData>", error))
        if with_error_cell
        else buffer.getvalue()
    )


@pytest.mark.parametrize("with_error_cell", [False, True])
@pytest.mark.parametrize("start", [1900, 1904])
def test_dates_of_either_system_are_the_dates_that_excel_shows(start: int, with_error_cell: bool) -> None:
    serial = SERIAL - 1462 if start == 1904 else SERIAL
    data = workbook_from(start, BORN, serial, "03-04-2012", with_error_cell=with_error_cell)
    delivery = deliver(data)
    assert delivery.status == "accepted", delivery.reason
    assert delivery.accepted["pupil_registrations"]["birth_date"].to_pylist() == [BORN] * 3


def test_a_workbook_from_1904_may_hold_doubtful_dates_too() -> None:
    delivery = deliver(workbook_from(1904, BORN, SERIAL - 1462, "01/02/2012", "09/28/2012"))
    # A true date of 3 April may be 4 March that Excel turned round; a serial number was never read as a text.
    assert rules(delivery) == {2: ["ambiguous_date"], 4: ["ambiguous_date"], 5: ["date"]}
    assert delivery.accepted["pupil_registrations"]["birth_date"].to_pylist() == [BORN]


# Files that are judged together

FROM_1904 = workbook_from(1904, BORN, SERIAL - 1462)
OTHERS = {
    "hours": sheet_of_hours(["8", "7,5", "20"]),
    "minutes": sheet_of_hours(["450", "20", "24"]),
    "clock": sheet_of_hours(["7:30", "8:00"]),
    "fraction": sheet_of_hours(["0,3125", "0,25"]),
    "short": sheet_of_hours(["0,5", "0,25"]),
    "one mixed": sheet_of_hours([*["8"] * 9, "450", "acht"]),
    "unsettled": sheet_of_hours(["8", "450", "7:30"]),
    "no hours": csv_of(line(1, uren="", minuten="60")),
    "twice the same": sheet_of_hours(["8"]) + sheet_of_hours(["8"]).split(b"\r\n", 1)[1],
    "american": csv_of(pupil(1, geboortedatum="01/02/2012"), pupil(2, geboortedatum="09/28/2012"), pupil(3)),
    "dutch": csv_of(pupil(1, geboortedatum="01/02/2012"), pupil(2), pupil(2)),
    "from 1904": FROM_1904,
    "serials": csv_of(pupil(1, geboortedatum=str(SERIAL)), pupil(2, geboortedatum=str(SERIAL - 1462))),
    "wlz": csv_of(indication(1), indication(2, leveringsvorm="x", besluitnummer="0")),
    "one sum": csv_of(line(1), line(2), {**dict.fromkeys(line(), ""), "schooljaar": "Totaal", "uren": "15"}),
    "a wrong sum": csv_of(line(1), line(2), {**dict.fromkeys(line(), ""), "schooljaar": "Totaal", "uren": "16"}),
    "nothing": b"niets",
    "cut off": FROM_1904[:-50],
    "only bad": csv_of(pupil(1, klas="")),
}
ALONE = {name: take_in(data, KEYS) for name, data in OTHERS.items()}


@settings(max_examples=15)
@given(names=st.lists(st.sampled_from(sorted(OTHERS)), min_size=2, max_size=8))
def test_files_that_are_judged_together_do_not_influence_each_other(names: list[str]) -> None:
    for name, delivery in zip(names, take_in_all([OTHERS[name] for name in names], KEYS), strict=True):
        _require_equal(name, delivery)


def test_all_of_them_together_are_as_each_alone() -> None:
    for name, delivery in zip(OTHERS, take_in_all(list(OTHERS.values()), KEYS), strict=True):
        _require_equal(name, delivery)
    assert {delivery.status for delivery in ALONE.values()} == {"accepted", "partly_accepted", "refused"}


def _require_equal(name: str, delivery: Delivery) -> None:
    for field in fields(Delivery):
        assert getattr(delivery, field.name) == getattr(ALONE[name], field.name), f"{name}: {field.name}"


def test_no_files_give_no_deliveries() -> None:
    assert take_in_all([], KEYS) == []


# A school whose BRIN and vestigingsnummer stand in two columns


def in_two_columns(*pairs: tuple[Any, Any]) -> list[dict[str, Any]]:
    rest = {name: value for name, value in pupil(1).items() if name != "vestiging"}
    return [{"brin": a, "vestigingsnummer": b, **rest, "klas": f"A{n}"} for n, (a, b) in enumerate(pairs)]


@pytest.mark.parametrize(
    "pair",
    [("02ZX", "00"), ("02zx", "0"), ("2ZX", "00"), ("00", "02ZX"), ("02ZX", "02ZX00"), ("02ZX00", ""), ("", "02ZX00")],
)
def test_a_brin_in_two_columns_is_put_together(pair: tuple[str, str]) -> None:
    (row,) = in_two_columns(pair)
    delivery = deliver(csv_of(row))
    assert delivery.accepted["pupil_registrations"]["school"].to_pylist() == ["02ZX00"]
    assert delivery.school == "02ZX00"


def test_a_brin_in_two_cells_of_a_workbook_is_put_together() -> None:
    delivery = deliver(xlsx_bytes({"a": table(in_two_columns(("02ZX", 0), ("02ZX", "00"), ("02ZX00", None)))}))
    assert delivery.accepted["pupil_registrations"]["school"].to_pylist() == ["02ZX00"] * 3


def test_parts_that_make_no_school_are_not_guessed_at() -> None:
    pairs = [("02ZX", "00"), ("02ZX", ""), ("", "00"), ("02ZX", "01AB00"), ("02ZX00", "01AB00"), ("", "")]
    delivery = deliver(csv_of(*in_two_columns(*pairs)))
    assert rules(delivery) == {3: ["brin"], 4: ["brin"], 5: ["brin"], 6: ["brin"], 7: ["required"]}
    raw = [(cell["header"], cell["column"], cell["value"]) for cell in delivery.raw_rows.to_pylist()]
    assert ("brin", "school", "02ZX") in raw
    assert ("vestigingsnummer", "school", "01AB00") in raw


def test_a_third_column_for_the_school_is_one_too_many() -> None:
    (row,) = in_two_columns(("02ZX", "00"))
    delivery = deliver(csv_of({**row, "vestiging": "02ZX00"}))
    assert delivery.status == "refused"
    assert "betekenen allebei 'vestiging'" in (delivery.reason or "")


def test_no_other_column_may_stand_in_two() -> None:
    delivery = deliver(csv_of({**pupil(1), "groep": "SO-1"}))
    assert (delivery.status, delivery.source) == ("refused", "pupil_registrations")
    assert "'klas' en 'groep' betekenen allebei 'klas'" in (delivery.reason or "")
