"""Reading again what an older reader took in: offered, never done in silence (SPEC section 2).

Belongs here: which files another reader, contract or pseudonym key took in than those of today, and reading their bytes from
the vault again, in the one way files are taken in. Does not belong here: that way (receiving).

A reading that two people signed for stays what it was: the receipt of an established year names the reading, not the file.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from resources.home import Home
from zio_pipeline.contracts import sources
from zio_pipeline.intake import PARSER_VERSION
from zio_pipeline.manifest import ManifestEntry
from zio_pipeline.stages.receiving import take_up

_READING = ("content_sha256", "contract_fingerprint", "parser_version", "key_id")


class Counts(NamedTuple):
    """Rows of a file, as one reading found them."""

    rows_in: int
    rows_accepted: int
    rows_quarantined: int


@dataclass(frozen=True)
class Reread:
    """How one file ended that was read again, beside what the reading before it found."""

    label: str
    status: str
    reason: str | None
    before: Counts
    after: Counts


@dataclass(frozen=True)
class Rereading:
    """What was read again, and the labels of the files of which the vault has no bytes any more: their sender must send them."""

    files: tuple[Reread, ...]
    gone: tuple[str, ...]


def outdated(home: Home, source: str | None = None) -> list[ManifestEntry]:
    """Files that count, in a reading of another reader, contract or key than those of today; by their label.

    Left out are readings that an established year was signed with, and files that were read again since and refused.

    Args:
        home: where everything is kept.
        source: of one source only.
    """
    entries = home.warehouse.manifest()
    signed = _signed(home, entries)
    today = {e.content_sha256 for e in entries if _is_of_today(home, e)}
    found = [e for e in entries if e.active and source in (None, e.source) and e.content_sha256 not in today]
    return sorted((e for e in found if _reading(vars(e)) not in signed), key=lambda e: e.label)


def reread(home: Home, source: str | None = None, on_file: Callable[[], None] = lambda: None) -> Rereading:
    """Read again from the vault what is outdated. All of it is read and audited first; then all of it counts at once.

    A file keeps the day on which it was received. One that the reader of today refuses keeps counting as it was read before.

    Args:
        home: where everything is kept.
        source: of one source only.
        on_file: called after each file.
    """
    with home.vault.exclusive():
        found = outdated(home, source)
        entries = {e.content_sha256: e for e in found if home.vault.has_bytes(e.content_sha256)}

        def stored() -> Iterator[tuple[str, bytes]]:
            for content in entries:
                yield content, home.vault.get_bytes(content)
                on_file()

        before = _shown(home)
        take_up(home, stored(), lambda content: entries[content].received_on)
        after = _shown(home)
    files = tuple(_reread(before[content], after[content]) for content in entries)
    return Rereading(files, tuple(entry.label for entry in found if entry.content_sha256 not in entries))


def _shown(home: Home) -> dict[str, dict[str, Any]]:
    return {row["content_sha256"]: row for row in home.warehouse.rows("deliveries")}


def _reread(before: Mapping[str, Any], after: Mapping[str, Any]) -> Reread:
    counts = [Counts(*(row[name] for name in Counts._fields)) for row in (before, after)]
    return Reread(after["label"], after["status"], after["reason"], *counts)


def _is_of_today(home: Home, entry: ManifestEntry) -> bool:
    contract = sources().get(entry.source)
    fingerprint = contract.fingerprint if contract else None
    reading = (entry.contract_fingerprint, entry.parser_version, entry.key_id)
    return reading == (fingerprint, PARSER_VERSION, home.keys.key_id)


def _signed(home: Home, entries: list[ManifestEntry]) -> set[tuple[str, ...]]:
    years = {entry.school_year for entry in entries if entry.school_year}
    standing = [found for year in years if (found := home.warehouse.establishment(year))]
    return {_reading(file) for found in standing for file in found.receipt["inputs"]}


def _reading(fields: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(fields[name] for name in _READING)
