"""What the kernel keeps of an access control list, read from a file's extended attribute."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ACCESS = "system.posix_acl_access"
DEFAULT = "system.posix_acl_default"

_VERSION = 2
_TAGS = {0x01: "owner", 0x02: "user", 0x04: "group_owner", 0x08: "group", 0x10: "mask", 0x20: "other"}
_NOBODY = 0xFFFFFFFF


@dataclass(frozen=True)
class Entry:
    """One entry: `who` is a uid or gid for "user" and "group", else None; `rights` is 0 to 7."""

    tag: Literal["owner", "user", "group_owner", "group", "mask", "other"]
    rights: int
    who: int | None = None


def parse_acl(data: bytes) -> tuple[Entry, ...]:
    """The entries in the bytes of the attribute. Raises ValueError for anything else."""
    if len(data) % 8 != 4 or struct.unpack_from("<I", data)[0] != _VERSION:
        raise ValueError("not an access control list")
    entries = []
    for tag, rights, who in struct.iter_unpack("<HHI", data[4:]):
        if tag not in _TAGS or rights > 7:
            raise ValueError(f"an access control list with the entry {tag:#x}:{rights}")
        named = tag in (0x02, 0x08)
        entries.append(Entry(_TAGS[tag], rights, who if named else None))  # type: ignore[arg-type]
    return tuple(entries)


def render_acl(entries: Sequence[Entry]) -> bytes:
    """The bytes of the attribute."""
    numbers = {name: tag for tag, name in _TAGS.items()}
    parts = [struct.pack("<HHI", numbers[e.tag], e.rights, _NOBODY if e.who is None else e.who) for e in entries]
    return struct.pack("<I", _VERSION) + b"".join(parts)


def read_acl(path: Path, attribute: str) -> tuple[Entry, ...]:
    """The list of `path`; empty where it has none. Raises OSError, ValueError."""
    try:
        return parse_acl(os.getxattr(path, attribute, follow_symlinks=False))
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.ENOTSUP):
            return ()
        raise


def effective(entries: Sequence[Entry], uid: int) -> int | None:
    """What the entry by name lets `uid` do, the mask applied; None where there is none."""
    mask = next((entry.rights for entry in entries if entry.tag == "mask"), 7)
    return next((entry.rights & mask for entry in entries if (entry.tag, entry.who) == ("user", uid)), None)
