"""What below the header is data: totals, notes and repeated headers are listed, counted rows are checked."""

import pytest

from tests.intake.files import csv_bytes, deliver, line, pupil, rules, table, warned, xlsx_bytes

HEADER, *ROWS = table([pupil(n) for n in range(1, 6)])


def test_a_repeated_header_is_not_a_row() -> None:
    delivery = deliver(csv_bytes([HEADER, *ROWS[:2], [name.upper() for name in HEADER], *ROWS[2:]]))
    assert (delivery.status, delivery.rows_in) == ("accepted", 5)
    assert warned(delivery) == [(4, "repeated_header")]


@pytest.mark.parametrize(
    "total",
    [
        *(["Totaal aantal leerlingen: 5"], ["Totaal", "5"], ["Eindtotaal", "", "", "", 5], ["TOTAAL AANTAL", "5"]),
        *(["Totaal aantal", "", "", "", "", "", "", "", "", "", "5"], ["total", 5]),
    ],
)
def test_a_total_that_is_right_is_not_a_row(total: list[object]) -> None:
    delivery = deliver(csv_bytes([HEADER, *ROWS, [], total]))
    assert (delivery.status, delivery.rows_in) == ("accepted", 5)
    assert [(w.row_number, w.rule, "klopt" in w.explanation) for w in delivery.warnings] == [(8, "total_row", True)]


@pytest.mark.parametrize("total", [["Totaal aantal leerlingen: 641"], ["Totaal", "6"], ["Totaal aantal: 1.005"]])
def test_a_total_that_is_wrong_refuses_the_file(total: list[str]) -> None:
    delivery = deliver(csv_bytes([HEADER, *ROWS, total]))
    assert (delivery.status, delivery.source) == ("refused", "pupil_registrations")
    assert "De totaalregel op regel 7 noemt" in (delivery.reason or "")
    assert "er staan er 5 boven" in (delivery.reason or "")


@pytest.mark.parametrize("total", [["Totaal"], ["Totaal uren: 641"], ["Totaal", "5", "6"], ["Totaal 2025-2026"]])
def test_a_total_that_says_nothing_of_rows_is_only_listed(total: list[str]) -> None:
    delivery = deliver(csv_bytes([HEADER, *ROWS, total]))
    assert delivery.status == "accepted"
    assert [(w.rule, "niet gecontroleerd" in w.explanation) for w in delivery.warnings] == [("total_row", True)]


def test_a_sum_of_hours_is_not_a_number_of_rows() -> None:
    header, *rows = table([line(1), line(2)])
    total = ["Totaal" if name == "schooljaar" else "15" if name == "uren" else "" for name in header]
    delivery = deliver(csv_bytes([header, *rows, total]))
    assert (delivery.status, warned(delivery)) == ("accepted", [(4, "total_row")])


def test_subtotals_count_their_own_part() -> None:
    lines = [HEADER, *ROWS[:2], ["Subtotaal", 2], *ROWS[2:], ["Subtotaal", 3], ["Eindtotaal", 5]]
    delivery = deliver(csv_bytes(lines))
    assert (delivery.status, delivery.rows_in, len(delivery.warnings)) == ("accepted", 5, 3)
    wrong = [HEADER, *ROWS[:2], ["Subtotaal", 2], *ROWS[2:], ["Subtotaal", 4]]
    assert deliver(csv_bytes(wrong)).status == "refused"


def test_a_grand_total_counts_all_sheets() -> None:
    sheets = {"SO": [HEADER, *ROWS[:2], ["Totaal", 2]], "VSO": [HEADER, *ROWS[2:], ["Totaal", 3], ["Eindtotaal", 5]]}
    assert deliver(xlsx_bytes(sheets)).status == "accepted"


def test_a_full_row_that_begins_with_total_is_data() -> None:
    first = {"klas": "Totaal 5", **{name: value for name, value in pupil(1).items() if name != "klas"}}
    delivery = deliver(csv_bytes(table([first])))
    assert delivery.rows_accepted == 1


def test_notes_below_the_table_are_listed_without_their_text() -> None:
    notes = [[], ["Opgesteld door mevrouw Jansen"], ["", "versie twee"], [], ["einde"]]
    delivery = deliver(csv_bytes([HEADER, *ROWS, *notes]))
    assert (delivery.status, delivery.rows_in) == ("accepted", 5)
    assert warned(delivery) == [(8, "note"), (9, "note"), (11, "note")]
    assert "Jansen" not in repr(delivery)


def test_a_note_after_a_total_needs_no_empty_row() -> None:
    delivery = deliver(csv_bytes([HEADER, *ROWS, ["Totaal", 5], ["Opgesteld door de administratie"]]))
    assert (delivery.rows_in, [rule for _, rule in warned(delivery)]) == (5, ["total_row", "note"])


@pytest.mark.parametrize(
    "lines",
    [
        [["vergeten regel"]],  # no empty row before it
        [[], ["", "", ROWS[0][2]]],  # a pupil number alone is not a note
        [[], ["twee", "woorden"]],
        [[], ["opmerking"], ROWS[0]],  # not below the table
    ],
)
def test_in_doubt_a_row_is_data_and_gets_its_reasons(lines: list[list[str]]) -> None:
    delivery = deliver(csv_bytes([HEADER, *ROWS[1:], *lines]))
    assert delivery.rows_quarantined == 1
    assert "required" in next(iter(rules(delivery).values()))


def test_a_table_without_rows_is_refused() -> None:
    for lines in ([HEADER], [HEADER, [], ["Geen leerlingen dit jaar"]], [HEADER, ["Totaal", 0]]):
        delivery = deliver(csv_bytes(lines))
        assert (delivery.status, delivery.rows_in) == ("refused", 0)
        assert "geen enkele rij" in (delivery.reason or "")
