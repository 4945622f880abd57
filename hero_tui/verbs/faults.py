"""How errors reach the person: a sentence, what to do next, and for the unexpected, where the traceback is."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any, TextIO

from backends.model.errors import HeroError
from backends.model.text import safe_line, safe_text
from hero_tui.render.terminal import terminal_of

_TRACE_FILE = "hero_dev-error.txt"


def error_lines(error: HeroError, stream: TextIO | None, words: list[str]) -> list[str]:
    """The error as printed: its message, then its hint, indented."""
    terminal = terminal_of(stream, os.environ, no_colour="--no-color" in words)
    name = terminal.paint("hero_dev:", "bad")
    lines = [f"{name} {safe_text(error.message)}"]
    return lines + [f"  {line}" for line in safe_text(error.hint).splitlines()]


def error_object(error: HeroError, **more: Any) -> dict[str, Any]:
    """The error as the JSON that every verb answers with."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}, **more}


def as_error(fault: Exception) -> HeroError:
    """A fault of the program (or of the machine) as one sentence; its traceback goes to a file."""
    if isinstance(fault, OSError) and fault.filename is None and fault.errno is not None:
        return HeroError("failed", f"The output could not be written: {fault.strerror}.")
    message = f"hero_dev broke: {type(fault).__name__}: {safe_line(str(fault), 200)}"
    try:
        path = _write("".join(traceback.format_exception(fault)))
    except OSError as error:
        return HeroError("internal", message, hint=f"Its traceback could not be kept: {error.strerror or error}.")
    return HeroError("internal", message, hint=f"This is a fault of the program; the traceback is in {path}.")


def _write(text: str) -> Path:
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "hero"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _TRACE_FILE
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return path
