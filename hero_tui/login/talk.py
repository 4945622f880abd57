"""Questions in plain lines: they work on any terminal, over any link, and can always be left."""

from __future__ import annotations

import getpass
import os
import sys
import termios
from collections.abc import Callable, Iterable

from backends.model.errors import HeroError
from hero_tui.render.text import clean, wrap

_WIDEST = 78


class Skipped(Exception):
    """The person wants the next step; `for_good`: and not to be asked again."""

    def __init__(self, *, for_good: bool = False):
        super().__init__()
        self.for_good = for_good


class Ended(Exception):
    """The person wants no more questions."""


def say(*lines: str) -> None:
    """Print lines, wrapped to the terminal; what follows a line's first blanks stays under its beginning."""
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip(" ")))
        for part in wrap(line.strip(), _width() - len(indent)) if line.strip() else [""]:
            print(f"{indent}{part}".rstrip())
    sys.stdout.flush()


def say_error(error: HeroError) -> None:
    """What went wrong and what to do, every line harmless."""
    lines = [clean(line.rstrip(), 1000) for line in error.message.splitlines()]
    say(*(f"  {line}" for line in lines), *([f"  {clean(error.hint, 1000)}"] if error.hint else []))


def ask(question: str, choices: Iterable[str] = ()) -> str:
    """The answer, without blanks around it; one of `choices` ("" is among them for a plain enter) where given.

    Raises Skipped for ctrl-c, `s` and `x`, Ended for ctrl-d.
    """
    known = tuple(choices)
    while True:
        answer = _typed(f"{question} ")
        if not known or answer.lower() in known:
            return answer.lower() if known else answer
        say(f"  That is none of {', '.join(one or 'enter' for one in known)}, s (skip) or x (never ask again).")


def ask_hidden(question: str) -> str:
    """As `ask`, and what is typed is not shown."""
    return _taken(lambda: getpass.getpass(f"{question} ", sys.stdout))


def _typed(question: str) -> str:
    return _taken(lambda: input(question))


def _taken(read: Callable[[], str]) -> str:
    try:
        answer = read().strip()
    except KeyboardInterrupt:
        print()
        raise Skipped from None
    except EOFError:
        print()
        raise Ended from None
    if answer.lower() in ("s", "x"):
        raise Skipped(for_good=answer.lower() == "x")
    return answer


def forget_typed() -> None:
    """Drop what was typed while nobody asked: it answers no later question."""
    try:
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    except (termios.error, OSError, ValueError):
        return


def _width() -> int:
    try:
        return min(os.get_terminal_size(1).columns or _WIDEST, _WIDEST)
    except OSError:
        return _WIDEST
