"""Runs lines of `hero_dev` in the background, each as a process of its own, and keeps what they printed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from backends import children
from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.rpc.looking import VARIABLE
from hero_tui import terminal, verb_lines
from screens.result_model import Run

if TYPE_CHECKING:
    from hero_tui.app import HeroApp

KEPT = 20
"""Commands whose output can be looked at again; those that run are not counted off."""
_LINE_LIMIT = 64 * 1024
_WELL = frozenset({0, 3})
"""Exit codes that are no failure: done, and nothing to do."""


class CommandRuns:
    """The commands of one app, the newest last."""

    def __init__(self, app: HeroApp) -> None:
        self._app = app
        self._running: dict[Run, asyncio.subprocess.Process] = {}
        self.runs: list[Run] = []

    def begin(self, words: Sequence[str]) -> Run | None:
        """Run the line; None where it has gone to a terminal of its own. Raises HeroError for what may not be."""
        if self._app.desk.read_only and not verb_lines.only_looks(words):
            raise HeroError(
                "denied",
                f"This cockpit is read-only, and `{words[0]}` changes something.",
                hint="`:readonly off`, or start it without --read-only.",
            )
        verb_lines.check(words)
        if verb_lines.needs_terminal(words):
            self._app.run_worker(self._in_front(words), group="command terminal")
            return None
        run = Run(shlex.join(words))
        self.runs = _kept([*self.runs, run])
        self._app.run_worker(self._carry_out(run, words), group="command", name=f"command {words[0]}")
        return run

    def stop(self, run: Run) -> None:
        """End it as Ctrl-C would; the operation that it began is cancelled with it."""
        if process := self._running.get(run):
            children.end_group(process.pid, signal.SIGINT)

    def forget(self, run: Run) -> None:
        """Keep its output no longer."""
        self.stop(run)
        self.runs = [one for one in self.runs if one is not run]

    def argv(self, words: Sequence[str]) -> list[str]:
        """The command line that is run: this very program, on this box and slot."""
        where = self._app.where
        whose = ["--slot", where.user] if where.user else []
        return [sys.executable, "-m", "hero_tui.cli", "--box", str(where.box.root), *whose, *words]

    def environment(self) -> Mapping[str, str]:
        """No colours, nobody to ask, and in a read-only cockpit nothing is sent that changes something."""
        known = {**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        if self._app.desk.read_only:
            known[VARIABLE] = "1"
        return known

    async def _carry_out(self, run: Run, words: Sequence[str]) -> None:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await children.start(
                self.argv(words), cwd=None, env=self.environment(), stdout=pipe, stderr=asyncio.subprocess.STDOUT
            )
        except (OSError, ValueError) as error:
            run.say(f"hero_dev could not be started: {safe_line(str(error), 200)}")
            run.end("failed", None)
            return
        self._running[run] = process
        try:
            await self._listen(run, process)
            code = await process.wait()
        except asyncio.CancelledError:
            children.end_group(process.pid, signal.SIGTERM)
            run.end("stopped", None)
            raise
        finally:
            self._running.pop(run, None)
        state = "stopped" if code in (130, -signal.SIGINT) else "done" if code in _WELL else "failed"
        run.end(state, code)  # type: ignore[arg-type]  # one of the three
        self._app.prompts.command_ended(run)

    async def _listen(self, run: Run, process: asyncio.subprocess.Process) -> None:
        """Every line that it prints, however long: of a long one its beginning."""
        assert process.stdout is not None
        rest = b""
        while data := await process.stdout.read(_LINE_LIMIT):
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[:_LINE_LIMIT]
            for line in lines:
                run.say(_told(line))
        if rest:
            run.say(_told(rest))

    async def _in_front(self, words: Sequence[str]) -> None:
        argv, folder = self.argv(words), self._app.where.box.root
        try:
            await terminal.hand_over(self._app, argv, folder, f"hero {words[0]}")
        except HeroError as error:
            self._app.desk.tell(str(error), failed=True)

    def close(self) -> None:
        """End all that runs."""
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                children.end_group(process.pid, signal.SIGTERM)


def _kept(runs: list[Run]) -> list[Run]:
    """Without the oldest that ended, where there are too many: one that runs could not be stopped any more."""
    ended = [run for run in runs if run.state != "running"]
    gone = set(ended[: max(0, len(runs) - KEPT)])
    return [run for run in runs if run not in gone]


def _told(line: bytes) -> str:
    return safe_line(line.decode("utf-8", "replace").rstrip("\r").expandtabs(), _LINE_LIMIT)
