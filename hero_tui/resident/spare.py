"""A cockpit without a terminal of its own: lives ready until it is given one, and then as any other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backends.model.errors import HeroError
from hero_tui.resident import wire
from hero_tui.resident.wire import Start

if TYPE_CHECKING:
    from hero_tui.app import HeroApp

_SIGNALS = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SETTLED_SECONDS = 0.5
_PATIENCE_SECONDS = 30.0
_ANSWER_SECONDS = 1.0


def live(start: Start, connection: socket.socket, files: Sequence[int] | None) -> None:
    """Be the cockpit of `start`: at the terminal of `files`, else ready for one that comes over `connection`."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    if files is None:
        _take_place(start)
        _be_ready(start, connection)
        return
    _use(files)
    _take_place(start)
    if _may_begin(connection):
        _end(connection, _run_at_once(start, connection))


def _run_at_once(start: Start, connection: socket.socket) -> int:
    from hero_tui.opening import app_for, failed

    try:
        app = app_for(start.arguments)
    except HeroError as error:
        return failed(error)
    except SystemExit as ended:  # argparse has said why
        return ended.code if isinstance(ended.code, int) else 1
    return asyncio.run(_run_in_front(app, connection))


async def _run_in_front(app: HeroApp, connection: socket.socket) -> int:
    _Front(connection).watch()
    await app.run_async(mouse=app.preferences.settings.mouse)
    return app.return_value or app.return_code or 0


def _take_place(start: Start) -> None:
    """Environment, folder and streams of the start."""
    os.environ.clear()
    os.environ.update(start.environment)
    os.umask(int(start.umask))
    os.chdir(start.folder)
    time.tzset()
    random.seed()
    mode = {"encoding": start.encoding, "errors": "backslashreplace", "closefd": False}
    sys.stdin = sys.__stdin__ = open(0, **mode)  # type: ignore[call-overload,misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", **mode)  # type: ignore[call-overload,misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", **mode)  # type: ignore[call-overload,misc]  # noqa: SIM115


def _use(files: Sequence[int]) -> None:
    for stream, file in enumerate(files):
        os.dup2(file, stream)


def _may_begin(connection: socket.socket) -> bool:
    """Say that this process is there; whether the terminal is still to be had."""
    connection.settimeout(_ANSWER_SECONDS)
    try:
        wire.send(connection, "ready", str(os.getpid()))
        return wire.receive(connection)[0] == ["go"]
    except OSError:
        return False
    finally:
        connection.settimeout(None)


def _end(connection: socket.socket, code: int) -> None:
    with contextlib.suppress(OSError):
        wire.send(connection, "exit", str(code))
    os._exit(0)


def _be_ready(start: Start, control: socket.socket) -> None:
    from hero_tui.opening import app_for

    app = app_for(start.arguments)
    from screens.driver import HeroDriver

    HeroDriver.detached = True
    width, _, height = start.size.partition("x")
    ready = _Ready(app, start, control)
    code = asyncio.run(ready.run((int(width), int(height))))
    if ready.terminal is not None:
        _end(ready.terminal, code)


class _Ready:
    """One app, painted and still until its terminal comes."""

    def __init__(self, app: HeroApp, start: Start, control: socket.socket):
        self._app = app
        self._start = start
        self._control = control
        self._taken = asyncio.Event()
        self.terminal: socket.socket | None = None

    async def run(self, size: tuple[int, int]) -> int:
        """The exit code."""
        asyncio.get_running_loop().add_reader(self._control, self._take)
        os.environ["COLUMNS"], os.environ["LINES"] = map(str, size)
        app = self._app
        await app.run_async(mouse=app.preferences.settings.mouse, auto_pilot=self._rest)
        return app.return_value or app.return_code or 0

    async def _rest(self, pilot: object) -> None:
        """Once all has been painted, paint no more before somebody looks."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._app.desk.known.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLED_SECONDS):
                await self._taken.wait()
        with self._app.batch_update():
            await self._taken.wait()
        from screens import driver

        driver.attach(self._app)

    def _take(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._control)
        texts, files = wire.receive(self._control)
        if texts[:1] != ["take"] or len(files) != 4:
            os._exit(0)
        terminal = socket.socket(fileno=files[3])
        self.terminal = terminal
        _use(files[:3])
        _take_place(Start(texts[1:]))
        if not _may_begin(terminal):
            os._exit(0)
        _Front(terminal).watch()
        self._taken.set()


class _Front:
    """The process that the terminal belongs to: it runs programs for this one, and ends with the terminal."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._ran: asyncio.Future[int] | None = None

    def watch(self) -> None:
        """Have programs that the person is to see run there, and end when it has gone."""
        from hero_tui import terminal

        terminal.in_front = self.run
        asyncio.get_running_loop().add_reader(self._connection, self._heard)

    async def run(self, argv: Sequence[str], folder: Path) -> int:
        """The exit code of a program that had the terminal."""
        self._ran = asyncio.get_running_loop().create_future()
        wire.send(self._connection, "run", str(folder), *argv)
        return await self._ran

    def _heard(self) -> None:
        try:
            texts, _ = wire.receive(self._connection)
        except OSError:
            texts = []
        if texts[:1] == ["ran"] and self._ran:
            self._ran.set_result(int(texts[1]))
        elif not texts:
            os._exit(0)
