"""The vault: the only place where rows about a person lie at rest, encrypted, immutable, for the owner alone.

Belongs here: writing a table or raw bytes whole or not at all, reading them back, listing them, removing what nothing
refers to.
Does not belong here: which file is the current one (the manifest in the warehouse says so: its row is the commit) and
what is in a table (intake).

A table is `<folder>/<name>.parquet.enc`, a raw file `<folder>/raw/<name>.enc`. The name goes into the encryption as
context, so two files cannot be exchanged unnoticed. A crash leaves at most a `.tmp`, which `sweep` removes, or a change of key
half done, which whoever takes the lock next finishes or forgets (`resources.vault_key`).
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from resources import vault_key
from resources.sealed import (
    IDENTITY,
    RAW_FOLDER,
    RAW_SUFFIX,
    TABLE_SUFFIX,
    TEMPORARY_SUFFIX,
    seal,
    sync_folder,
    unseal,
    write_durably,
)
from zio_pipeline.errors import ZioError
from zio_pipeline.privacy import Keys

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class Vault:
    """A folder of encrypted tables and raw files. Nothing in it is ever overwritten: the same name again is a no-op."""

    def __init__(self, folder: Path, keys: Keys):
        """Make the folder when it is not there (owner only, mode 0700)."""
        self._folder, self._raw, self._keys = folder, folder / RAW_FOLDER, keys
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
        with self.exclusive():
            if (self._folder / IDENTITY).exists():
                bound = unseal(self._keys, self._folder, Path(IDENTITY)).decode()
            elif first_time and not self.names() and not self.raw_names():
                write_durably(self._folder / IDENTITY, seal(self._keys, Path(IDENTITY), identity.encode()))
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

        def parquet() -> bytes:
            buffer = io.BytesIO()
            pq.write_table(table, buffer, compression="zstd")
            return buffer.getvalue()

        self._put(_table(name), parquet)

    def get(self, name: str) -> pa.Table:
        """The table of that name. ZioError when it is not there, or was tampered with."""
        return pq.read_table(io.BytesIO(self._read(_table(name))))

    def has(self, name: str) -> bool:
        """Whether a table of that name is there."""
        return (self._folder / _table(name)).exists()

    def has_bytes(self, name: str) -> bool:
        """Whether a raw file of that name is there."""
        return (self._folder / _raw(name)).exists()

    def put_bytes(self, name: str, data: bytes) -> None:
        """Keep a raw file under a name, with the same guarantees as `put`."""
        self._put(_raw(name), lambda: data)

    def put_all(self, tables: Mapping[str, pa.Table], raw: Mapping[str, bytes]) -> None:
        """Keep many at once, with the same guarantees as `put` once this returns.

        Compressing, encrypting and writing leave the interpreter, so two threads are nearly twice as fast.
        """
        with ThreadPoolExecutor(2) as pool:
            work = [pool.submit(self.put, name, table) for name, table in tables.items()]
            work += [pool.submit(self.put_bytes, name, data) for name, data in raw.items()]
            for one in work:
                one.result()

    def get_bytes(self, name: str) -> bytes:
        """The raw file of that name. ZioError when it is not there, or was tampered with."""
        return self._read(_raw(name))

    def bytes_since(self, name: str) -> date:
        """Since when the raw file of that name lies here (UTC)."""
        return datetime.fromtimestamp((self._folder / _raw(name)).stat().st_mtime, UTC).date()

    def remove(self, tables: Iterable[str], raw: Iterable[str]) -> None:
        """Remove tables and raw files for good; what is not there is no error. Who calls it leaves a record first."""
        for place in (*map(_table, tables), *map(_raw, raw)):
            (self._folder / place).unlink(missing_ok=True)
        sync_folder(self._folder)
        sync_folder(self._raw)

    def change_key(self, keys: Keys, switch: Callable[[], None]) -> int:
        """Encrypt everything with another key (`vault_key.change`); this object goes on with it. The number of files."""
        with self.exclusive():
            changed = vault_key.change(self._folder, self._keys, keys, switch)
            self._keys = keys
        return changed

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the vault for one writer at a time: what is written but not yet registered must not be swept by another.

        Raises:
            ZioError: the key was changed since this vault was opened.
        """
        with FileLock(self._folder / ".lock", mode=0o600):
            vault_key.finish(self._folder, self._keys)
            if (self._folder / IDENTITY).exists():
                unseal(self._keys, self._folder, Path(IDENTITY))
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
            sync_folder(place)
        return unwanted

    def _put(self, place: Path, content: Callable[[], bytes]) -> None:
        path = self._folder / place
        if path.exists():
            sync_folder(path.parent)  # another process may have been cut off between its rename and this
        else:
            write_durably(path, seal(self._keys, place, content()))

    def _read(self, place: Path) -> bytes:
        try:
            return unseal(self._keys, self._folder, place)
        except FileNotFoundError as error:
            raise ZioError(f"'{place.name}' ligt niet in de kluis.") from error


def _table(name: str) -> Path:
    return Path(_checked(name) + TABLE_SUFFIX)


def _raw(name: str) -> Path:
    return Path(RAW_FOLDER, _checked(name) + RAW_SUFFIX)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ZioError("Een naam in de kluis bestaat uit letters, cijfers, punt, streepje en liggend streepje.")
    return name


def _names(folder: Path, suffix: str) -> list[str]:
    return sorted(
        path.name.removesuffix(suffix) for path in folder.iterdir() if path.is_file() and path.name.endswith(suffix)
    )
