"""The terminal in the event loop: all that is written comes, in its order, and nobody waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator
from typing import TextIO

import pytest

from screens.tty import Tty

MUCH = "".join(f"line {number:06d} ä\r\n" for number in range(40_000))
"""More than any pty holds."""


class Far:
    """A pty of which the test is the far end."""

    def __init__(self) -> None:
        self.main, self.near = pty.openpty()
        tty.setraw(self.near)
        self.file: TextIO = os.fdopen(os.dup(self.near), "w", encoding="utf-8")
        self.got = bytearray()

    def take(self) -> None:
        """What is there now, at most a piece."""
        while select.select([self.main], [], [], 0)[0]:
            self.got += os.read(self.main, 4096)

    def close(self) -> None:
        self.file.close()
        for fd in (self.main, self.near):
            with contextlib.suppress(OSError):
                os.close(fd)


@pytest.fixture
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.close()


async def until(condition: Callable[[], bool], step: Callable[[], None] = lambda: None) -> None:
    async with asyncio.timeout(20):
        while not condition():
            step()
            await asyncio.sleep(0)


async def test_what_a_terminal_does_not_take_at_once_is_sent_when_it_does(far: Far) -> None:
    terminal = Tty(far.near, far.file)
    terminal.write(MUCH)
    terminal.write("the end")
    assert terminal.unsent
    await until(lambda: far.got.endswith(b"the end"), far.take)
    assert far.got.decode() == MUCH + "the end"
    assert not terminal.unsent
    terminal.stop()


async def test_who_stops_has_sent_everything(far: Far) -> None:
    terminal = Tty(far.near, far.file)
    terminal.write(MUCH)
    reader = threading.Thread(target=_read_until, args=(far, b"bye"))
    reader.start()
    terminal.write("bye")
    terminal.stop()
    reader.join(20)
    assert far.got.decode() == MUCH + "bye"
    terminal.write("nobody is there")
    terminal.stop()


def _read_until(far: Far, end: bytes) -> None:
    while not far.got.endswith(end):
        far.got += os.read(far.main, 4096)


async def test_another_thread_may_write_too(far: Far) -> None:
    terminal = Tty(far.near, far.file)
    await asyncio.to_thread(terminal.write, "from elsewhere")
    await until(lambda: far.got == b"from elsewhere", far.take)
    terminal.stop()


async def test_those_who_share_the_terminal_may_still_wait_for_it(far: Far) -> None:
    terminal = Tty(far.near, far.file)
    assert os.get_blocking(far.near)
    terminal.stop()
    assert os.get_blocking(far.near)


async def test_keys_are_seen_before_they_are_read_and_the_end_is_told_once(far: Far) -> None:
    terminal = Tty(far.near, far.file)
    heard: list[bytes] = []
    assert not terminal.readable
    os.write(far.main, b"j")
    await until(lambda: terminal.readable)
    terminal.listen(heard.append)
    await until(lambda: heard == [b"j"])
    assert not terminal.readable
    os.close(far.main)
    await until(lambda: heard == [b"j", b""])
    terminal.write("into nothing")
    assert not terminal.unsent
    terminal.stop()


async def test_a_terminal_that_cannot_be_opened_once_more_is_used_as_it_is(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    terminal = Tty(far.near, far.file)
    terminal.write("said")
    await until(lambda: far.got == b"said", far.take)
    terminal.stop()
    assert os.get_blocking(far.near)
