"""Whose process is at the other end, by the kernel's table."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.broker.peers import Address, peer_uid, uid_in

NEAR, FAR = Address("127.0.0.1", 50_000), Address("127.0.0.1", 801)
HEAD = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

ports = st.integers(0, 65535)


def row(near: str, far: str, state: str, uid: int) -> bytes:
    counts = "00000000:00000000 00:00000000 00000000"
    return f"   0: {near} {far} {state} {counts} {uid:5d}        0 4711 1 ...\n".encode()


def in_hex(port: int, word: str = "0100007F") -> str:
    return f"{word}:{port:04X}"


@given(near=ports, far=ports, uid=st.integers(0, 2**32 - 2))
def test_the_row_of_the_connection_is_found(near: int, far: int, uid: int) -> None:
    table = HEAD + row(in_hex(far), in_hex(near), "01", 7) if near != far else HEAD
    table += row(in_hex(near), in_hex(far), "01", uid)
    assert uid_in(table, Address("127.0.0.1", near), Address("127.0.0.1", far)) == uid


def test_a_socket_of_ipv6_that_speaks_ipv4_is_found() -> None:
    mapped = "0000000000000000FFFF00000100007F"
    table = HEAD + row(in_hex(NEAR.port, mapped), in_hex(FAR.port, mapped), "01", 1234)
    assert uid_in(table, NEAR, FAR) == 1234


@pytest.mark.parametrize("state", ["04", "05", "06", "07", "08", "0A"])
def test_a_connection_that_was_closed_belongs_to_nobody(state: str) -> None:
    # The kernel shows such a row as root's.
    table = HEAD + row(in_hex(NEAR.port), in_hex(FAR.port), state, 0)
    assert uid_in(table, NEAR, FAR) is None


@given(st.binary(max_size=2000), st.integers(0, 200))
def test_no_table_makes_it_fail(garbage: bytes, cut: int) -> None:
    whole = HEAD + row(in_hex(NEAR.port), in_hex(FAR.port), "01", 1000)
    uid_in(garbage, NEAR, FAR)
    assert uid_in(garbage.replace(b"0100007F", b"") + whole[:cut], NEAR, FAR) in (None, 1, 10, 100, 1000)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_the_kernel_knows_our_own_connection(family: socket.AddressFamily) -> None:
    with closing(socket.socket()) as server, closing(socket.socket(family)) as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        try:
            client.connect(("127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1", port))
        except OSError:
            pytest.skip("this machine has no IPv6")
        accepted, near = server.accept()
        with closing(accepted):
            far = Address(*accepted.getsockname())
            assert peer_uid(Address(*near), far) == os.geteuid()
            assert peer_uid(Address("127.0.0.1", 1), far) is None
            client.shutdown(socket.SHUT_WR)
            assert peer_uid(Address(*near), far) is None


def test_without_a_table_nobody_is_known(tmp_path: Path) -> None:
    assert peer_uid(NEAR, FAR, (tmp_path / "tcp",)) is None
