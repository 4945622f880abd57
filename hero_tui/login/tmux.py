"""The way into the user's tmux session `hero`: in a scope of its own, so that it outlives the login."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from backends.client.locate import Where
from backends.model.errors import HeroError
from hero_tui.login.foreground import run_in_front
from hero_tui.login.talk import say

SESSION = "hero"
UNIT = "hero-tmux"
PLAIN_SHELL = 10
"""Exit code by which the login's profile goes on with the plain shell, without another word."""

_SAFE_TERM = "xterm-256color"
_SECONDS = 20.0
_LINGERING = Path("/var/lib/systemd/linger")


def enter(where: Where) -> int:
    """Attach this terminal to the session, begun where there is none; does not return but without tmux.

    Raises HeroError.
    """
    if not all(os.isatty(number) for number in (0, 1)):
        raise HeroError("usage", "A login needs a terminal.", hint="`hero_dev status` prints your slot.")
    if os.environ.get("TMUX"):
        raise HeroError("usage", "This terminal is in tmux already.", hint="`hero_tui` opens the cockpit here.")
    tmux = shutil.which("tmux")
    if tmux is None:
        say("tmux is not installed, so this login has no session to come back to. The cockpit, then your shell:")
        cockpit(where)
        return PLAIN_SHELL
    _prepare_environment()
    if not _has_session(tmux):
        _begin(tmux, window_argv(where))
    return _attach(tmux)


def cockpit(where: Where) -> int:
    """Run the cockpit in this terminal until it ends; its exit code."""
    argv = [sys.executable, "-P", "-m", "hero_tui.cockpit", "--box", str(where.box.root), "--slot", where.user]
    return run_in_front(argv)


def window(where: Where) -> NoReturn:
    """What runs in the session's first window: the cockpit, then a shell, so that nobody is left without one."""
    if code := cockpit(where):
        say(f"The cockpit ended with exit {code}. This is your shell.")
    say("`hero_tui` opens the cockpit again; ctrl-d closes this window.")
    for shell in (os.environ.get("SHELL", ""), "/bin/sh"):
        with contextlib.suppress(OSError, ValueError):
            os.execv(shell, [f"-{Path(shell).name}"])  # noqa: S606 - a shell is what is wanted
    raise HeroError("failed", "No shell can be started.")


def window_argv(where: Where) -> list[str]:
    """The command of the first window."""
    named = ["--box", str(where.box.root), "--slot", where.user]
    return [sys.executable, "-P", "-m", "hero_tui.cli", "login", "--window", *named]


def _begin(tmux: str, argv: Sequence[str]) -> None:
    """Start the session, detached. Raises HeroError."""
    size = shutil.get_terminal_size()
    shape = ("-x", str(size.columns), "-y", str(size.lines), "-c", str(Path.home()))
    command = [tmux, "new-session", "-d", "-s", SESSION, "-n", "cockpit", *shape, "--", *argv]
    scope = ["systemd-run", "--user", "--scope", "--quiet", "--collect"]
    # The named scope is taken while something that ran in an earlier session is still alive.
    for prefix in ([*scope, f"--unit={UNIT}"], [*scope, f"--unit={UNIT}-{os.getpid()}"]):
        if _works([*prefix, "--", *command]) or _has_session(tmux):
            _warn_of_linger()
            return
    say("`systemd --user` does not answer: your session may end with this login.")
    done = _run(command)
    if done.returncode and not _has_session(tmux):
        raise HeroError("failed", f"tmux begins no session: {done.stderr.strip() or 'it does not say why'}.")


def _prepare_environment() -> None:
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    if Path(runtime).is_dir() and os.access(runtime, os.W_OK):
        os.environ["XDG_RUNTIME_DIR"] = runtime
        # In /tmp neighbours could reach the socket, and take its place.
        os.environ.setdefault("TMUX_TMPDIR", runtime)
    if not _knows_terminal(os.environ.get("TERM", "")):
        os.environ["TERM"] = _SAFE_TERM


def _knows_terminal(name: str) -> bool:
    """Whether this machine has a description of the terminal; newer ones come with it, and tmux would refuse."""
    return bool(name) and (shutil.which("infocmp") is None or _works(["infocmp", "--", name]))


def _warn_of_linger() -> None:
    import getpass

    if _LINGERING.is_dir() and not (_LINGERING / getpass.getuser()).exists():
        say("This account does not linger (`loginctl enable-linger`): the session ends with your last login.")


def _has_session(tmux: str) -> bool:
    return _tmux(tmux, "has-session", "-t", f"={SESSION}").returncode == 0


def _tmux(tmux: str, *words: str) -> subprocess.CompletedProcess[str]:
    return _run([tmux, *words])


def _works(argv: Sequence[str]) -> bool:
    return _run(argv).returncode == 0


def _run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """A short program that is not to touch the terminal; one that cannot be started has failed."""
    try:
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(list(argv), 127, "", str(error))


def _attach(tmux: str) -> NoReturn:
    words = ["attach-session", "-t", f"={SESSION}"]
    # A second terminal gets a view of its own onto the same windows; a plain attach would make it a mirror.
    if _tmux(tmux, "list-clients", "-t", f"={SESSION}").stdout.strip():
        view = ["new-session", "-t", SESSION, "-s", f"{SESSION}-{os.getpid()}"]
        words = [*view, ";", "set-option", "destroy-unattached", "on"]
    sys.stdout.flush()
    os.execv(tmux, [tmux, *words])  # noqa: S606 - an argument list, and no shell
