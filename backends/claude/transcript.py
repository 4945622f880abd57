"""A session's conversation as the program keeps it: whether it can be gone on with, and which prompts are in it.

A killed program leaves it as it was: the file is there a moment before the first word is in it, and a prompt that
was taken may not be in it yet.
"""

from __future__ import annotations

import json
import mmap
from pathlib import Path
from typing import Any

from backends.claude.private import cannot

_SPOKEN = ("user", "assistant", "attachment", "system")
"""Kinds of lines of which one is enough to be gone on with; others tell of the session, not of what was said."""


def is_spoken(config: Path, session: str) -> bool:
    """Whether anything was said in `session`; below `config`, a config directory. Never raises."""
    return any(_has_words(path) for path in _files(config, session))


def put_aside(config: Path, session: str) -> None:
    """Move a file without words out of the way: the program refuses to begin a session whose file is there.

    Raises HeroError.
    """
    for path in _files(config, session):
        if not _has_words(path):
            try:
                path.replace(path.with_suffix(".empty"))
            except OSError as error:
                raise cannot("move", path, error) from error


def lacks(config: Path, session: str, prompt: str) -> bool:
    """Whether the conversation does without the prompt that the program gave the id `prompt`. Never raises.

    Not where it gives no ids to prompts: what is told twice is worse than what has to be said again.
    """
    found = [path for path in _files(config, session) if _has_words(path)]
    if not found:
        return True
    return (
        bool(prompt)
        and any(_holds(one, b'"promptId"') for one in found)
        and not any(_holds(one, prompt.encode()) for one in found)
    )


def _files(config: Path, session: str) -> list[Path]:
    return sorted((config / "projects").glob(f"*/{session}.jsonl"))


def _has_words(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return any(_kind(line) in _SPOKEN for line in file)
    except OSError:
        return False


def _kind(line: bytes) -> Any:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told.get("type") if isinstance(told, dict) else None


def _holds(path: Path, text: bytes) -> bool:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(text) >= 0
    except (OSError, ValueError):
        return False
