"""From a delimited text to a sheet of cells, without a step in Python per row.

Belongs here: decoding, finding the delimiter, cutting a text into records and cells, the sender's line of each record.
Does not belong here: workbooks, what the cells mean.

A text is decoded strictly: byte order mark, else utf-8, else cp1252, and never with replacement characters. Quotes are
read strictly too: a stray one would otherwise swallow the rows up to the next. A separator counts when an even number of
quotes stands before it, and then every cell with a quote must be a quoted cell as a whole. Where that holds the cells are
those that any reader of CSV finds (a test compares them with Python's own); where it does not, Python's reader decides.
"""

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from itertools import chain, islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zio_pipeline.intake.delivery import RefusedFileError
from zio_pipeline.intake.sheets import Index, Sheet, sheet_of

DELIMITERS = (";", "\t", ",", "|")
HEAD_LINES = 60
DECISIVE = 5
"""A line with so many known headers leaves no doubt about the delimiter."""
MAX_LINE = 100_000

_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ODD_CHARACTERS = "De tekens in het bestand zijn onleesbaar; lever CSV in utf-8, of een .xlsx-werkboek."
_NEWLINE, _QUOTE = ord("\n"), ord('"')
_QUOTED_CELL = r'^"(?:[^"]|"")*"$'


def read_text(data: bytes, score: Callable[[Sequence[str]], int]) -> Sheet:
    """The one sheet of a text file.

    Args:
        data: the file.
        score: how many known headers a row of cells holds; the delimiter whose best row scores highest is taken.

    Raises:
        RefusedFileError: the text cannot be read without guessing or losing something.
    """
    text = _decoded(data)
    lines = np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE)
    if int(np.diff(lines, prepend=-1).max()) > MAX_LINE:
        raise RefusedFileError("Dit is geen tabel: een regel is veel te lang.")
    delimiter = _delimiter(text, score)
    cells, ends, numbers = _cut(text, delimiter, lines) or _cut_by_csv(text, delimiter)
    newlines_in_cells = pc.sum(pc.count_substring(cells, "\n"), min_count=0).as_py() if b'"' in text else 0
    if len(lines) - newlines_in_cells != len(ends):
        raise RefusedFileError(
            f"Het bestand heeft {len(lines)} regels, maar er zijn er {len(ends)} gelezen; neem contact op met de beheerder."
        )
    return sheet_of("", cells, ends, numbers)


def _decoded(data: bytes) -> bytes:
    """The text in utf-8, without byte order marks, every line ending in one newline."""
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), None)
    try:
        text = _decoded_unmarked(data) if encoding is None else data.decode(encoding).encode()
    except UnicodeError as error:
        raise RefusedFileError(_ODD_CHARACTERS) from error
    if b"\x00" in text:
        raise RefusedFileError("Dit is geen tekstbestand en geen .xlsx-werkboek.")
    # Exports pasted one behind the other each bring their own mark.
    if codecs.BOM_UTF8 in text:
        text = text.replace(codecs.BOM_UTF8, b"")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text if text.endswith(b"\n") else text + b"\n"


def _decoded_unmarked(data: bytes) -> bytes:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252").encode()
    return data


def _delimiter(text: bytes, score: Callable[[Sequence[str]], int]) -> str:
    head = b"\n".join(text.split(b"\n", HEAD_LINES)[:HEAD_LINES]).decode()
    best, best_score = DELIMITERS[0], 0
    for delimiter in DELIMITERS:
        found = _best_score(head, delimiter, score)
        if found > best_score:  # the first of equals
            best, best_score = delimiter, found
        if best_score >= DECISIVE:
            break
    return best


def _best_score(head: str, delimiter: str, score: Callable[[Sequence[str]], int]) -> int:
    best = 0
    if delimiter in head:
        try:
            for cells in islice(csv.reader(io.StringIO(head, newline="\n"), delimiter=delimiter), HEAD_LINES):
                best = max(best, score(cells))
                if best >= DECISIVE:
                    break
        except csv.Error:
            return best
    return best


def _cut(text: bytes, delimiter: str, lines: Index) -> tuple[pa.StringArray, Index, Index] | None:
    """Cells, end of each record, line of each record; None when a quote stands where only a reader can say what it is."""
    characters = np.frombuffer(text, np.uint8)
    separators = (characters == ord(delimiter)) | (characters == _NEWLINE)
    quoted = b'"' in text
    if quoted:
        separators &= ~np.logical_xor.accumulate(characters == _QUOTE)
    places = np.flatnonzero(separators)
    # Arrow wants the texts without anything between them, and where each begins.
    offsets = np.zeros(len(places) + 1, np.int32)
    offsets[1:] = places - np.arange(len(places))
    if quoted:
        if not len(places) or places[-1] != len(text) - 1:
            return None
        body = characters[~separators].tobytes()
    else:
        body = text.translate(None, b"\n" + delimiter.encode())
    cells = pa.StringArray.from_buffers(len(places), pa.py_buffer(offsets), pa.py_buffer(body))
    unquoted = _unquoted(cells) if quoted else cells
    if unquoted is None:
        return None
    is_end = characters[places] == _NEWLINE
    starts = np.concatenate([np.zeros(1, np.int64), places[is_end][:-1] + 1])
    return unquoted, np.flatnonzero(is_end) + 1, np.searchsorted(lines, starts) + 1


def _unquoted(cells: pa.StringArray) -> pa.StringArray | None:
    with_quotes = pc.match_substring(cells, '"')
    found = cells.filter(with_quotes)
    if not pc.all(pc.match_substring_regex(found, _QUOTED_CELL), min_count=0).as_py():
        return None
    inner = pc.replace_substring(pc.utf8_slice_codeunits(found, 1, -1), '""', '"')
    return pc.replace_with_mask(cells, with_quotes, inner)


def _cut_by_csv(text: bytes, delimiter: str) -> tuple[pa.StringArray, Index, Index]:
    """The same by Python's reader, for a text with odd quotes."""
    reader = csv.reader(io.StringIO(text.decode(), newline="\n"), delimiter=delimiter, strict=True)
    records, numbers, start = [], [], 1
    try:
        for record in reader:
            records.append(record or [""])
            numbers.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        reason = f"De aanhalingstekens kloppen niet vanaf regel {start}; het bestand is niet verder te lezen."
        raise RefusedFileError(reason) from error
    ends = np.cumsum([len(record) for record in records], dtype=np.int64)
    return pa.array(chain.from_iterable(records), pa.string()), ends, np.array(numbers, np.int64)
