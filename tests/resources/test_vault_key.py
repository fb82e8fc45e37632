"""Another vault key: everything or nothing under it at every moment, and nobody who holds the old key goes on with it."""

import base64
import json
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from resources import sealed, vault_key
from resources.home import Home
from resources.vault import Vault
from tests.killing import Killed, killed_at
from zio_pipeline.cli import main
from zio_pipeline.errors import ZioError
from zio_pipeline.privacy import Keys

OLD = Keys(b"p" * 32, b"v" * 32, "deadbeef")
NEW = replace(OLD, vault_key=b"w" * 32)
TABLES = {name: pa.table({"pupil": [name, "geheim"]}) for name in ("a", "b", "c")}
RAW = {"d": b"ruw", "e": b""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Vault(tmp_path / "vault", OLD)
    made.bind("this warehouse", first_time=True)
    made.put_all(TABLES, RAW)
    return tmp_path / "vault"


def opened(folder: Path, keys: Keys) -> Vault:
    vault = Vault(folder, keys)
    vault.bind("this warehouse", first_time=False)
    return vault


def contents(vault: Vault) -> tuple[dict[str, Any], dict[str, bytes]]:
    tables = {name: vault.get(name).to_pydict() for name in vault.names()}
    return tables, {name: vault.get_bytes(name) for name in vault.raw_names()}


def complete(vault: Vault) -> bool:
    return contents(vault) == ({name: table.to_pydict() for name, table in TABLES.items()}, RAW)


def nothing() -> None:
    """Keys from the environment: there is no key file to change."""


def test_everything_is_of_the_new_key_and_nothing_of_the_old(folder: Path):
    vault = opened(folder, OLD)
    assert vault.change_key(NEW, nothing) == 6
    assert complete(vault), "goes on with the new key"
    vault.put("after", TABLES["a"])
    assert complete(opened(folder, NEW)) is False
    assert opened(folder, NEW).get("after").equals(TABLES["a"])
    with pytest.raises(ZioError):
        opened(folder, OLD)
    for path in folder.rglob("*.enc"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not (folder / "next").exists()


def test_how_long_raw_bytes_were_kept_does_not_change(folder: Path):
    os.utime(folder / "raw" / "d.enc", (1_000_000_000, 1_000_000_000))
    before = opened(folder, OLD).bytes_since("d")
    vault = opened(folder, OLD)
    vault.change_key(NEW, nothing)
    assert vault.bytes_since("d") == before


def test_who_opened_the_vault_before_the_change_cannot_write_under_its_lock(folder: Path):
    stale = opened(folder, OLD)
    opened(folder, OLD).change_key(NEW, nothing)
    with pytest.raises(ZioError, match="sleutel"), stale.exclusive():
        raise AssertionError("the lock was given")


def test_what_was_put_beside_the_lock_during_the_change_is_found(folder: Path):
    other = opened(folder, OLD)

    def meanwhile() -> None:
        other.put("meanwhile", TABLES["a"])

    vault = opened(folder, OLD)
    assert vault.change_key(NEW, meanwhile) == 7
    assert vault.get("meanwhile").equals(TABLES["a"])


STEPS = ((Path, "replace"), (shutil, "rmtree"), (sealed, "sync_folder"), (vault_key, "sync_folder"))
"""Every rename, removal and flush of a folder."""


def opens_whole(folder: Path, keys: Keys) -> bool:
    try:
        return complete(opened(folder, keys)) and not (folder / "next").exists()
    except ZioError:
        return False


@pytest.mark.parametrize("with_key_file", [True, False], ids=["key file", "environment"])
def test_a_kill_at_any_moment_leaves_it_under_one_key(folder: Path, tmp_path: Path, with_key_file: bool):
    ended: set[str] = set()
    for moment in count(1):
        copy = tmp_path / str(moment)
        shutil.copytree(folder, copy)
        switched = []
        with killed_at(moment, *STEPS) as reached, suppress(Killed):
            vault = opened(copy, OLD)
            vault.change_key(NEW, lambda: switched.append(1))  # noqa: B023
        finished = len(reached) < moment - 1
        # With a key file the next process finds the key of the moment; else a person tries both, in whatever order.
        orders = [[NEW if switched else OLD]] if with_key_file else [[OLD, NEW], [NEW, OLD]]
        for order in orders:
            shutil.copytree(copy, tmp_path / "look")
            found = [key for key in order if opens_whole(tmp_path / "look", key)]
            assert found, (moment, order)
            ended.update("old" if key is OLD else "new" for key in found)
            if OLD in found and NEW not in found:
                opened(tmp_path / "look", OLD).change_key(NEW, nothing)
                assert opens_whole(tmp_path / "look", NEW)
            shutil.rmtree(tmp_path / "look")
        shutil.rmtree(copy)
        if finished:
            break
    assert ended == {"old", "new"}
    assert moment > 20, "every file and folder was reached"


def test_the_wrong_key_touches_nothing_of_a_change_that_was_cut_off(folder: Path):
    with killed_at(15, *STEPS), suppress(Killed):
        opened(folder, OLD).change_key(NEW, nothing)
    assert (folder / "next").exists()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(ZioError):
        opened(folder, replace(OLD, vault_key=b"x" * 32))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_command_makes_a_key_and_writes_it_into_the_key_file(tmp_path: Path, capsys):
    home = Home.open(tmp_path, {})
    home.vault.put_all(TABLES, RAW)
    path = tmp_path / "vault" / "keys" / "zio-keys.json"
    before = json.loads(path.read_text())
    assert main(["--home", str(tmp_path), "rotate-vault-key"]) == 0
    shown = capsys.readouterr().out
    assert "6 bestanden zijn opnieuw versleuteld" in shown
    after = json.loads(path.read_text())
    assert after["pseudonym_key"] == before["pseudonym_key"]
    assert after["vault_key"] != before["vault_key"]
    assert after["vault_key"] not in shown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Home.open(tmp_path, {})
    assert again.keys.key_id == home.keys.key_id, "pseudonyms stay what they are"
    assert complete(again.vault)


def test_keys_from_the_environment_take_the_new_one_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    keys = {name: base64.b64encode(letter * 32).decode() for name, letter in (("old", b"o"), ("new", b"n"))}
    environ = {"ZIO_PSEUDONYM_KEY": base64.b64encode(b"p" * 32).decode(), "ZIO_VAULT_KEY": keys["old"]}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    Home.open(tmp_path).vault.put_all(TABLES, RAW)
    for wrong in ("", "kort", keys["old"]):
        monkeypatch.setenv("ZIO_NEW_VAULT_KEY", wrong)
        assert main(["--home", str(tmp_path), "rotate-vault-key"]) == 1
        assert "ZIO_NEW_VAULT_KEY" in capsys.readouterr().err
        assert complete(Home.open(tmp_path).vault)
    monkeypatch.setenv("ZIO_NEW_VAULT_KEY", keys["new"])
    assert main(["--home", str(tmp_path), "rotate-vault-key"]) == 0
    assert "Zet nu in ZIO_VAULT_KEY" in capsys.readouterr().out
    assert not (tmp_path / "vault" / "keys").exists(), "no key is left on the disk"
    with pytest.raises(ZioError):
        Home.open(tmp_path)
    monkeypatch.setenv("ZIO_VAULT_KEY", keys["new"])
    assert complete(Home.open(tmp_path).vault)
