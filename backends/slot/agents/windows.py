"""The tmux windows of a slot's sessions: begun, typed into, looked at, closed; nothing goes through a shell.

On a system box they are in the user's own tmux server, begun by the user's manager so that it outlives this daemon
and the login. On a rootless box the slot has a server to itself.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backends import children
from backends.model.errors import HeroError
from backends.model.text import safe_line

SESSION = "hero-agents"
UNIT = "hero-tmux"
COLUMNS, ROWS = 200, 50
_SECONDS = 20.0
_SERVICE = ("--service-type=forking", "--property=KillMode=process", "--property=OOMPolicy=continue")
"""How a user's manager runs a tmux server: its end, or that of one window's program, ends nothing else."""
_OUTWARDS = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")
_TRUSTED = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR")
_KEPT = (
    *("HOME", "PATH", "LANG", "LC_ALL", "USER", "LOGNAME", "SHELL", "TERM", "XDG_RUNTIME_DIR", "TMPDIR", "TZ"),
    *_OUTWARDS,
    *_TRUSTED,
)
"""What a window gets of this daemon's environment where it begins the server: a person's own login is renewed at
the vendor, whom a box behind a proxy reaches by these alone."""


@dataclass(frozen=True)
class Window:
    """A window by its tmux id, like `@3`, and the process that it was begun with."""

    id: str
    pid: int


@dataclass(frozen=True)
class Pane:
    """How a window is: whether its program has ended, and with which exit code or signal.

    tmux knows those a moment after the end; one before 3.3 never knows the signal.
    """

    dead: bool
    code: int | None = None
    signal: int | None = None

    @property
    def is_told(self) -> bool:
        return self.dead and (self.code is not None or self.signal is not None)


class Windows:
    """The windows at the tmux server behind `socket`. `own`: the server is for the slot's sessions alone."""

    session = SESSION

    def __init__(self, socket: Path, *, own: bool, environment: Mapping[str, str] | None = None):
        self.socket = socket
        self._own = own
        self._environment = environment if environment is not None else os.environ
        self._opening = asyncio.Lock()

    async def open(self, name: str, argv: Sequence[str]) -> Window:
        """A new window that runs `argv`, and stays when that ends. Raises HeroError."""
        if shutil.which("tmux", path=self._environment.get("PATH")) is None:
            raise HeroError(
                "not_found",
                "tmux is not installed, and agents run in its windows.",
                hint="Install it: `sudo apt install tmux`.",
            )
        async with self._opening:
            self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            result = await self._run(*self._asked(name, argv, new=False))
            if result.code:
                result = await self._begin(self._asked(name, argv, new=True))
        window, _, pid = result.out.strip().partition(" ")
        if result.code or not window.startswith("@") or not pid.isdigit():
            said = safe_line(result.err.strip(), 300) or "it does not say why"
            raise HeroError("failed", f"tmux opens no window for the agent: {said}.")
        return Window(window, int(pid))

    async def load(self, window: str, text: str) -> bool:
        """Have tmux hold `text` for the window's next paste; whether it does.

        The text goes over a pipe, never on a command line.
        """
        words = ("load-buffer", "-b", _buffer(window), "-")
        return not (await self._run(*words, stdin=text.encode("utf-8", "replace"))).code

    async def paste(self, window: str, *, clear: bool = False) -> bool:
        """Put what was loaded into the window's input as one paste, and send it; whether tmux did.

        `clear` empties the input first.
        """
        buffer = _buffer(window)
        first = ("send-keys", "-t", window, "C-u", ";") if clear else ()
        # -r: a line's end stays one; tmux would make it the key that sends.
        put = ("paste-buffer", "-p", "-r", "-d", "-b", buffer, "-t", window)
        return not (await self._run(*first, *put, ";", "send-keys", "-t", window, "Enter")).code

    async def type(self, window: str, text: str) -> bool:
        """Type a short `text` of ours, as keys, and send it; whether tmux did."""
        typed = not (await self._run("send-keys", "-t", window, "-l", "--", text)).code
        return typed and await self.key(window, "Enter")

    async def key(self, window: str, *keys: str) -> bool:
        """Press `keys`, by tmux's names of them; whether tmux did."""
        return not (await self._run("send-keys", "-t", window, *keys)).code

    async def pane(self, window: str) -> Pane | None:
        """How the window is; None where it, or the whole server, is gone."""
        what = "#{pane_dead} #{pane_dead_status} #{pane_dead_signal}"
        shown = await self._run("display-message", "-p", "-t", window, what)
        if shown.code or not shown.out.strip():
            return None
        dead, code, number = (*shown.out.rstrip("\n").split(" "), "", "")[:3]
        return Pane(dead == "1", int(code) if code.isdigit() else None, int(number) if number.isdigit() else None)

    async def screen(self, window: str, lines: int = ROWS) -> str:
        """What the window shows: for a person's eyes where a start went wrong, never to learn a state from."""
        return (await self._run("capture-pane", "-p", "-t", window, "-S", str(-lines))).out

    async def close(self, window: str) -> None:
        """Close the window and end what runs in it; one that is gone is fine."""
        await self._run("kill-window", "-t", window)

    async def answers(self) -> bool:
        """Whether the tmux server is there."""
        return not (await self._run("list-sessions")).code

    def _asked(self, name: str, argv: Sequence[str], *, new: bool) -> list[str]:
        shape = ("-x", str(COLUMNS), "-y", str(ROWS)) if new else ()
        where = ("-s", SESSION) if new else ("-t", f"={SESSION}:")
        verb = "new-session" if new else "new-window"
        begin = [verb, "-d", *shape, *where, "-n", name, "-P", "-F", "#{window_id} #{pane_pid}", "--", *argv]
        # In one command line: a program that ends at once must not take its window along.
        stay = [";", "set-option", "-w", "-t", f"={SESSION}:{name}", "remain-on-exit", "on"]
        options = [";", "set-option", "-g", "history-limit", "20000"] if new and self._own else []
        return [*begin, *stay, *options]

    async def _begin(self, asked: Sequence[str]) -> _Result:
        if self._own or await self.answers():
            return await self._run(*asked)
        # By the user's manager, and not from here: it is to outlive this daemon, and the login's session joins it.
        run = ["systemd-run", "--user", "--quiet", "--collect", *_SERVICE]
        run += [f"--setenv={name}" for name in _KEPT if name in self._environment]
        for unit in (UNIT, f"{UNIT}-{os.getpid()}"):  # the former is taken while something of an earlier one lives
            if not (await self._spawn([*run, f"--unit={unit}", "--", *self._tmux(), *asked])).code:
                return await self._run("display-message", "-p", "-t", f"={SESSION}:", "#{window_id} #{pane_pid}")
        return await self._run(*asked)

    async def _run(self, *words: str, stdin: bytes = b"") -> _Result:
        return await self._spawn([*self._tmux(), *words], stdin)

    def _tmux(self) -> list[str]:
        # A person's own settings may bind keys or run programs; a server that is ours alone takes none.
        return ["tmux", "-S", str(self.socket), *(["-f", "/dev/null"] if self._own else [])]

    async def _spawn(self, argv: Sequence[str], stdin: bytes = b"") -> _Result:
        environment = {name: self._environment[name] for name in _KEPT if name in self._environment}
        environment.setdefault("TERM", "xterm-256color")
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
            )
        except OSError as error:
            return _Result(127, "", str(error.strerror))
        try:
            async with asyncio.timeout(_SECONDS):
                out, err = await process.communicate(stdin)
        except TimeoutError:
            children.end_group(process.pid, signal.SIGKILL)
            await process.wait()
            return _Result(124, "", "tmux does not answer")
        return _Result(process.returncode or 0, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def _buffer(window: str) -> str:
    return f"hero-{window.removeprefix('@')}"


@dataclass(frozen=True)
class _Result:
    code: int
    out: str
    err: str
