"""Who sent a webhook: finds the signature among the forges' headers and compares it in constant time."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from backends.model.errors import HeroError

BARE = ("x-forgejo-signature", "x-gitea-signature", "x-gogs-signature")
"""Headers that carry the signature as bare hex."""

PREFIXED = "x-hub-signature-256"
"""The header that carries it after `sha256=`."""

_PREFIX = "sha256="
_HEX = re.compile(r"[0-9a-f]{64}")


class BadSignature(HeroError):
    """A delivery that nobody signed, or not as a forge does."""

    def __init__(self, message: str):
        super().__init__(
            "denied", message, hint="`hero_dev hooks install` gives the forge a hook with its secret."
        )


def claimed_signature(headers: Mapping[str, str]) -> str:
    """The signature, as 64 hex digits, that `headers` (names in small letters) agree on.

    Raises BadSignature where there is none, where one is empty or malformed, and where two differ.
    """
    claims = {_bare(headers[name]) for name in BARE if name in headers}
    if PREFIXED in headers:
        claims.add(_prefixed(headers[PREFIXED]))
    if not claims:
        raise BadSignature("The delivery has no signature.")
    if len(claims) > 1:
        raise BadSignature("The delivery's signatures contradict one another.")
    return claims.pop()


def sign(secret: str, content: bytes) -> str:
    """The HMAC-SHA256 of `content` under `secret`, as a forge writes it."""
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def is_signed(signature: str, content: bytes, secrets: Iterable[str]) -> bool:
    """Whether `signature` is that of `content` under one of `secrets`; each is compared, whichever fits."""
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(sign(secret, content).encode(), signature.encode("utf-8", "replace"))
    return found


def _prefixed(value: str) -> str:
    if not value.startswith(_PREFIX):
        raise BadSignature("The delivery's signature is not written as `sha256=<hex>`.")
    return _bare(value.removeprefix(_PREFIX))


def _bare(value: str) -> str:
    if not value:
        raise BadSignature("The delivery's signature is empty: its hook has no secret.")
    if not _HEX.fullmatch(value):
        raise BadSignature("The delivery's signature is not 64 small hex digits.")
    return value
