"""Keys, pseudonyms and encryption: made once, readable by one, and nothing that was touched decrypts."""

import base64
import hashlib
import hmac
import json
import multiprocessing
import os
import stat
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zio_pipeline.errors import ZioError
from zio_pipeline.privacy import KEY_FILE, Keys, decrypt, encrypt, load_keys, pseudonym

KEYS = Keys(b"p" * 32, b"v" * 32, "deadbeef")


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_the_first_run_makes_keys_for_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys = load_keys(folder, {})
    assert len(keys.pseudonym_key) == len(keys.vault_key) == 32
    assert keys.pseudonym_key != keys.vault_key
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert load_keys(folder, {}) == keys


def _load(folder: Path) -> Keys:
    return load_keys(folder, {})


def test_processes_that_start_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, multiprocessing.get_context("forkserver")) as pool:
        found = list(pool.map(_load, [tmp_path] * 12))
    assert len({(keys.pseudonym_key, keys.vault_key) for keys in found}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_an_interrupted_first_run_leaves_no_half_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "link", killed)
        load_keys(tmp_path, {})
    assert list(tmp_path.iterdir()) == []
    load_keys(tmp_path, {})


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    environ = {"ZIO_PSEUDONYM_KEY": encoded(b"a" * 32), "ZIO_VAULT_KEY": encoded(b"b" * 32)}
    keys = load_keys(tmp_path, environ)
    assert (keys.pseudonym_key, keys.vault_key) == (b"a" * 32, b"b" * 32)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "environ",
    [
        {"ZIO_PSEUDONYM_KEY": encoded(b"a" * 32)},
        {"ZIO_VAULT_KEY": encoded(b"a" * 32)},
        {"ZIO_PSEUDONYM_KEY": encoded(b"a" * 31), "ZIO_VAULT_KEY": encoded(b"b" * 32)},
        {"ZIO_PSEUDONYM_KEY": encoded(b"a" * 32), "ZIO_VAULT_KEY": "geheim!"},
        {"ZIO_PSEUDONYM_KEY": encoded(b"a" * 32), "ZIO_VAULT_KEY": "é" * 44},
    ],
)
def test_a_malformed_key_in_the_environment_stops(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(ZioError) as error:
        load_keys(tmp_path, environ)
    assert not any(value in str(error.value) for value in environ.values())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pseudonym_key": "YQ==", "vault_key": "YQ=="}', '{"vault_key": 1}', "é"]
)
def test_a_damaged_key_file_is_never_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / KEY_FILE
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    with pytest.raises(ZioError):
        load_keys(tmp_path, {})
    assert path.read_text("utf-8") == text


def test_a_key_file_that_others_can_read_stops(tmp_path: Path) -> None:
    load_keys(tmp_path, {})
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(ZioError, match="leesbaar voor anderen"):
        load_keys(tmp_path, {})


def test_keys_do_not_show_themselves(tmp_path: Path) -> None:
    keys = load_keys(tmp_path, {})
    stored = json.loads((tmp_path / KEY_FILE).read_text())
    assert repr(keys) == f"Keys(key_id='{keys.key_id}')"
    assert not any(secret in repr(keys) for secret in stored.values())


def test_the_key_id_names_the_pseudonym_key_without_giving_it_away() -> None:
    environ = {"ZIO_PSEUDONYM_KEY": encoded(b"a" * 32), "ZIO_VAULT_KEY": encoded(b"b" * 32)}
    key_id = load_keys(Path("nergens"), environ).key_id
    assert len(key_id) == 8
    assert load_keys(Path("nergens"), environ | {"ZIO_VAULT_KEY": encoded(b"c" * 32)}).key_id == key_id
    assert load_keys(Path("nergens"), environ | {"ZIO_PSEUDONYM_KEY": encoded(b"c" * 32)}).key_id != key_id
    assert key_id != hashlib.sha256(b"a" * 32).hexdigest()[:8]


def test_a_pseudonym_depends_on_key_purpose_and_value() -> None:
    assert pseudonym(KEYS, "pgn", "123456782") == hmac.new(b"p" * 32, b"pgn:v1:123456782", "sha256").hexdigest()
    others = {
        pseudonym(KEYS, "pgn", "123456783"),
        pseudonym(KEYS, "employee", "123456782"),
        pseudonym(replace(KEYS, pseudonym_key=b"q" * 32), "pgn", "123456782"),
        pseudonym(KEYS, "pgn", "123456782"),
    }
    assert len(others) == 4


@given(data=st.binary(max_size=200), context=st.binary(max_size=20))
def test_what_is_encrypted_comes_back(data: bytes, context: bytes) -> None:
    sealed = encrypt(KEYS, data, context)
    assert decrypt(KEYS, sealed, context) == data
    assert encrypt(KEYS, data, context) != sealed
    assert len(data) < 8 or data not in sealed


@given(data=st.binary(min_size=1, max_size=50), place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_changed_bit_is_noticed(data: bytes, place: int, bit: int) -> None:
    sealed = bytearray(encrypt(KEYS, data))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(ZioError):
        decrypt(KEYS, bytes(sealed))


@pytest.mark.parametrize("length", [0, 3, 4, 10, 16, 31])
def test_what_was_cut_off_is_noticed(length: int) -> None:
    with pytest.raises(ZioError):
        decrypt(KEYS, encrypt(KEYS, b"iets")[:length])


def test_another_key_or_context_does_not_decrypt() -> None:
    sealed = encrypt(KEYS, b"iets", b"naam")
    for keys, context in ((replace(KEYS, vault_key=b"w" * 32), b"naam"), (KEYS, b""), (KEYS, b"andere naam")):
        with pytest.raises(ZioError, match="andere sleutel"):
            decrypt(keys, sealed, context)
