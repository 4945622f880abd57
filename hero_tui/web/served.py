"""One cockpit's process, and what it and a browser's tab say to each other.

The only module that reaches into textual-serve; it holds for the pinned version.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import textual_serve
from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from backends import children

log = logging.getLogger(__name__)

STATIC = Path(textual_serve.__file__).parent / "static"
"""What its page loads: a terminal in JavaScript, its style, a font."""
WIDEST, HIGHEST = 600, 300
END_SECONDS = 3.0
"""How long a cockpit may take to leave by itself."""
TEXT_LIMIT = 1 << 20
_DRIVER = "hero_tui.web.tab_driver:TabDriver"


class Nonsense(Exception):
    """The browser sent what its page never sends."""


class TabProcess(AppService):
    """One cockpit, from its start to its end."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], folder: Path, socket: web.WebSocketResponse
    ):
        async def close() -> None:
            await socket.close(message=b"You have left the cockpit.")

        super().__init__(
            " ".join(argv),
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=DownloadManager(),
        )
        self._argv = argv
        self._environment = environment
        self._folder = folder

    @property
    def pid(self) -> int:
        """Of the process, which leads a group of its own; 0 before it is started."""
        return self._process.pid if self._process else 0

    async def take(self, message: Any) -> bool:
        """Pass on what the page sent; whether a person did something. Raises Nonsense."""
        if message.type != WSMsgType.TEXT:
            raise Nonsense
        try:
            match json.loads(message.data):
                case ["stdin", str(keys)]:
                    await self.send_bytes(keys.encode("utf-8", "replace"))
                    return True
                case ["resize", {"width": int(width), "height": int(height)}]:
                    await self.set_terminal_size(*within(width, height))
                case ["focus"]:
                    await self.focus()
                case ["blur"]:
                    await self.blur()
                case ["ping", str(at)]:
                    await self.remote_write_str(json.dumps(["pong", at[:40]]))
                case _:
                    raise Nonsense
        except (ValueError, RecursionError):
            raise Nonsense from None
        return False

    async def run(self) -> None:
        """Pass on what the cockpit draws until it ends; then nothing more comes, and the page is told."""
        await super().run()
        with contextlib.suppress(Exception):  # the page may have gone first
            await self.remote_close()

    async def on_meta(self, data: bytes) -> None:
        """Of what a program may ask of a browser, only to end: nothing is opened there, nothing downloaded."""
        if json.loads(data).get("type") == "exit":
            await self.remote_close()

    async def on_packed(self, payload: bytes) -> None:
        """A part of a download, of which there is none."""

    async def end(self) -> None:
        """End the process and all that it began, politely and then for certain; returns once it is gone."""
        process = self._process
        if process is None:
            return
        try:
            if process.returncode is None:
                await self.send_meta({"type": "quit"})
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), END_SECONDS)
        finally:
            children.end_group(process.pid, signal.SIGKILL)
            await process.wait()
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task])

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        return {
            **self._environment,
            "TEXTUAL_DRIVER": _DRIVER,
            "TEXTUAL_FPS": "30",
            "TEXTUAL_COLOR_SYSTEM": "truecolor",
            "TERM": "xterm-256color",
            "COLUMNS": str(width),
            "ROWS": str(height),
        }

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """By its argv, where textual-serve would have a shell read it."""
        self._process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=self._folder,
            env=self._build_environment(width, height),
            start_new_session=True,
        )
        self._stdin = self._process.stdin
        return self._process


def within(width: int, height: int) -> tuple[int, int]:
    """A size that a screen can have."""
    return max(2, min(width, WIDEST)), max(2, min(height, HIGHEST))
