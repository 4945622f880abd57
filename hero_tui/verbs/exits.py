"""The exit codes: one number for each error code (docs/rpc.md, docs/cli.md)."""

from __future__ import annotations

DONE = 0
FAILED = 1
USAGE = 2
NOTHING_TO_DO = 3
NEEDS_APPROVAL = 4
UNREACHABLE = 5

_CODES = {
    "usage": USAGE,
    "not_found": USAGE,
    "nothing_to_do": NOTHING_TO_DO,
    "approval": NEEDS_APPROVAL,
    "unreachable": UNREACHABLE,
    "timeout": UNREACHABLE,
}


def exit_code(error_code: str) -> int:
    """The exit code of a HeroError's code."""
    return _CODES.get(error_code, FAILED)
