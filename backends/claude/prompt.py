"""A prompt as text and nothing else: no command of the program's, no control character, no unasked file."""

from __future__ import annotations

import re

from backends.model.text import safe_text

ARGUMENT_LIMIT = 100_000
"""Bytes of a prompt on a command line; the kernel takes 128 KiB in one argument."""

_ENDS_SESSION = frozenset({"exit", "quit", ":q", ":q!", ":wq", ":wq!"})
_MENTION = re.compile(r"(?<![A-Za-z0-9._%+-])@(?=\S)")


def as_prompt(text: str, *, foreign: bool = False) -> str:
    """`text` as the program takes it literally, whether on its command line or pasted into its window.

    A beginning `/` would be a command (a space before it does not help), and so would `exit` alone. `foreign`: the
    text is not of the person whose agent it is (an issue, a message); there `@path` is broken up, for the program
    would put that file of the user's into the conversation without asking.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    plain = safe_text(text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n")
    if foreign:
        plain = _MENTION.sub("@ ", plain)
    bare = plain.strip()
    if bare.startswith("/") or bare in _ENDS_SESSION:
        return f"Task: {bare}"
    return plain


def is_long(prompt: str) -> bool:
    """Whether `prompt` has to be handed over in a file."""
    return len(prompt.encode("utf-8")) > ARGUMENT_LIMIT
