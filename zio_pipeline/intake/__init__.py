"""The door: what offered files come to, whatever their bytes.

    bytes -> reading (text, workbook) -> headers -> layout -> judging (columns, checks, controls) -> scope -> Delivery

Belongs here: `take_in`, `take_in_all` and the types they return. They are pure: the same bytes and keys give the same
delivery, alone or beside others; no file, no database, no clock, and never an exception about what is in a file
(SPEC section 9).
Does not belong here: fetching files (inbox), keeping them (vault, manifest).
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from zio_pipeline.contracts import sources
from zio_pipeline.intake.composing import compose, refused, rows_with_refs
from zio_pipeline.intake.delivery import UNKNOWN, Delivery, QuarantinedRow, Reason, RefusedFileError
from zio_pipeline.intake.headers import SETUP, Recognised, recognise, score
from zio_pipeline.intake.judging import Judged, judge
from zio_pipeline.intake.layout import Table, lay_out
from zio_pipeline.intake.parsing import connect, forget_database
from zio_pipeline.intake.reading import read
from zio_pipeline.privacy import Keys
from zio_pipeline.sql import THREADS

__all__ = ["PARSER_VERSION", "Delivery", "QuarantinedRow", "Reason", "rows_with_refs", "take_in", "take_in_all"]

PARSER_VERSION = "3"
"""Goes up whenever the same bytes may be read otherwise: part of a file's identity in the manifest."""


@dataclass(frozen=True)
class _Opened:
    """A file whose tables were found; its rows are still to be judged."""

    sha: str
    recognised: Recognised
    tables: Sequence[Table]


def take_in(data: bytes, keys: Keys) -> Delivery:
    """Recognise, read, parse and judge one file. Never raises on what is in it; a refusal has its reason in Dutch."""
    (delivery,) = take_in_all([data], keys)
    return delivery


def take_in_all(files: Sequence[bytes], keys: Keys) -> list[Delivery]:
    """As `take_in`, for each of many files, in their order. Files of one contract are judged in one go, which is far faster."""
    opened = [_open(data) for data in files[:1]]  # what is loaded once is loaded before there are threads
    with ThreadPoolExecutor(THREADS) as pool:
        opened += pool.map(_open, files[1:])
    done: dict[int, Delivery] = {i: one for i, one in enumerate(opened) if isinstance(one, Delivery)}
    waiting = {i: one for i, one in enumerate(opened) if isinstance(one, _Opened)}
    for source in sources():
        places = [i for i, one in waiting.items() if one.recognised.source == source]
        # The sheets of a workbook refer to each other, so each is judged on a connection of its own.
        for group in [[i] for i in places] if source == SETUP else [places]:
            done.update(zip(group, _judge_safely([waiting[i] for i in group], keys), strict=True))
    return [done[i] for i in range(len(files))]


def _open(data: bytes) -> _Opened | Delivery:
    sha = hashlib.sha256(data).hexdigest()
    try:
        recognised = recognise(read(data, score))
    except RefusedFileError as error:
        return refused(sha, error.source, str(error))
    except Exception as error:  # the one place where an unforeseen fault of a reader must not stop the other files
        return _unforeseen(sha, UNKNOWN, error)
    try:
        return _Opened(sha, recognised, _lay_out(recognised))
    except RefusedFileError as error:
        return refused(sha, recognised.source, str(error), recognised.warnings)
    except Exception as error:
        return _unforeseen(sha, recognised.source, error)


def _lay_out(recognised: Recognised) -> list[Table]:
    tables: list[Table] = []
    for found in recognised.tables:
        tables.append(lay_out(found, rows_before=sum(len(t.rows) for t in tables if t.dataset is found.dataset)))
    if not any(len(table.rows) for table in tables):
        raise RefusedFileError("Het bestand bevat geen enkele rij met gegevens.")
    return tables


def _judge_safely(files: Sequence[_Opened], keys: Keys) -> Iterator[Delivery]:
    """Judge files together; a fault that nobody foresaw is then found in the one file that has it."""
    try:
        yield from list(_judge(files, keys))
    except Exception as error:
        if len(files) > 1:
            for file in files:
                yield from _judge_safely([file], keys)
        else:
            yield _unforeseen(files[0].sha, files[0].recognised.source, error)


def _judge(files: Sequence[_Opened], keys: Keys) -> Iterator[Delivery]:
    if not files:
        return
    judged: list[list[Judged]] = [[] for _ in files]
    with closing(connect()) as connection:
        for dataset in files[0].recognised.contract.datasets:
            tables = [[table for table in file.tables if table.dataset is dataset] for file in files]
            for of_file, outcome in zip(judged, judge(connection, dataset, tables, keys), strict=True):
                of_file.append(outcome)
    for file, of_file in zip(files, judged, strict=True):
        yield compose(file.sha, file.recognised, file.tables, of_file)


def _unforeseen(sha: str, source: str, error: Exception) -> Delivery:
    forget_database()  # after a fault it may answer nothing any more
    reason = f"Het bestand kan niet worden verwerkt ({type(error).__name__}); neem contact op met de beheerder."
    return replace(refused(sha, source, reason), final=False)
