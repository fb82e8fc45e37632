"""A thousand spoiled files: each is accepted, set apart or refused for a reason, and none stops the door.

Belongs here: spoiling good files at random, always the same way for one number, and what holds whatever the damage: the
door never raises and never answers with a fault that nobody foresaw, every record is accounted for, and no personal
number is repeated. With ZIO_SOAK=1 the same for 50,000 files.
Does not belong here: what a given damage comes to (the other tests of intake, and the corpus).
"""

import io
import os
import random
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

import pytest
import xlsxwriter
from xlsxwriter.exceptions import OverlappingRange
from xlsxwriter.worksheet import Worksheet

from tests.intake.files import KEYS, Row, csv_bytes, indication, line, pgn, pupil, setup_sheets, table
from zio_pipeline.intake import Delivery, take_in_all

Random = random.Random
Lines = list[list[Any]]

BATCH = 50
STATUSES = ("accepted", "partly_accepted", "refused", "contradicting")
UNFORESEEN = "neem contact op met de beheerder"
ODD_TEXTS = (
    *("", " ", "0", "-1", "1e9", "1,5", "9" * 30, "#N/B", "Totaal", "Totaal: 4", "ja", "nee", "=1+1", "+31", "@x", "'"),
    *('"', '""', 'a"b', ";", ",", "\t", "\n", "a\nb", "\r", "\x0b", "\x1f", "\x7f", "\x85", "\xa0", "\u200b", "\u2028"),
    *("\ufeff", "é", "e\u0301", "🙂", "٣", "½", "ﬁ", "25:00", "7:30", "7,5", "0,3125", "450", "7:60", "0:00"),
    *("31-02-2025", "01/02/2025", "09/28/2025", "1-1-25", "45901", "2025-09-02T00:00:00", "9999-12-31", "di 2 sep. 25"),
    *("2025-2026", "02ZX00", "5527", "123456782", "x" * 5_000, "nan", "inf", "None", "NULL", "1.234.567,89", "€ 5"),
)
ODD_LINES = ("", ";;;", "sep=;", "Totaal;2", "Totaal;;;;;;;;;15", "opmerking", "\ufeff")


def good_table(rng: Random) -> Lines:
    """A small good file of any kind; its personal numbers are those of `PLANTED`."""
    numbers = rng.randint(1, 7)
    make: Callable[[int], Row] = rng.choice([pupil, line, indication])
    return table([make(number) for number in range(numbers)])


NUMBER_FORMATS = ("General", "dd-mm-yyyy", "hh:mm", "[h]:mm", "0.00", "@", "mm/dd/yy", "0%", '"BSN" 0', "[Red]0;[h]")
PLANTED = (*(pgn(number) for number in range(7)), "123456782")
SETUP = setup_sheets()


# Spoiling


def random_bytes(rng: Random) -> bytes:
    starts = [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"]
    alphabet = rng.choice(
        [bytes(range(256)), b'ab;,\t|"\n\r 0123456789', b"\x00\x01;\n", "é€;\n".encode(), b"<>/&;pgn\n"]
    )
    return rng.choice(starts) + bytes(rng.choice(alphabet) for _ in range(rng.choice([0, 1, 3, 30, 300, 3_000])))


def damaged_bytes(rng: Random, data: bytes) -> bytes:
    """Flipped, cut out, inserted, repeated, moved or cut off, one to four times."""
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at, size = rng.randrange(len(damaged) + 1), rng.choice([1, 1, 2, 8, 60])
        piece = bytes(damaged[at : at + size])
        match rng.randrange(6):
            case 0 if at < len(damaged):
                damaged[at] ^= 1 << rng.randrange(8)
            case 1:
                del damaged[at : at + size]
            case 2:
                damaged[at:at] = rng.randbytes(size)
            case 3:
                damaged[at:at] = piece
            case 4:
                del damaged[at : at + size]
                place = rng.randrange(len(damaged) + 1)
                damaged[place:place] = piece
            case _:
                del damaged[rng.randrange(len(damaged) + 1) :]
    return bytes(damaged)


def damaged_lines(rng: Random, text: str) -> str:
    """Lines shuffled, repeated, joined or parted, separators and quotes where they should not be."""
    lines = text.split("\n")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        match rng.randrange(9):
            case 0:
                rng.shuffle(lines)
            case 1:
                lines.insert(rng.randrange(len(lines) + 1), lines[at])
            case 2:
                lines[at : at + 2] = ["".join(lines[at : at + 2])]
            case 3:
                place = rng.randrange(len(lines[at]) + 1)
                lines[at : at + 1] = [lines[at][:place], lines[at][place:]]
            case 4:
                lines[at] = lines[at].replace(";", "", rng.randint(1, 3))
            case 5:
                lines[at] = lines[at].replace(";", rng.choice([",", "\t", ";;", ' ; "']), rng.randint(1, 9))
            case 6:
                place = rng.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:place] + rng.choice(ODD_TEXTS) + lines[at][place:]
            case 7:
                lines[at:at] = [rng.choice(ODD_LINES)] * rng.randint(1, 3)
            case _:
                lines = [entry.replace(rng.choice("eai05-"), rng.choice("éxO1. ")) for entry in lines]
    return "\n".join(lines)


def damaged_csv(rng: Random) -> bytes:
    data = csv_bytes(good_table(rng), rng.choice(";;,\t|"), newline="\n")
    text = damaged_lines(rng, data.decode()) if rng.random() < 0.6 else data.decode()
    text = text.replace("\n", rng.choice(["\n", "\r\n", "\r"]))
    encodings = ["utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"]
    data = text.encode(rng.choice(encodings), "replace")
    return damaged_bytes(rng, data) if rng.random() < 0.5 else data


def odd_cells(rng: Random) -> bytes:
    """A good table with some cells, rows or headers that are not."""
    lines = good_table(rng)
    for _ in range(rng.randint(1, 6)):
        row = rng.choice(lines)
        row[rng.randrange(len(row))] = rng.choice(ODD_TEXTS)
    if rng.random() < 0.3:
        order = rng.sample(range(len(lines[0])), len(lines[0]))
        lines = [[row[place] for place in order] for row in lines]
    if rng.random() < 0.3:
        lines.insert(rng.randrange(len(lines) + 1), rng.choices(ODD_TEXTS, k=rng.randint(0, 15)))
    if rng.random() < 0.3:
        lines.insert(rng.randrange(len(lines) + 1), list(rng.choice(lines)))
    return csv_bytes(lines, rng.choice(";;,\t"), newline=rng.choice(["\n", "\r\n"]))


def new_workbook(buffer: io.BytesIO, **options: Any) -> xlsxwriter.Workbook:
    """One that does not hold the moment it was made: the same number must give the same bytes."""
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **options})
    book.set_properties({"created": datetime(2025, 9, 1)})  # noqa: DTZ001
    return book


def as_workbook(sheets: Mapping[str, Lines]) -> bytes:
    buffer = io.BytesIO()
    with new_workbook(buffer) as book:
        for name, lines in sheets.items():
            sheet = book.add_worksheet(name)
            for number, cells in enumerate(lines):
                sheet.write_row(number, 0, cells)
    return buffer.getvalue()


def good_workbook(rng: Random) -> bytes:
    if rng.random() < 0.03:
        return as_workbook(SETUP)
    return as_workbook({name: good_table(rng) for name in rng.sample(["a", "b", "Scholen"], rng.choice([1, 1, 2]))})


def damaged_zip(rng: Random) -> bytes:
    data = good_workbook(rng)
    if rng.random() < 0.5:
        return damaged_bytes(rng, data)
    # Where a zip says what is in it: the fields before each part and in the list at its end.
    damaged, headers = (
        bytearray(data),
        [found.start() for found in re.finditer(rb"PK(?:\x01\x02|\x03\x04|\x05\x06)", data)],
    )
    for _ in range(rng.randint(1, 3)):
        place = rng.choice(headers) + rng.randrange(4, 50)
        damaged[min(place, len(damaged) - 1)] = rng.choice([0, 1, 8, 9, 12, 14, 99, 255])
    return bytes(damaged)


def damaged_xml(rng: Random) -> bytes:
    """A whole zip around XML that is not what a program for workbooks writes."""
    buffer = io.BytesIO()
    old = zipfile.ZipFile(io.BytesIO(good_workbook(rng)))
    with old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        spoiled = rng.choice([name for name in old.namelist() if name.startswith("xl/")])
        for name in old.namelist():
            part = old.read(name)
            if name == spoiled or (name.endswith("sheet1.xml") and rng.random() < 0.7):
                part = _xml_edited(rng, part)
            if name != spoiled or rng.random() < 0.95:
                new.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


MERGED = b"A2:A4 A1:C9 A2:A1048576 B4:B2 A1 x A0:A2 XFD1:XFD3".split()
XML_EDITS: Sequence[tuple[bytes, bytes, Sequence[bytes]]] = (
    (
        rb"<v>[^<]*</v>",
        b"<v>%s</v>",
        (*b"1e999 NaN -5 -1 2958466 45901.99999999 1e-300 0.1 x".split(), b"", b" ", b"9" * 400),
    ),
    (rb' t="s"', b' t="%s"', (*b"e b n d str inlineStr x".split(), b"")),
    (rb' s="\d+"', b' s="%s"', b"0 1 99 -1 x 4294967296".split()),
    (rb' r="[A-Z]+\d+"', b' r="%s"', (*b"A1 a2 C0 1 A1:B2 ZZ9".split(), b"")),
    (rb'<row r="\d+"', b'<row r="%s"', b"1 0 -1 x 900".split()),
    (rb' [rst]="[^"]*"', b"%s", (b"",)),
    (rb"<v>[^<]*</v>", b"%s", (b"", b"<v/>", b"<f>1+1</f>")),
    (rb"<t[^>]*>[^<]*</t>", b"<t>%s</t>", b"&#x1F642; _x0000_ &lt; &bad; a</t><t>b".split()),
    (rb"<c ", b"%s ", b"<c><f>1+1</f><v>2</v></c><c|<c><f>1</f></c><c|<!-- --><c|<x:c|<c\n".split(b"|")),
    (rb"</?[a-zA-Z]+", b"<%s", (*b"x /x /sheetData row ![CDATA[".split(), b"")),
    (rb'"[^"]*"', b'"%s"', (*b"0 -1 true rId99 ../../x".split(), b"")),
    (rb"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="%s"/></mergeCells>', (*MERGED, b"")),
    (rb"<workbookPr", b'<workbookPr date1904="%s"', (b"1", b"maybe")),
)
"""What is replaced, by what, holding which of these. No places far away: those are in `test_workbook`."""


def _xml_edited(rng: Random, part: bytes) -> bytes:
    for _ in range(rng.randint(1, 4)):
        pattern, template, values = rng.choice(XML_EDITS)
        places = list(re.finditer(pattern, part))
        if places:
            place, new = rng.choice(places), template % rng.choice(values)
            part = part[: place.start()] + new + part[place.end() :]
    return damaged_bytes(rng, part) if rng.random() < 0.1 else part


def odd_workbook(rng: Random) -> bytes:
    """A workbook with values of any type in any place, as a program writes it."""
    buffer = io.BytesIO()
    with new_workbook(buffer, date_1904=rng.random() < 0.2) as book:
        formats = [book.add_format({"num_format": name}) for name in NUMBER_FORMATS]
        for name in rng.sample(["a", "Blad1", "klassen"], rng.choice([1, 1, 1, 2])):
            sheet, lines = book.add_worksheet(name), good_table(rng)
            for number, cells in enumerate(lines):
                for position, value in enumerate(cells):
                    if value != "":
                        sheet.write_string(number, position, str(value))
            for _ in range(rng.randint(1, 8)):
                row, column = rng.randrange(len(lines) + 3), rng.randrange(len(lines[0]) + 2)
                _write_odd(rng, sheet, row, column, rng.choice(formats))
    return buffer.getvalue()


def _write_odd(rng: Random, sheet: Worksheet, row: int, column: int, style: Any) -> None:
    moment = datetime(2025, 9, rng.randint(1, 30), rng.randrange(24), rng.randrange(60), rng.randrange(60))  # noqa: DTZ001
    match rng.randrange(9):
        case 0:
            sheet.write_number(
                row, column, rng.choice([0, -1, 1e300, 1e-300, 0.1 + 0.2, 45901.5, 2958466, 123456782, 1 / 3]), style
            )
        case 1:
            values: Sequence[Any] = (
                moment,
                moment.date(),
                moment.time(),
                date(9999, 12, 31),
                time(0),
                timedelta(days=40),
            )
            sheet.write_datetime(row, column, rng.choice(values), style)
        case 2:
            sheet.write_boolean(row, column, rng.random() < 0.5, style)
        case 3:
            result = rng.choice([5, "tekst", "", "#N/A", "#DIV/0!", True, 1e22])
            sheet.write_formula(row, column, "=1+1", style, result)
        case 4:
            sheet.write_string(row, column, rng.choice(ODD_TEXTS), style)
        case 5:
            sheet.write_rich_string(row, column, style, "vet", "gewoon", style, "x")
        case 6:
            with suppress(OverlappingRange):
                sheet.merge_range(row, column, row + rng.randint(1, 3), column, rng.choice(ODD_TEXTS), style)
        case 7:
            sheet.write_url(row, column, "https://voorbeeld.nl", style, rng.choice(["", "2025-2026", "ja"]))
        case _:
            sheet.write_blank(row, column, None, style)


KINDS: Mapping[str, tuple[Callable[[Random], bytes], int]] = {
    "random bytes": (random_bytes, 100),
    "damaged csv": (damaged_csv, 300),
    "odd cells": (odd_cells, 200),
    "damaged zip": (damaged_zip, 120),
    "damaged xml": (damaged_xml, 160),
    "odd workbook": (odd_workbook, 120),
}


# What holds for every file


def faults(data: bytes, delivery: Delivery) -> Iterator[str]:
    """What is wrong with a delivery, whatever was in the file."""
    refused = delivery.status == "refused"
    if delivery.status not in STATUSES or (delivery.reason is not None) != refused:
        yield f"status {delivery.status} with reason {delivery.reason!r}"
    if refused and (not delivery.reason or UNFORESEEN in delivery.reason):
        yield f"refused without a reason of its own: {delivery.reason!r}"
    if delivery.records_in != delivery.records_beside + delivery.rows_in or delivery.records_beside < 0:
        yield f"{delivery.records_in} records are not {delivery.records_beside} and {delivery.rows_in}"
    if not refused and delivery.rows_in != delivery.rows_accepted + delivery.rows_quarantined:
        yield f"{delivery.rows_in} rows are not {delivery.rows_accepted} and {delivery.rows_quarantined}"
    if sum(rows.num_rows for rows in delivery.accepted.values()) != delivery.rows_accepted:
        yield "the accepted rows are not as many as is said"
    if len(delivery.quarantined) != delivery.rows_quarantined or (refused and delivery.rows_accepted):
        yield "the quarantined rows are not as many as is said"
    if any(not any(reason.severity == "error" for reason in row.reasons) for row in delivery.quarantined):
        yield "a row is quarantined without an error"
    yield from _misplaced(delivery)
    yield from _miscounted(data, delivery)
    shown = f"{delivery!r}{delivery.reason}{delivery.label}{delivery.warnings}{delivery.quarantined!r}"
    if any(number in shown for number in PLANTED):
        yield f"a personal number is repeated: {delivery.reason} {delivery.warnings}"


def _misplaced(delivery: Delivery) -> Iterator[str]:
    """Every row is named once, and what goes back to the sender is the rows with a reason."""
    places = [(row.dataset, row.sheet, row.row_number) for row in delivery.quarantined]
    for name, rows in delivery.accepted.items():
        numbers = rows["row_number"].to_pylist()
        places += [(name, sheet, number) for sheet, number in zip(rows["sheet"].to_pylist(), numbers, strict=True)]
    if len(set(places)) != len(places) or any(number < 1 for _, _, number in places):
        yield "two rows have one place"
    raw = {(cell["dataset"], cell["sheet"], cell["row_number"]) for cell in delivery.raw_rows.to_pylist()}
    if not raw >= {(row.dataset, row.sheet, row.row_number) for row in delivery.quarantined}:
        yield "a quarantined row is not kept as it was sent"


def _miscounted(data: bytes, delivery: Delivery) -> Iterator[str]:
    """The records of a text are its lines, when no quote can hold one."""
    if data.startswith(b"PK") or not delivery.records_in or b'"' in data:
        return
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    if '"' not in text and len(lines) != delivery.records_in:
        yield f"{len(lines)} lines were read as {delivery.records_in} records"


def found_in(kind: str, first: int, number: int) -> tuple[Counter[str], list[str]]:
    """Spoil and take in this many files from the first on; how many ended in each status, and what is wrong with them."""
    make, _ = KINDS[kind]
    statuses: Counter[str] = Counter()
    wrong: list[str] = []
    numbers = iter(range(first, first + number))
    while batch := list(islice(numbers, BATCH)):
        files = [make(Random(f"{kind} {n}")) for n in batch]
        for n, data, delivery in zip(batch, files, take_in_all(files, KEYS), strict=True):
            statuses[delivery.status] += 1
            wrong += [f"{kind} {n}: {fault}" for fault in faults(data, delivery)]
    return statuses, wrong


@pytest.mark.parametrize("kind", KINDS)
def test_spoiled_files_never_stop_the_door(kind: str) -> None:
    """Spoiled beyond reading only, or hardly at all, they would prove nothing: the damage must be of every degree."""
    _, number = KINDS[kind]
    statuses, wrong = found_in(kind, 0, number)
    assert not wrong, "\n".join(wrong)
    assert statuses.total() == number
    assert (
        min(statuses["refused"], statuses["accepted"] + statuses["partly_accepted"]) >= number // 20
        or kind == "random bytes"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_one_number_gives_one_file(kind: str) -> None:
    """Else nobody could look at what failed."""
    make, _ = KINDS[kind]
    assert [make(Random(f"{kind} {n}")) for n in range(20)] == [make(Random(f"{kind} {n}")) for n in range(20)]


def test_a_thousand_files_are_spoiled_and_fifty_thousand_in_a_soak() -> None:
    assert sum(number for _, number in KINDS.values()) == 1_000
    assert sum(PARTS * _in_part(kind) for kind in KINDS) == 50_000


PARTS = 10
"""Several processes may share the work."""


def _in_part(kind: str) -> int:
    return KINDS[kind][1] * 50 // PARTS


@pytest.mark.soak
@pytest.mark.skipif("ZIO_SOAK" not in os.environ, reason="only in `make soak`")
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", KINDS)
def test_fifty_thousand_spoiled_files(kind: str, part: int) -> None:
    number = _in_part(kind)
    statuses, wrong = found_in(kind, 10_000 + part * number, number)
    assert not wrong, "\n".join(wrong)
    assert statuses.total() == number
