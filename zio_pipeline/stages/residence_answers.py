"""What is kept of residence checks, and which answers a year is computed from.

Belongs here: names, places and columns, and choosing between all answers that count and those a receipt names.
Does not belong here: asking and reading (stages.residence), what an answer means (payer.residence).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from resources.home import Home
from zio_pipeline.errors import ZioError
from zio_pipeline.stages import vault_log

RESIDENCE = "residence-"
"""How every table of a residence check begins in the vault."""
SOURCE = "residence_answers"
ASKED, ANSWERED, READ = "residence_asked", "residence_answered", "residence_words_read"
SCHEMA = pa.schema(
    [
        ("municipality", pa.string()),
        ("pupil", pa.string()),
        ("confirmed", pa.bool_()),
        ("since", pa.date32()),
        ("other", pa.string()),
        ("sequence", pa.int64()),
    ]
)
WORDS_SCHEMA = pa.schema([("pupil", pa.string()), ("other_text", pa.string()), ("note", pa.string())])
"""What a municipality wrote itself. It can be anything, also a name: it is kept apart, decides nothing and goes at thinning."""


def workbook_path(home: Home, label: str) -> Path:
    """Where a workbook lies that goes out: for its owner only."""
    return home.folder / "vertrouwelijk" / "woonplaatstoets" / f"{label}.xlsx"


def asked_name(school_year: str, content: str) -> str:
    """Under which name the vault keeps whom a workbook asks about."""
    return f"{RESIDENCE}{school_year}-{content}-asked"


def copy_name(school_year: str, content: str) -> str:
    """Under which name the vault keeps the workbook itself."""
    return f"{RESIDENCE}{school_year}-{content}-workbook"


def answers_name(school_year: str, content: str) -> str:
    """Under which name the vault keeps the answers of a workbook."""
    return f"{RESIDENCE}{school_year}-{content}-answers"


def words_name(school_year: str, content: str) -> str:
    """Under which name the vault keeps what a municipality wrote beside its answers."""
    return f"{RESIDENCE}{school_year}-{content}-words"


def answer_files(
    home: Home, school_year: str, pinned: Sequence[Mapping[str, str]] | None = None
) -> list[dict[str, str]]:
    """The answers a year is computed from, in the form of the files of a receipt.

    Args:
        home: where everything is kept.
        school_year: key of the year.
        pinned: the files its receipt names, once it is established: answers read afterwards change nothing.

    Raises:
        ZioError: a municipality answered before the pseudonym key changed, and not since: nobody can be recognised in it.
    """
    if pinned is not None:
        return [dict(file) for file in pinned if file["source"] == SOURCE]
    read = {row["municipality"] for row in vault_log.lines(home, school_year, ANSWERED)}
    if lost := sorted(read - {row["municipality"] for row in _read_now(home, school_year)}):
        raise ZioError(
            f"De woonplaatstoets van gemeente {', '.join(lost)} is van vóór de wisseling van de pseudoniemsleutel; "
            "maak haar opnieuw met 'zio residence-check' en vraag opnieuw antwoord."
        )
    return read_files(home, school_year)


def read_files(home: Home, school_year: str) -> list[dict[str, str]]:
    """All answers that were read with the key of now, in the form of the files of a receipt."""
    return [
        {
            "source": SOURCE,
            "label": row["label"],
            "content_sha256": row["content_sha256"],
            "contract_fingerprint": "-",
            "parser_version": "-",
            "key_id": row["key_id"],
        }
        for row in _read_now(home, school_year)
    ]


def _read_now(home: Home, school_year: str) -> list[dict[str, Any]]:
    """Lines of the log about answers under the key of now: nobody can be recognised in those of another key."""
    return [row for row in vault_log.lines(home, school_year, ANSWERED) if row["key_id"] == home.keys.key_id]


def answer_rows(home: Home, school_year: str, files: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The rows of those answers, as `PayerInputs.residence_answers` asks them."""
    tables = (home.vault.get(answers_name(school_year, file["content_sha256"])) for file in files)
    return [row for table in tables for row in table.to_pylist()]
