"""Whose process is at the other end of a loopback connection, by the kernel's own table of sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from pathlib import Path
from typing import NamedTuple

TABLES = (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6"))
_ESTABLISHED = b"01"
_LOOKS = 3
"""The table is read in parts, so an entry may slip through once while others come and go."""
_WORD = 8


class Address(NamedTuple):
    """An IPv4 address and a port."""

    host: str
    port: int


def uid_in(table: bytes, near: Address, far: Address) -> int | None:
    """The uid of the socket at `near` that is connected to `far`; None where `table` has none such.

    Established ones only: the kernel gives those that were closed to root.
    """
    for plain in (True, False):
        entry = b" %s %s %s " % (_written(near, plain), _written(far, plain), _ESTABLISHED)
        at = table.find(entry)
        if at < 0:
            continue
        line = table[at + len(entry) :].split(b"\n", 1)[0].split()
        # tx_queue:rx_queue, timer:when, retransmits, uid
        if len(line) > 3 and line[3].isdigit():
            return int(line[3])
    return None


def peer_uid(near: Address, far: Address, tables: tuple[Path, ...] = TABLES) -> int | None:
    """The uid of the peer at `near` that is connected to us at `far`; None where the kernel knows none. Blocks."""
    for _ in range(_LOOKS):
        for table in tables:
            try:
                found = uid_in(table.read_bytes(), near, far)
            except OSError:
                continue
            if found is not None:
                return found
    return None


class TcpPeer:
    """The peer of one connection; it is looked up when the connection is made, once."""

    def __init__(self, near: Address, far: Address):
        self._found = asyncio.create_task(asyncio.to_thread(peer_uid, near, far), name="peer-uid")

    async def uid(self) -> int | None:
        """Its uid; None where the kernel knows none."""
        return await asyncio.shield(self._found)


def _written(address: Address, plain: bool) -> bytes:
    """As the kernel writes it: words in the machine's byte order; not `plain`: as an IPv6 socket has it."""
    packed = socket.inet_aton(address.host)
    packed = packed if plain else b"\0" * 10 + b"\xff\xff" + packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return b"".join(b"%0*X" % (_WORD, word) for word in words) + b":%04X" % address.port
