"""Pseudonyms and the encryption of what stays personal: the two keys of an installation and what is done with them.

Belongs here: loading or making the keys, the keyed pseudonym that replaces a personal key at the door (SPEC section 2),
and the encryption of everything that lies in the vault (SPEC section 8; AVG article 32).
Does not belong here: which column is personal (data contracts) and where encrypted bytes lie (resources/vault.py).

An unkeyed hash of all citizen service numbers is undone in minutes, hence HMAC with a secret key; a purpose goes before
the value, so that the same number in two roles gives two pseudonyms that cannot be joined.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zio_pipeline.errors import ZioError

KEY_FILE = "zio-keys.json"
PSEUDONYM_VARIABLE = "ZIO_PSEUDONYM_KEY"
VAULT_VARIABLE = "ZIO_VAULT_KEY"
KEY_BYTES = 32

_HEADER = b"ZIO\x01"  # what it is, and the version of this format
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Keys:
    """The two secret keys of 32 bytes each, and the public name of the pseudonym key (8 hex digits)."""

    pseudonym_key: bytes = field(repr=False)
    vault_key: bytes = field(repr=False)
    key_id: str


def load_keys(folder: Path, environ: Mapping[str, str]) -> Keys:
    """The keys from the environment, else from the key file in `folder`, which is made on the first run.

    Args:
        folder: where `zio-keys.json` lies or will lie (readable by its owner only).
        environ: may hold ZIO_PSEUDONYM_KEY and ZIO_VAULT_KEY, each 32 bytes in base64; both or neither.

    Raises:
        ZioError: a key is malformed, only one of the two is given, or others can read the key file.
    """
    given = [name for name in (PSEUDONYM_VARIABLE, VAULT_VARIABLE) if environ.get(name)]
    if len(given) == 1:
        both = f"{PSEUDONYM_VARIABLE} en {VAULT_VARIABLE}"
        raise ZioError(f"Alleen {given[0]} is ingesteld; stel {both} allebei in, of geen van beide.")
    if given:
        return _keys(*(_decode(environ[name], f"De omgevingsvariabele {name}") for name in given))
    return _read_key_file(_made_key_file(folder))


def pseudonym(keys: Keys, purpose: str, value: str) -> str:
    """The pseudonym (64 hex digits) of a normalised value, for one purpose: 'pgn', 'employee', ..."""
    return hmac.digest(keys.pseudonym_key, f"{purpose}:v1:".encode() + value.encode(), "sha256").hex()


def encrypt(keys: Keys, data: bytes, context: bytes = b"") -> bytes:
    """AES-256-GCM: header, nonce, ciphertext with tag. `context` is not stored; decrypting asks for the same one."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _HEADER + nonce + AESGCM(keys.vault_key).encrypt(nonce, data, _HEADER + context)


def decrypt(keys: Keys, data: bytes, context: bytes = b"") -> bytes:
    """The bytes that `encrypt` was given.

    Raises:
        ZioError: the bytes were changed, cut off, encrypted with another key, or meant for another context.
    """
    start = len(_HEADER)
    if data[:start] != _HEADER:
        raise ZioError("Dit is geen versleuteld bestand van dit programma, of het is beschadigd.")
    nonce, sealed = data[start : start + _NONCE_BYTES], data[start + _NONCE_BYTES :]
    try:
        return AESGCM(keys.vault_key).decrypt(nonce, sealed, _HEADER + context)
    except (InvalidTag, ValueError) as error:  # ValueError: the nonce was cut off
        raise ZioError("Een versleuteld bestand is beschadigd, gewijzigd, of van een andere sleutel.") from error


def _keys(pseudonym_key: bytes, vault_key: bytes) -> Keys:
    key_id = hashlib.sha256(b"zio:key-id:v1:" + pseudonym_key).hexdigest()[:8]
    return Keys(pseudonym_key, vault_key, key_id)


def _decode(text: object, where: str) -> bytes:
    try:
        key = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ZioError(f"{where} is geen sleutel van {KEY_BYTES} bytes in base64.")
    return key


def _made_key_file(folder: Path) -> Path:
    """Make the key file if it is not there, and its path."""
    path = folder / KEY_FILE
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = {name: base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() for name in ("pseudonym_key", "vault_key")}
    temporary = folder / f".{KEY_FILE}.{secrets.token_hex(8)}.tmp"
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            json.dump(fresh, file)
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole and never over another: of two processes one wins, and both read that one.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def _read_key_file(path: Path) -> Keys:
    if path.stat().st_mode & 0o077:
        raise ZioError(f"Sleutelbestand {path} is leesbaar voor anderen; zet de rechten op alleen de eigenaar (600).")
    try:
        stored = json.loads(path.read_text("ascii"))
        texts = [stored["pseudonym_key"], stored["vault_key"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ZioError(f"Sleutelbestand {path} is onleesbaar; zet de reservekopie terug.") from error
    return _keys(*(_decode(text, f"Een sleutel in {path}") for text in texts))
