"""Encrypts what the broker keeps on disk, under a key that systemd hands over and no disk has in the clear."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from backends.model.errors import HeroError

CREDENTIAL = "hero_aibroker.store_key"
"""The name of systemd's credential: 64 hexadecimal digits (deploy/setup/broker.py makes it)."""

_KEY_BYTES = 32
_NONCE_BYTES = 12


class CannotOpen(Exception):
    """Sealed under another key, for another name, or changed since."""


class Sealing:
    """AES-GCM under one key."""

    def __init__(self, key: bytes):
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # only where there is a key for it

        self._cipher = AESGCM(key)

    def seal(self, text: str, name: str) -> str:
        """`text` for `name` alone, as base64."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), name.encode())).decode()

    def open(self, sealed: str, name: str) -> str:
        """What was sealed for `name`. Raises CannotOpen."""
        from cryptography.exceptions import InvalidTag

        try:
            data = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise CannotOpen from None


def given_sealing() -> Sealing | None:
    """The sealing that systemd gave the key of; None where it gave none. Raises HeroError for what is no key."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        return None
    try:
        text = (Path(folder) / CREDENTIAL).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _bad_key() from error
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise _bad_key() from None
    if len(key) != _KEY_BYTES:
        raise _bad_key()
    return Sealing(key)


def _bad_key() -> HeroError:
    return HeroError(
        "invalid_file",
        f"systemd's credential {CREDENTIAL} is not the broker's store key.",
        hint="It is 64 hexadecimal digits, made by deploy/bootstrap.sh; without it no sealed key can be read.",
    )
