"""The one folder everything the program writes lives under, and the stores in it.

Belongs here: where inbox, vault, warehouse and outbox are, and opening them together.
Does not belong here: what is written into them.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resources.database import sqlite_url
from resources.ledger import Ledger
from resources.ledger_proof import verify
from resources.vault import Vault
from resources.warehouse import Warehouse
from zio_pipeline.privacy import Keys, load_keys

DEFAULT = Path(".zio")


@dataclass(frozen=True)
class Home:
    """An opened home. Opening makes what is missing; the warehouse may stand elsewhere (`ZIO_WAREHOUSE_URL`)."""

    folder: Path
    keys: Keys
    vault: Vault
    warehouse: Warehouse
    ledger: Ledger

    @classmethod
    def open(cls, folder: Path | None = None, environ: Mapping[str, str] = os.environ) -> "Home":
        """Open the home in `folder`, else in `ZIO_HOME`, else in `.zio`.

        Raises:
            ZioError: a key is malformed or not the one the vault was made with, the warehouse cannot be opened or lacks a
                trigger, or vault and warehouse do not belong together.
        """
        folder = (folder or Path(environ.get("ZIO_HOME") or DEFAULT)).resolve()
        for place in (folder, folder / "inbox", folder / "outbox"):
            # The inbox holds raw personal data and the outbox restricted tables: for the owner only.
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = load_keys(folder / "vault" / "keys", environ)
        warehouse = Warehouse(environ.get("ZIO_WAREHOUSE_URL") or sqlite_url(folder / "warehouse.db"))
        warehouse.create()
        vault = Vault(folder / "vault", keys)
        vault.bind(warehouse.identity(), first_time=not warehouse.manifest())
        return cls(folder, keys, vault, warehouse, Ledger(warehouse))

    def verify(self) -> list[str]:
        """What is wrong with the ledger, in Dutch; empty when it is sound."""
        return verify(self.warehouse)

    @property
    def inbox(self) -> Path:
        """Where senders drop their files."""
        return self.folder / "inbox"

    @property
    def feedback(self) -> Path:
        """Where senders' workbooks with rejected rows are put: personal, for the owner only."""
        return self.folder / "terugmelding"

    @property
    def outbox(self) -> Path:
        """Where finance finds what goes out."""
        return self.folder / "outbox"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old bytes or the new ones, never half of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
