"""Cutting a text into cells: the same cells, records and lines as Python's own reader of CSV finds, or a refusal."""

import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.intake.files import csv_bytes, csv_of, deliver, places, pupil, rules, table
from zio_pipeline.intake import text
from zio_pipeline.intake.delivery import RefusedFileError
from zio_pipeline.intake.sheets import Sheet

Records = list[tuple[int, list[str]]]
"""The line on which each record begins, and its cells."""

DELIMITERS = st.sampled_from(text.DELIMITERS)
NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])

cells = st.text('ab;,|\t"\n é€🙂', max_size=5)
rows = st.lists(st.lists(cells, max_size=4), max_size=6)
lines = st.lists(st.text('a";;,\n é', max_size=8), max_size=8)
"""Quotes and separators anywhere: most of it no reader would take."""


def written(records: Sequence[Sequence[str]], delimiter: str, newline: str, always: bool) -> str:
    """The records as a careful program writes them, with quotes where they are needed or everywhere."""
    buffer = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL
    csv.writer(buffer, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerows(records)
    return buffer.getvalue().replace("\n", newline)


def plain(content: str) -> bytes:
    """As the cutter gets it: every line ending in one newline."""
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    return (content if content.endswith("\n") else content + "\n").encode()


def by_python(content: bytes, delimiter: str) -> Records:
    """What Python's strict reader finds; csv.Error where it finds nothing."""
    reader = csv.reader(io.StringIO(content.decode(), newline="\n"), delimiter=delimiter, strict=True)
    found, start = [], 1
    for record in reader:
        found.append((start, record or [""]))
        start = reader.line_num + 1
    return found


def by_cutting(content: bytes, delimiter: str) -> Records | None:
    newlines = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n"))
    found = text._cut(content, delimiter, newlines)
    if found is None:
        return None
    texts, ends, numbers = found[0].to_pylist(), found[1].tolist(), found[2].tolist()
    return [(n, texts[a:b]) for n, a, b in zip(numbers, [0, *ends], ends, strict=False)]


@settings(max_examples=250)
@given(records=rows, delimiter=DELIMITERS, newline=NEWLINES, always=st.booleans(), ends=st.booleans())
def test_a_well_written_text_is_cut_as_pythons_reader_does(
    records: list[list[str]], delimiter: str, newline: str, always: bool, ends: bool
) -> None:
    content = written(records, delimiter, newline, always)
    whole = plain(content if ends else content.removesuffix(newline))
    assert by_cutting(whole, delimiter) == by_python(whole, delimiter)


@settings(max_examples=250)
@given(content=lines.map("\n".join), delimiter=st.sampled_from(";,"))
def test_whatever_is_cut_is_what_pythons_reader_finds(content: str, delimiter: str) -> None:
    whole = plain(content)
    found = by_cutting(whole, delimiter)
    assume(found is not None)
    assert found == by_python(whole, delimiter)


@settings(max_examples=250)
@given(content=lines.map("\n".join), delimiter=st.sampled_from(";,"))
def test_odd_quotes_end_in_the_cells_of_pythons_reader_or_in_a_refusal(content: str, delimiter: str) -> None:
    header = delimiter.join(["kop"] * text.DECISIVE)
    whole = plain(f"{header}\n{content}")
    try:
        expected: Records | None = by_python(whole, delimiter)
    except csv.Error:
        expected = None
    try:
        sheet = text.read_text(whole, lambda cells: cells.count("kop"))
    except RefusedFileError as refused:
        assert expected is None
        assert "aanhalingstekens kloppen niet vanaf regel" in str(refused)
        assert "beheerder" not in str(refused)
    else:
        assert expected is not None
        assert list(content_of(sheet)) == list(filled(expected))
        assert sheet.records == len(expected)


def content_of(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    for index, number in enumerate(sheet.numbers.tolist()):
        yield number, sheet.row(index)


def filled(records: Records) -> Iterator[tuple[int, list[str]]]:
    for number, record in records:
        stripped = [cell.strip() for cell in record]
        if any(stripped):
            yield number, stripped


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('a;"b;c"\n', [(1, ["a", "b;c"])]),
        ('"a""b";""\n\n"x\n\ny";z\nw\n', [(1, ['a"b', ""]), (2, [""]), (3, ["x\n\ny", "z"]), (6, ["w"])]),
        ('"""";""""""\n', [(1, ['"', '""'])]),
        ("a;b;\n;\n", [(1, ["a", "b", ""]), (2, ["", ""])]),
        ("\n", [(1, [""])]),
        # Each of these is for a reader to say: half quoted, an odd number of quotes, or a quote within a cell.
        ('"a"b;c\n', None),
        ('a;b"\n', None),
        ('a;5"4;6"3\n', None),
        (' "a";b\n', None),
        ('"\n', None),
    ],
)
def test_by_example(content: str, found: Records | None) -> None:
    assert by_cutting(content.encode(), ";") == found


def test_a_quote_within_a_cell_is_kept_by_the_reader() -> None:
    (sheet,) = [text.read_text(b'kop;kop;kop;kop;kop\n2\xe2\x80\x9d;5"4;6"3;;\n', lambda cells: cells.count("kop"))]
    assert sheet.row(1) == ["2”", '5"4', '6"3', "", ""]


def test_a_record_that_gets_lost_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def losing(content: bytes, delimiter: str, newlines: text.Index) -> tuple[object, ...]:
        kept, ends, numbers = cut(content, delimiter, newlines) or pytest.fail("a plain text is cut")
        return kept.slice(0, int(ends[-2])), ends[:-1], numbers[:-1]

    cut = text._cut
    monkeypatch.setattr(text, "_cut", losing)
    delivery = deliver(csv_of(pupil(1), pupil(2)))
    assert (delivery.status, delivery.rows_accepted) == ("refused", 0)
    assert "3 regels, maar er zijn er 2 gelezen" in (delivery.reason or "")


def test_a_header_that_ran_into_its_first_row_repeats_nothing_personal() -> None:
    """Without a line break between them the cells of a pupil stand where unknown headers would."""
    header, first, second = table([pupil(1), pupil(2)])
    delivery = deliver(csv_bytes([[*header, *first], second]))
    assert delivery.status in ("accepted", "refused")
    personal = [first[header.index(name)] for name in ("pgn", "geboortedatum", "postcode")]
    assert not [value for value in personal if value in f"{delivery!r}"]


# The sender's own lines

HEADER, GOOD = table([pupil(1)])
KLAS = HEADER.index("klas")

kinds = st.lists(st.sampled_from(["good", "bad", "quoted", "blank", "empty", "spaces"]), min_size=1, max_size=12)
titles = st.lists(st.sampled_from([["Leerlingen"], [], ["", ""], ['twee\nregels, en "aangehaald"']]), max_size=4)


@settings(max_examples=20)
@given(kinds=kinds, titles=titles, header_in_two=st.booleans(), newline=NEWLINES)
def test_a_row_has_the_line_on_which_it_begins(
    kinds: list[str], titles: list[list[str]], header_in_two: bool, newline: str
) -> None:
    header = [name.replace("plaatsing tot", "plaatsing\ntot") for name in HEADER] if header_in_two else HEADER
    made: list[tuple[str, list[str]]] = [("title", cells) for cells in titles]
    made += [("header", header), ("good", GOOD)]
    for place, kind in enumerate(kinds):
        klas = {"bad": "", "quoted": f"SO\n\n{place}"}.get(kind, f"A{place}")
        row = [klas if at == KLAS else cell for at, cell in enumerate(GOOD)]
        made.append((kind, {"blank": [], "empty": [""] * len(HEADER), "spaces": [" ", "  "]}.get(kind, row)))
    data, good, bad = "", [], []
    for kind, cells in made:
        number = data.count("\n") + 1
        good += [number] if kind in ("good", "quoted") else []
        bad += [number] if kind == "bad" else []
        data += csv_bytes([cells], newline="\n").decode()
    delivery = deliver(data.replace("\n", newline).encode())
    assert [number for _, number in places(delivery)] == good
    assert rules(delivery) == {number: ["required"] for number in bad}
    assert delivery.records_in == len(made)
    assert delivery.records_beside == len(made) - len(good) - len(bad)
