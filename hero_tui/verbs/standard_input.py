"""Asks for what nobody is to see: one line of standard input, which a terminal does not show."""

from __future__ import annotations

import sys

from backends.model.errors import HeroError

_LIMIT = 4096


def one_line(question: str, *, twice: bool = False) -> str:
    """The line without its end; "" without one. `twice`: at a terminal, to be sure. Raises HeroError."""
    if sys.stdin is None:
        return ""
    if not sys.stdin.isatty():
        return sys.stdin.readline(_LIMIT).rstrip("\r\n")
    from getpass import getpass

    typed = getpass(f"{question} (it is not shown): ")
    if twice and getpass("Once more: ") != typed:
        raise HeroError("usage", "The two differ; nothing was changed.")
    return typed
