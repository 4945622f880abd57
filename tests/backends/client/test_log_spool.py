"""What is piped in is a log like any other, and nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from backends.client.log_changes import changes
from backends.client.log_file import LogFile
from backends.client.log_spool import Spool

DEADLINE = 30.0


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


async def test_what_comes_is_told_and_read_until_it_ends() -> None:
    source, writer = os.pipe()
    spool = Spool(source)
    log = LogFile(spool.path, "stdin")
    async with aclosing(changes(*log.paths)) as stream, asyncio.timeout(DEADLINE):
        await anext(stream)
        os.write(writer, b"one\ntwo\n")
        while log.size < 8:
            await anext(stream)
            log.refresh()
    last = log.lines.last
    assert last is not None
    assert log.line(last).text == "two"
    assert not spool.ended
    os.close(writer)
    until(lambda: spool.ended)
    assert spool.problem == ""
    assert spool.path.exists()
    log.close()


def test_nothing_of_it_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source, writer = os.pipe()
    spool = Spool(source)
    os.write(writer, b"secret\n")
    until(lambda: spool.path.stat().st_size == 7)
    assert list(tmp_path.iterdir()) == []
    os.close(writer)
    until(lambda: spool.ended)


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "wb", buffering=0))  # noqa: SIM115, PTH123
    source, writer = os.pipe()
    spool = Spool(source)
    os.write(writer, b"one\n")
    until(lambda: spool.ended)
    assert spool.problem == "What was piped in is cut off here: No space left on device."
    os.close(writer)
