"""From any bytes to sheets of text cells: telling a workbook from a text file.

Belongs here: that choice, and refusing what is neither. Does not belong here: how either is read (text, workbook).
"""

from collections.abc import Callable, Sequence

from zio_pipeline.intake.delivery import RefusedFileError
from zio_pipeline.intake.package import PROTECTED
from zio_pipeline.intake.sheets import TOO_LARGE, Sheet
from zio_pipeline.intake.text import read_text
from zio_pipeline.intake.workbook import read_workbook

MAX_BYTES = 200_000_000

_OLD_EXCEL = (
    "Dit is een oud Excel-bestand (.xls) of een ander Office-bestand; sla het op als .xlsx en lever het opnieuw."
)
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read(data: bytes, score: Callable[[Sequence[str]], int]) -> list[Sheet]:
    """Read any bytes; `score` is how many known headers a row of cells holds.

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
    return read_workbook(data) if data.startswith(_ZIP) else [read_text(data, score)]
