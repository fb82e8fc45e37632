"""Encrypted files of the vault on the disk: written whole or not at all, and readable only in their own place.

Belongs here: what such a file is called, the context it is encrypted with, and writing one so that it survives a power cut.
Does not belong here: what is in one (vault) and which key counts (vault_key).
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from zio_pipeline.privacy import Keys, decrypt, encrypt

TABLE_SUFFIX = ".parquet.enc"
RAW_SUFFIX = ".enc"
TEMPORARY_SUFFIX = ".tmp"
RAW_FOLDER = "raw"
IDENTITY = "identity.enc"


def sealed_files(folder: Path) -> Iterator[Path]:
    """Every encrypted file under a vault folder, as its path within it; that of its identity last."""
    for place, suffix in ((folder, TABLE_SUFFIX), (folder / RAW_FOLDER, RAW_SUFFIX)):
        if place.is_dir():
            yield from (found.relative_to(folder) for found in sorted(place.glob(f"*{suffix}")) if found.is_file())
    if (folder / IDENTITY).exists():
        yield Path(IDENTITY)


def seal(keys: Keys, place: Path, data: bytes) -> bytes:
    """Encrypt what will lie at `place` within the vault; at another place it cannot be read, so two cannot be exchanged."""
    return encrypt(keys, data, _context(place))


def unseal(keys: Keys, folder: Path, place: Path) -> bytes:
    """What lies at `place`. ZioError when it was tampered with or is of another key, FileNotFoundError when it is not there."""
    return decrypt(keys, (folder / place).read_bytes(), _context(place))


def write_durably(path: Path, data: bytes) -> None:
    """Write a file for its owner only; once this returns it survives a power cut, and nobody ever sees half of it."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder durable: a power cut may undo them although the files themselves were written."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _context(place: Path) -> bytes:
    return b"identity" if place == Path(IDENTITY) else place.as_posix().encode()
