"""The door as a whole: nothing lost, row order never matters, the same bytes give the same, and it never raises."""

import random
from dataclasses import fields, replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.intake.files import KEYS, csv_bytes, csv_of, deliver, line, pgn, pupil, setup_sheets, table, xlsx_bytes
from zio_pipeline import intake
from zio_pipeline.contracts import sources
from zio_pipeline.intake import Delivery, take_in
from zio_pipeline.intake.parsing import schema

HEADERS = [*pupil(), "land", "geheim adres"]

CELLS: dict[str, st.SearchStrategy[str]] = {
    "schooljaar": st.sampled_from(["2025-2026", "2025-2026", "2025-2026", "2025/26", "2025", ""]),
    "vestiging": st.sampled_from(["02ZX00", "02ZX00", "02zx00", "2ZX00", "ZX", ""]),
    "pgn": st.integers(0, 4).map(pgn) | st.sampled_from(["", "123", "123456789", "999990007"]),
    "geboortedatum": st.sampled_from(["03-04-2012", "2012-04-03", "41002", "31-02-2012", "3-4-12", "", "01-01-1990"]),
    "klas": st.sampled_from(["SO-1", "SO 1", "SO\n1", "", "#N/B", "Totaal", 'S"O', "a;b"]),
    "plaatsing vanaf": st.sampled_from(["18-08-2025", "18-8-2025", "morgen", ""]),
    "plaatsing tot en met": st.sampled_from(["", "", "31-07-2026", "01-01-2020", "x"]),
    "verantwoordelijke gemeente": st.sampled_from(["Tilburg", "855", "", "'s-Hertogenbosch"]),
    "postcode": st.sampled_from(["5022KE", "5022 ke", "", "0000AA"]),
    "zorgbehoefte": st.sampled_from(["ja", "nee", "", "?"]),
}
OTHER = st.sampled_from(["", "", "NL", "België", "ja"])

rows = st.lists(st.tuples(*(CELLS.get(name, OTHER) for name in HEADERS)).map(list), max_size=12)
dirty_lines = st.lists(
    st.one_of(
        st.tuples(*(CELLS.get(name, OTHER) for name in HEADERS)).map(list),
        st.just([]),
        st.just(["Totaal"]),
        st.just(["een opmerking"]),
        st.just(HEADERS),
        st.lists(OTHER, max_size=14),
    ),
    max_size=15,
)


def content(delivery: Delivery) -> list[str]:
    """The accepted rows without their place, as a sorted list."""
    return sorted(
        repr(sorted((name, str(value)) for name, value in row.items() if name not in ("sheet", "row_number")))
        for rows in delivery.accepted.values()
        for row in rows.to_pylist()
    )


@settings(max_examples=15)
@given(lines=dirty_lines, titles=st.lists(st.just(["titel"]) | st.just([]), max_size=3))
def test_every_row_is_accepted_or_quarantined_or_listed(lines: list[list[str]], titles: list[list[str]]) -> None:
    delivery = deliver(csv_bytes([*titles, HEADERS, *lines]))
    filled = sum(any(cell.strip() for cell in cells) for cells in lines)
    listed = [w for w in delivery.warnings if w.rule in ("total_row", "note", "repeated_header")]
    if delivery.rows_in:
        assert delivery.rows_in + len(listed) == filled
        assert delivery.rows_quarantined == len(delivery.quarantined)
        assert all(row.reasons for row in delivery.quarantined)
    if delivery.status == "refused":
        assert delivery.reason
        assert not delivery.accepted
    else:
        (accepted,) = delivery.accepted.values()
        assert delivery.rows_in == delivery.rows_accepted + delivery.rows_quarantined
        assert delivery.rows_accepted == accepted.num_rows > 0
    places = [row.row_number for row in delivery.quarantined]
    assert places == sorted(set(places))


@settings(max_examples=8)
@given(lines=rows, seed=st.integers(0, 2**16))
def test_the_order_of_rows_does_not_matter(lines: list[list[str]], seed: int) -> None:
    shuffled = list(lines)
    random.Random(seed).shuffle(shuffled)
    one, other = deliver(csv_bytes([HEADERS, *lines])), deliver(csv_bytes([HEADERS, *shuffled]))
    assert (one.status, one.reason, one.rows_in) == (other.status, other.reason, other.rows_in)
    assert content(one) == content(other)


@settings(max_examples=8)
@given(lines=rows)
def test_text_file_and_workbook_are_judged_alike(lines: list[list[str]]) -> None:
    text, workbook = deliver(csv_bytes([HEADERS, *lines])), deliver(xlsx_bytes({"blad": [HEADERS, *lines]}))
    assert (text.status, text.reason, text.rows_in) == (workbook.status, workbook.reason, workbook.rows_in)
    assert content(text) == content(workbook)


@settings(max_examples=80)
@given(data=st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_any_bytes_end_in_a_refusal_with_a_reason(data: bytes) -> None:
    delivery = take_in(data, KEYS)
    assert (delivery.status, delivery.source) == ("refused", "unknown")
    assert delivery.reason
    assert "beheerder" not in delivery.reason


GOOD_CSV, GOOD_XLSX = csv_bytes(table([pupil(1), pupil(2)])), xlsx_bytes(setup_sheets())


@settings(max_examples=30)
@given(data=st.data(), good=st.sampled_from([GOOD_CSV, GOOD_XLSX]))
def test_damaged_files_never_stop_the_door(data: st.DataObject, good: bytes) -> None:
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    delivery = take_in(bytes(damaged[: data.draw(st.integers(1, len(damaged)))]), KEYS)
    assert delivery.status in ("accepted", "partly_accepted", "refused")
    assert (delivery.reason is None) == (delivery.status != "refused")


@pytest.mark.parametrize("data", [csv_of(pupil(1), pupil(2, klas="")), csv_of(line(1), line(1)), GOOD_XLSX, b"niets"])
def test_the_same_bytes_give_the_same_delivery(data: bytes) -> None:
    one, other = take_in(data, KEYS), take_in(data, KEYS)
    for field in fields(Delivery):
        assert getattr(one, field.name) == getattr(other, field.name), field.name


def test_another_key_changes_the_pseudonyms_and_nothing_else() -> None:
    data = csv_of(pupil(1), pupil(2))
    one, other = take_in(data, KEYS), take_in(data, replace(KEYS, pseudonym_key=b"q" * 32))
    (mine,), (theirs,) = one.accepted.values(), other.accepted.values()
    assert mine.drop_columns("pupil").equals(theirs.drop_columns("pupil"))
    assert set(mine["pupil"].to_pylist()).isdisjoint(theirs["pupil"].to_pylist())


@pytest.mark.parametrize("data", [csv_of(pupil(1)), csv_of(line(1)), GOOD_XLSX])
def test_accepted_tables_have_the_types_of_the_contract(data: bytes) -> None:
    delivery = take_in(data, KEYS)
    for dataset in sources()[delivery.source].datasets:
        place = [pa.field("sheet", pa.string()), pa.field("row_number", pa.int64())]
        assert delivery.accepted[dataset.name].schema == pa.schema([*place, *schema(dataset)])


def test_what_nobody_foresaw_is_a_refusal_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise LookupError(f"leerling {pgn(1)}")

    monkeypatch.setattr(intake, "recognise", broken)
    delivery = take_in(csv_of(pupil(1)), KEYS)
    assert delivery.status == "refused"
    assert delivery.reason == "Het bestand kan niet worden verwerkt (LookupError); neem contact op met de beheerder."
    assert pgn(1) not in repr(delivery)


def test_a_large_timesheet_is_taken_in_whole() -> None:
    header, first = table([line(1)])
    lines = [[*first[:4], f"M{n % 400}", f"{n % 30 + 1:02d}-09-2025", *first[6:]] for n in range(20_000)]
    delivery = deliver(csv_bytes([header, *lines]))
    assert (delivery.status, delivery.rows_accepted) == ("accepted", 20_000)
