"""Another vault key: everything encrypted anew, so that a kill leaves the vault under the old key or under the new one.

Belongs here: the change itself, finishing one that was cut off, and where the new key comes from.
Does not belong here: the pseudonym key, which is in what was read and cannot be changed afterwards (rereading).

Everything is first written anew into `<vault>/next/`, its identity last. Then the new key takes the place of the old one in the
key file: that is the moment. After it the files of `next/` take the places of their namesakes. Whoever takes the lock of the
vault finishes that with the new key, or with the old one throws `next/` away.
"""

import base64
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from resources.sealed import IDENTITY, RAW_FOLDER, seal, sealed_files, sync_folder, unseal, write_durably
from zio_pipeline.errors import ZioError
from zio_pipeline.privacy import KEY_BYTES, KEY_FILE, VAULT_VARIABLE, Keys, load_keys

NEXT = "next"
NEW_VAULT_VARIABLE = "ZIO_NEW_VAULT_KEY"


def new_key(folder: Path, keys: Keys, environ: Mapping[str, str]) -> tuple[Keys, Callable[[], None]]:
    """The keys to change to, and what must be done with them at the moment of the change.

    Where keys are given in the environment the new one is ZIO_NEW_VAULT_KEY, and nothing is kept of it. Else it is made here and
    written into the key file.

    Args:
        folder: where the key file lies.
        keys: in use now.
        environ: may hold the keys.

    Raises:
        ZioError: the new key is missing, malformed or the old one.
    """
    if not environ.get(VAULT_VARIABLE):
        fresh = replace(keys, vault_key=secrets.token_bytes(KEY_BYTES))
        return fresh, lambda: _into_key_file(folder / KEY_FILE, fresh)
    given = environ.get(NEW_VAULT_VARIABLE)
    if not given:
        raise ZioError(f"De sleutels staan in de omgeving: zet de nieuwe kluissleutel in {NEW_VAULT_VARIABLE}.")
    try:
        fresh = load_keys(folder, {**environ, VAULT_VARIABLE: given})
    except ZioError as error:
        raise ZioError(f"{NEW_VAULT_VARIABLE} is geen sleutel van {KEY_BYTES} bytes in base64.") from error
    if fresh.vault_key == keys.vault_key:
        raise ZioError(f"{NEW_VAULT_VARIABLE} is de sleutel die al in gebruik is.")
    return fresh, lambda: None


def change(folder: Path, old: Keys, new: Keys, switch: Callable[[], None]) -> int:
    """Encrypt everything in the vault with another key; call it under the lock. The number of files.

    Args:
        folder: the vault.
        old: opens what lies there.
        new: will open it.
        switch: makes the new key the one that the next process finds.
    """
    _stage(folder, old, new)
    switch()
    finish(folder, new)
    places = list(sealed_files(folder))
    for place in places:
        # A file that was put beside the lock meanwhile is still of the old key.
        if not _opens(new, folder, place):
            write_durably(folder / place, seal(new, place, unseal(old, folder, place)))
    return len(places)


def finish(folder: Path, keys: Keys) -> None:
    """Finish a change of key that was cut off, or forget it when its moment had not come; call it under the lock.

    Raises:
        ZioError: these are not the keys of the vault; nothing was touched.
    """
    staged = folder / NEXT
    if not staged.exists():
        return
    places, mine = list(sealed_files(staged)), _opens(keys, folder, Path(IDENTITY))
    # The identity is staged last and takes its place first: without it, and with another in place, not everything was staged.
    whole = mine or Path(IDENTITY) in places
    if places and whole and _opens(keys, staged, places[-1]):
        _take_places(folder, staged, places)
    elif not mine:
        raise ZioError("Deze kluis is van een andere sleutel, of de wisseling van sleutel was nog niet af.")
    shutil.rmtree(staged)
    sync_folder(folder)


def _stage(folder: Path, old: Keys, new: Keys) -> None:
    staged = folder / NEXT
    for made in (staged, staged / RAW_FOLDER):
        made.mkdir(mode=0o700)
    for place in sealed_files(folder):
        write_durably(staged / place, seal(new, place, unseal(old, folder, place)))
        found = (folder / place).stat()
        os.utime(staged / place, ns=(found.st_atime_ns, found.st_mtime_ns))  # how long raw bytes have been kept
    sync_folder(staged)
    sync_folder(folder)


def _take_places(folder: Path, staged: Path, places: list[Path]) -> None:
    # The identity first: from then on the old key opens nothing here, and cannot take this for a change that never came.
    for place in reversed(places):
        (staged / place).replace(folder / place)
        if place == Path(IDENTITY):
            sync_folder(folder)
    sync_folder(folder)
    sync_folder(folder / RAW_FOLDER)


def _opens(keys: Keys, folder: Path, place: Path) -> bool:
    try:
        unseal(keys, folder, place)
    except (ZioError, FileNotFoundError):
        return False
    return True


def _into_key_file(path: Path, keys: Keys) -> None:
    stored = json.loads(path.read_text("ascii")) | {"vault_key": base64.b64encode(keys.vault_key).decode()}
    write_durably(path, json.dumps(stored).encode("ascii"))
