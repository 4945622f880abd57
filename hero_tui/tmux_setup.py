"""`hero_tui setup-tmux`: the settings with which tmux carries what the cockpit draws; printed, or put in force."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from backends.model.errors import HeroError
from backends.slot.files import write_atomically

SETTINGS = """\
# What the Hero Team Box cockpit needs of tmux. `hero_tui setup-tmux --install` writes this file anew.

# Colours: programs are told of 256, and of 24 bits where the outer terminal has them; through mosh, too.
set -g default-terminal tmux-256color
set -as terminal-features ",*:RGB:clipboard"
set-environment -g COLORTERM truecolor

# What is copied in the cockpit (OSC 52) reaches the clipboard of the person at the terminal; mosh takes it
# only as the second line has it.
set -s set-clipboard on
set -as terminal-overrides ",*:Ms=\\\\E]52;c;%p2%s\\\\7"

# escape is heard at once; panes hear when they are looked at.
set -sg escape-time 10
set -g focus-events on

# A window whose agent or build waits rings: the status line shows it, and so does the terminal's title.
set -g monitor-bell on
set -g bell-action any
set -g visual-bell off
set -g set-titles on
set -g set-titles-string "#{?window_bell_flag,! ,}#S · #{pane_title}"
"""
"""Measured with tmux 3.3a and mosh 1.4: without these, colours fall to 256 or fewer and copying stays in tmux."""

LEAST = (3, 2)
_SECONDS = 10.0
_LINE = "source-file -q {path}"


def main(argv: list[str]) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="hero_tui setup-tmux", description="tmux settings that the cockpit was tested with."
    )
    parser.add_argument("--install", action="store_true", help="write them, and have ~/.tmux.conf read them")
    options = parser.parse_args(argv)
    if not options.install:
        print(SETTINGS, end="")
        return 0
    try:
        for sentence in install():
            print(sentence)
    except HeroError as error:
        print(f"hero_tui: {error}", file=sys.stderr)
        return 1
    return 0


def install(home: Path | None = None, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Put the settings in force, for later servers and for the one that runs; what was done, in sentences.

    Of the person's own one line is changed: it is added at the end of their tmux.conf. Raises HeroError.
    """
    home = home or Path.home()
    if problem := _refused(SETTINGS):
        raise HeroError("failed", f"This machine's tmux does not take them: {problem}", hint="It is too old?")
    ours = _config_home(home, environment) / "hero" / "tmux.conf"
    done = [_write(ours, SETTINGS)]
    theirs = _conf(home, environment)
    done.append(_include(theirs, _LINE.format(path=_quoted(ours))))
    if environment.get("TMUX"):
        answer = _tmux("source-file", str(ours))
        told = "In force now; detach and attach again for the colours." if not answer else f"tmux says: {answer}"
        done.append(told)
    else:
        done.append("In force from the next tmux server on; inside one, `tmux source-file` this file.")
    return done


def _config_home(home: Path, environment: Mapping[str, str]) -> Path:
    named = environment.get("XDG_CONFIG_HOME", "")
    return Path(named) if named.startswith("/") else home / ".config"


def _conf(home: Path, environment: Mapping[str, str]) -> Path:
    """The file that tmux reads at its start: that which is there, else ~/.tmux.conf."""
    xdg = _config_home(home, environment) / "tmux" / "tmux.conf"
    return xdg if xdg.exists() and not (home / ".tmux.conf").exists() else home / ".tmux.conf"


def _quoted(path: Path) -> str:
    """As tmux reads it: within double quotes, where these signs mean something."""
    text = str(path)
    for sign in ("\\", '"', "$", "#"):
        text = text.replace(sign, f"\\{sign}")
    return f'"{text}"'


def _write(path: Path, text: str) -> str:
    try:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return f"{path} is up to date."
        _replace(path, text)
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        raise HeroError("failed", f"{path} cannot be written: {error}.") from None
    return f"Wrote {path}."


def _include(path: Path, line: str) -> str:
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if line in before.splitlines():
            return f"{path} reads it already."
        gap = "" if not before or before.endswith("\n") else "\n"
        _replace(path, f"{before}{gap}{line}\n")
    except (OSError, UnicodeDecodeError, RuntimeError, HeroError) as error:
        hint = f"Put this line there yourself: {line}"
        why = error.message if isinstance(error, HeroError) else f"{error}."
        raise HeroError("failed", f"{path} cannot be changed: {why}", hint=hint) from None
    return f"Added one line to {path}: {line}"


def _replace(path: Path, text: str) -> None:
    """The whole file or the old one, whatever happens; it keeps its mode, a link stays one. Raises HeroError."""
    path = path.resolve() if path.is_symlink() else path
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    write_atomically(path, text.encode(), mode=mode)


def _refused(settings: str) -> str:
    """Why a tmux of its own does not take them; empty where it does."""
    tmux = shutil.which("tmux")
    if tmux is None:
        return "it is not installed (`apt-get install tmux`)"
    with tempfile.TemporaryDirectory(prefix="hero-tmux-") as folder:
        conf, socket = Path(folder) / "tmux.conf", str(Path(folder) / "s")
        conf.write_text(settings, encoding="utf-8")
        begun = _tmux("-S", socket, "-f", "/dev/null", "new-session", "-d", "cat")
        try:
            return begun or _tmux("-S", socket, "source-file", str(conf))
        finally:
            _tmux("-S", socket, "kill-server")


def _tmux(*words: str) -> str:
    """What it complains of."""
    try:
        done = subprocess.run(
            ["tmux", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stderr or done.stdout).strip() if done.returncode else ""
