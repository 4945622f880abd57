"""Read one line of an SSH public key, and refuse whatever is not exactly that."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from backends.model.names import BadValue

_RSA_BITS = 2048
_LINE_LIMIT = 8192
_ED25519_BYTES = 32
_FIELDS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
"""The types that are accepted, and how many fields follow the type's name inside the key."""


@dataclass(frozen=True)
class SshKey:
    """A public key: its type, its base64 blob, and the comment behind it (may be empty)."""

    kind: str
    blob: str
    comment: str

    @property
    def line(self) -> str:
        """The key as a line of authorized_keys, without the comment."""
        return f"{self.kind} {self.blob}"

    @property
    def fingerprint(self) -> str:
        """What `ssh-keygen -l` shows of it, like `SHA256:…`."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def parse_ssh_key(line: str) -> SshKey:
    """The key in `line`; BadValue for options, an unknown or weak type, or a blob that is not such a key."""
    if len(line) > _LINE_LIMIT or not line.isprintable():
        raise BadValue(line[:80], "one printable line with an SSH public key")
    kind, _, rest = line.strip().partition(" ")
    if kind not in _FIELDS:
        if any(name in rest.split() for name in _FIELDS):
            raise BadValue(line[:80], "an SSH public key without options before it")
        raise BadValue(line[:80], "an SSH public key of a type among " + ", ".join(sorted(_FIELDS)))
    blob, _, comment = rest.strip().partition(" ")
    _check_blob(kind, blob)
    return SshKey(kind, blob, comment.strip())


def check_ssh_key(line: str) -> str:
    """`line` if it is a public key that may log in; BadValue otherwise."""
    parse_ssh_key(line)
    return line


def _check_blob(kind: str, blob: str) -> None:
    expected = f"the whole base64 text of a key of type {kind}"
    try:
        name, *fields = _wire_fields(base64.b64decode(blob, validate=True))
    except (ValueError, binascii.Error):
        raise BadValue(blob[:80], expected) from None
    if name != kind.encode() or len(fields) != _FIELDS[kind]:
        raise BadValue(blob[:80], expected)
    if kind.endswith(("ssh-ed25519", "ssh-ed25519@openssh.com")) and len(fields[0]) != _ED25519_BYTES:
        raise BadValue(blob[:80], expected)
    if kind == "ssh-rsa" and int.from_bytes(fields[1], "big").bit_length() < _RSA_BITS:
        raise BadValue(blob[:80], f"an RSA key of at least {_RSA_BITS} bits, or better an ssh-ed25519 one")


def _wire_fields(data: bytes) -> list[bytes]:
    """The length-prefixed fields of an SSH blob; ValueError unless they fill it exactly."""
    fields = []
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise ValueError("cut off")
        fields.append(data[4 : 4 + size])
        data = data[4 + size :]
    return fields or [b""]
