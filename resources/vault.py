"""The vault: the only place where rows about a person lie at rest, encrypted, immutable, for the owner alone.

Belongs here: writing a table or raw bytes whole or not at all, reading them back, listing them, removing what nothing
refers to.
Does not belong here: which file is the current one (the manifest in the warehouse says so: its row is the commit) and
what is in a table (intake).

A table is `<folder>/<name>.parquet.enc`, a raw file `<folder>/raw/<name>.enc`. The name goes into the encryption as
context, so two files cannot be exchanged unnoticed. A crash leaves at most a `.tmp`, which `sweep` removes.
"""

import io
import os
import re
import secrets
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from zio_pipeline.errors import ZioError
from zio_pipeline.privacy import Keys, decrypt, encrypt

TABLE_SUFFIX = ".parquet.enc"
RAW_SUFFIX = ".enc"
TEMPORARY_SUFFIX = ".tmp"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class Vault:
    """A folder of encrypted tables and raw files. Nothing in it is ever overwritten: the same name again is a no-op."""

    def __init__(self, folder: Path, keys: Keys):
        """Make the folder when it is not there (owner only, mode 0700)."""
        self._folder, self._raw, self._keys = folder, folder / "raw", keys
        for place in (self._folder, self._raw):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.chmod(0o700)

    def bind(self, identity: str, *, first_time: bool) -> None:
        """Tie the vault to one warehouse and one pair of keys, and open it with no other.

        With another warehouse its tables would look unreferenced and be swept; with other keys they could not be read.

        Args:
            identity: of the warehouse.
            first_time: whether an unbound vault may be bound now: the warehouse refers to nothing yet.

        Raises:
            ZioError: it belongs to another warehouse, or the keys are not those it was made with.
        """
        path = self._folder / "identity.enc"
        with self.exclusive():
            if path.exists():
                bound = decrypt(self._keys, path.read_bytes(), b"identity").decode()
            elif first_time and not self.names() and not self.raw_names():
                _write(path, encrypt(self._keys, identity.encode(), b"identity"))
                return
            else:
                bound = ""
        if bound != identity:
            raise ZioError(
                "Deze kluis en dit warehouse horen niet bij elkaar. Controleer ZIO_HOME en ZIO_WAREHOUSE_URL, of zet van "
                "beide dezelfde reservekopie terug. Er is niets gewijzigd."
            )

    def put(self, name: str, table: pa.Table) -> None:
        """Keep a table under a name; after this it survives a power cut. ZioError when the name is not a plain one."""
        path = _path(self._folder, name, TABLE_SUFFIX)
        if path.exists():
            _sync_folder(path.parent)  # another process may have been cut off between its rename and this
            return
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        _write(path, encrypt(self._keys, buffer.getvalue(), path.name.encode()))

    def get(self, name: str) -> pa.Table:
        """The table of that name. ZioError when it is not there, or was tampered with."""
        return pq.read_table(io.BytesIO(self._read(_path(self._folder, name, TABLE_SUFFIX))))

    def put_bytes(self, name: str, data: bytes) -> None:
        """Keep a raw file under a name, with the same guarantees as `put`."""
        path = _path(self._raw, name, RAW_SUFFIX)
        if path.exists():
            _sync_folder(path.parent)
            return
        _write(path, encrypt(self._keys, data, b"raw/" + path.name.encode()))

    def get_bytes(self, name: str) -> bytes:
        """The raw file of that name. ZioError when it is not there, or was tampered with."""
        return self._read(_path(self._raw, name, RAW_SUFFIX), b"raw/")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the vault for one writer at a time: what is written but not yet registered must not be swept by another."""
        with FileLock(self._folder / ".lock", mode=0o600):
            yield

    def names(self) -> list[str]:
        """Names of the tables, sorted."""
        return _names(self._folder, TABLE_SUFFIX)

    def raw_names(self) -> list[str]:
        """Names of the raw files, sorted."""
        return _names(self._raw, RAW_SUFFIX)

    def sweep(self, keep: AbstractSet[str]) -> list[str]:
        """Remove the tables whose name is not in `keep` and every left-over temporary file; the names removed, sorted.

        Raw files stay: they go by the retention rule, which leaves a record (SPEC section 8). Call it under the lock
        that intake runs under: a table that is written but not yet in the manifest is not in `keep` either.
        """
        unwanted = [name for name in self.names() if name not in keep]
        for name in unwanted:
            (self._folder / (name + TABLE_SUFFIX)).unlink(missing_ok=True)
        for place in (self._folder, self._raw):
            for left_over in place.glob(f"*{TEMPORARY_SUFFIX}"):
                left_over.unlink(missing_ok=True)
            _sync_folder(place)
        return unwanted

    def _read(self, path: Path, place: bytes = b"") -> bytes:
        try:
            sealed = path.read_bytes()
        except FileNotFoundError as error:
            raise ZioError(f"'{path.name}' ligt niet in de kluis.") from error
        return decrypt(self._keys, sealed, place + path.name.encode())


def _path(folder: Path, name: str, suffix: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ZioError("Een naam in de kluis bestaat uit letters, cijfers, punt, streepje en liggend streepje.")
    return folder / (name + suffix)


def _names(folder: Path, suffix: str) -> list[str]:
    return sorted(
        path.name.removesuffix(suffix) for path in folder.iterdir() if path.is_file() and path.name.endswith(suffix)
    )


def _write(path: Path, data: bytes) -> None:
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
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Without it a rename may be lost in a power cut although the file itself was written.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
