"""The one error that reaches people: a stable code, a sentence, what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

CODES: dict[str, int] = {
    "failed": -32000,
    "usage": -32001,
    "not_found": -32002,
    "busy": -32003,
    "invalid_file": -32004,
    "verification": -32005,
    "build_failed": -32006,
    "unhealthy": -32007,
    "unreachable": -32008,
    "denied": -32009,
    "approval": -32010,
    "nothing_to_do": -32011,
    "cancelled": -32012,
    "timeout": -32013,
    "no_space": -32014,
    "conflict": -32015,
    "snapshot_needed": -32016,
    "internal": -32099,
}
"""Stable error names and their JSON-RPC numbers (documented in docs/rpc.md)."""


class HeroError(Exception):
    """What happened, to what and why (`message`), what to do next (`hint`), under a stable `code`.

    `code` is one of `CODES`; `data` is JSON-able detail for programs.
    """

    def __init__(self, code: str, message: str, *, hint: str = "", data: dict[str, Any] | None = None):
        super().__init__(message)
        self.code = code if code in CODES else "failed"
        self.message = message
        self.hint = hint
        self.data = data or {}

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names that `name` was probably meant to be, best first."""
    from difflib import get_close_matches  # a millisecond that only an error pays

    return get_close_matches(name, list(known), n=limit, cutoff=0.5)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> HeroError:
    """The error for a `kind` ("service", "branch", …) called `name` that nobody knows."""
    names = sorted(known)
    close = nearest(name, names)
    if close:
        hint = f"Did you mean {' or '.join(f'`{n}`' for n in close)}?"
    elif names:
        shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
        hint = f"Known: {shown}."
    else:
        hint = f"There is no {kind} yet."
    return HeroError("not_found", f"There is no {kind} called {name!r}.", hint=hint, data={"nearest": close})
