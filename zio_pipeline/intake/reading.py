"""From bytes to sheets of text cells, each row with the sender's own number.

Belongs here: telling a workbook from a text file, decoding, finding the delimiter, cutting a text into records.
Does not belong here: XLSX itself (workbook), what the cells mean (headers, layout, parsing).

A text is decoded strictly: byte order mark, else utf-8, else cp1252, and never with replacement characters. Quotes are
read strictly too: a stray one would otherwise swallow the rows up to the next.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from zio_pipeline.intake.delivery import RefusedFileError
from zio_pipeline.intake.sheets import TOO_LARGE, Sheet, numbered
from zio_pipeline.intake.workbook import PROTECTED, read_workbook

MAX_BYTES = 200_000_000
DELIMITERS = (";", "\t", ",", "|")
HEAD_LINES = 60
MAX_LINE = 100_000

_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_OLD_EXCEL = (
    "Dit is een oud Excel-bestand (.xls) of een ander Office-bestand; sla het op als .xlsx en lever het opnieuw."
)
_ODD_CHARACTERS = "De tekens in het bestand zijn onleesbaar; lever CSV in utf-8, of een .xlsx-werkboek."
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read(data: bytes, score: Callable[[Sequence[str]], int]) -> list[Sheet]:
    """Read any bytes.

    Args:
        data: the file.
        score: how many known headers a row of cells holds; the delimiter whose best row scores highest is taken.

    Raises:
        RefusedFileError: the bytes cannot be read without guessing or losing something.
    """
    if not data.strip():
        raise RefusedFileError("Het bestand is leeg.")
    if len(data) > MAX_BYTES:
        raise RefusedFileError(TOO_LARGE)
    if data.startswith(_OLE):
        protected = "EncryptedPackage".encode("utf-16-le") in data
        raise RefusedFileError(PROTECTED if protected else _OLD_EXCEL)
    if data.startswith(_ZIP):
        return read_workbook(data)
    return [_read_text(_decode(data), score)]


def _decode(data: bytes) -> str:
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), None)
    try:
        text = _decode_unmarked(data) if encoding is None else data.decode(encoding)
    except UnicodeDecodeError as error:
        raise RefusedFileError(_ODD_CHARACTERS) from error
    if "\x00" in text:
        raise RefusedFileError("Dit is geen tekstbestand en geen .xlsx-werkboek.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if max(map(len, io.StringIO(text, newline="\n"))) > MAX_LINE:
        raise RefusedFileError("Dit is geen tabel: een regel is veel te lang.")
    return text


def _decode_unmarked(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _read_text(text: str, score: Callable[[Sequence[str]], int]) -> Sheet:
    delimiter = max(DELIMITERS, key=lambda d: _best_score(text, d, score))  # the first of equals
    return Sheet("", numbered(_records(text, delimiter)))


def _best_score(text: str, delimiter: str, score: Callable[[Sequence[str]], int]) -> int:
    head = islice(io.StringIO(text, newline="\n"), HEAD_LINES)
    try:
        return max((score(cells) for cells in csv.reader(head, delimiter=delimiter)), default=0)
    except csv.Error:
        return 0


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line on which each starts: a quoted cell may hold line breaks."""
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    start = 1
    try:
        for record in reader:
            yield start, record
            start = reader.line_num + 1
    except csv.Error as error:
        reason = f"De aanhalingstekens kloppen niet vanaf regel {start}; het bestand is niet verder te lezen."
        raise RefusedFileError(reason) from error
