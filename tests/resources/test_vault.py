"""The vault: whole or not at all, never changed, for the owner only, and nothing readable on the disk."""

import multiprocessing
import os
import signal
import stat
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from resources.vault import Vault
from zio_pipeline.errors import ZioError
from zio_pipeline.privacy import Keys

KEYS = Keys(b"p" * 32, b"v" * 32, "deadbeef")
TABLE = pa.table({"pupil": ["geheim-1", "geheim-2"], "number": pa.array([1, None], pa.int64())})


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", KEYS)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_table_comes_back_with_its_types(vault: Vault) -> None:
    vault.put("a-1", TABLE)
    empty = TABLE.slice(0, 0)
    vault.put("leeg", empty)
    assert vault.get("a-1").equals(TABLE)
    assert vault.get("leeg").schema == empty.schema
    assert vault.names() == ["a-1", "leeg"]


def test_raw_bytes_come_back_and_live_apart(vault: Vault) -> None:
    vault.put_bytes("a-1", b"ruw")
    vault.put_bytes("leeg", b"")
    assert (vault.get_bytes("a-1"), vault.get_bytes("leeg")) == (b"ruw", b"")
    assert (vault.names(), vault.raw_names()) == ([], ["a-1", "leeg"])


def test_the_same_name_again_changes_nothing(vault: Vault, tmp_path: Path) -> None:
    vault.put("a", TABLE)
    vault.put_bytes("a", b"ruw")
    before = [path.read_bytes() for path in files(tmp_path)]
    vault.put("a", TABLE.slice(1))
    vault.put_bytes("a", b"anders")
    assert [path.read_bytes() for path in files(tmp_path)] == before


def test_only_the_owner_can_reach_it_and_nothing_is_readable(vault: Vault, tmp_path: Path) -> None:
    vault.put("a", TABLE)
    vault.put_bytes("b", b"geheim-3")
    for path in files(tmp_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not any(word in path.read_bytes() for word in (b"geheim", b"pupil", b"PAR1"))
    for folder in (tmp_path / "vault", tmp_path / "vault" / "raw"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir(mode=0o755)
    Vault(tmp_path / "vault", KEYS)
    assert stat.S_IMODE((tmp_path / "vault").stat().st_mode) == 0o700


def test_what_was_changed_exchanged_or_is_missing_is_noticed(vault: Vault, tmp_path: Path) -> None:
    vault.put("a", TABLE)
    vault.put("b", TABLE.slice(1))
    vault.put_bytes("a", b"ruw")
    one, other, raw = (tmp_path / "vault" / name for name in ("a.parquet.enc", "b.parquet.enc", "raw/a.enc"))
    swapped = one.read_bytes()
    one.write_bytes(other.read_bytes())
    with pytest.raises(ZioError, match="gewijzigd"):
        vault.get("a")
    one.write_bytes(swapped[:-1])
    with pytest.raises(ZioError):
        vault.get("a")
    raw.write_bytes(b"ruw")
    with pytest.raises(ZioError):
        vault.get_bytes("a")
    for read in (vault.get, vault.get_bytes):
        with pytest.raises(ZioError, match="ligt niet in de kluis"):
            read("c")
    with pytest.raises(ZioError):
        Vault(tmp_path / "vault", replace(KEYS, vault_key=b"w" * 32)).get("b")


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", "/a", ".verborgen", "a\x00", "a b", "x" * 201])
def test_a_name_cannot_leave_the_folder(vault: Vault, tmp_path: Path, name: str) -> None:
    actions: list[Callable[[], object]] = [
        lambda: vault.put(name, TABLE),
        lambda: vault.get(name),
        lambda: vault.put_bytes(name, b""),
        lambda: vault.get_bytes(name),
    ]
    for action in actions:
        with pytest.raises(ZioError):
            action()
    assert files(tmp_path) == []


def test_sweeping_removes_what_nothing_refers_to_and_never_raw_files(vault: Vault, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        vault.put(name, TABLE)
    vault.put_bytes("d", b"ruw")
    for left_over in ("x.parquet.enc.0.tmp", "raw/y.enc.1.tmp"):
        (tmp_path / "vault" / left_over).write_bytes(b"half")
    assert vault.sweep({"b"}) == ["a", "c"]
    assert [path.name for path in files(tmp_path)] == ["b.parquet.enc", "d.enc"]
    assert vault.get("b").equals(TABLE)


def test_a_failed_write_leaves_nothing(vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("schijf vol")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="schijf vol"):
        patch.setattr(os, "fsync", full)
        vault.put("a", TABLE)
    assert files(tmp_path) == []
    vault.put("a", TABLE)
    assert vault.get("a").equals(TABLE)


LARGE = pa.table({"value": pa.array(range(20_000), pa.int64())})


def _put_for_ever(folder: Path) -> None:
    vault = Vault(folder, KEYS)
    for number in range(1_000_000):
        vault.put(f"item-{number}", LARGE)


def _put_same(folder: Path) -> None:
    Vault(folder, KEYS).put("zelfde", LARGE)


def test_a_kill_leaves_whole_files_only(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    for moment in (0.4, 0.45, 0.5, 0.55):
        process = context.Process(target=_put_for_ever, args=(tmp_path,))
        process.start()
        deadline = time.monotonic() + 20
        already = len(Vault(tmp_path, KEYS).names())
        while len(Vault(tmp_path, KEYS).names()) <= already and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moment - 0.4)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        vault = Vault(tmp_path, KEYS)
        names = vault.names()
        assert len(names) > already
        assert all(vault.get(name).equals(LARGE) for name in names)
        vault.sweep(set(names))
        assert len(files(tmp_path)) == len(names)


def test_two_that_put_the_same_name_at_once_do_no_harm(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, multiprocessing.get_context("forkserver")) as pool:
        list(pool.map(_put_same, [tmp_path] * 12))
    assert Vault(tmp_path, KEYS).get("zelfde").equals(LARGE)
    assert [path.name for path in files(tmp_path)] == ["zelfde.parquet.enc"]
