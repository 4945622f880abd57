"""What standard input gives a verb: a line that a terminal does not show, or a text; bounded, and always UTF-8."""

from __future__ import annotations

import os
import sys

from backends.model.errors import HeroError

_LINE = 4096
_TEXT = 2_000_000
"""Bytes; an agent takes as many characters."""


def text_of(words: list[str]) -> str:
    """The words of a command line, or all of standard input where they are `-` alone.

    What is no UTF-8 is replaced. Raises HeroError `usage` where it is very long.
    """
    given = _read(_TEXT) if words == ["-"] else os.fsencode(" ".join(words))
    return given.decode("utf-8", "replace")


def unseen_line(question: str, *, twice: bool = False) -> str:
    """One line without its end; "" without one. `twice`: at a terminal, to be sure.

    Raises HeroError `usage`, which shows nothing of it, where there is more than one line, or a very long one.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        return _only_line(_read(_LINE))
    from getpass import getpass

    typed = getpass(f"{question} (it is not shown): ")
    if twice and getpass("Once more: ") != typed:
        raise HeroError("usage", "The two differ; nothing was changed.")
    return typed


def _only_line(given: bytes) -> str:
    line, *more = given.decode("utf-8", "replace").rstrip("\r\n").split("\n")
    if more:
        raise HeroError("usage", "Standard input holds more than one line.", hint="Give it that line alone.")
    return line


def _read(most: int) -> bytes:
    if sys.stdin is None:
        return b""
    given = sys.stdin.buffer.read(most + 1)
    if len(given) > most:
        raise HeroError("usage", f"Standard input is longer than {most:,} bytes.", hint="Nothing was done.")
    return given
