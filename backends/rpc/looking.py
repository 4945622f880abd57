"""A client that only looks: a call that changes anything is refused before it is sent."""

from __future__ import annotations

import os

from backends.model.errors import HeroError

VARIABLE = "HERO_READ_ONLY"
"""Set in the environment of a process whose `hero_dev` may only look."""


def only_looks() -> bool:
    """Whether this process may only look."""
    return bool(os.environ.get(VARIABLE))


def check_looks(method: str) -> None:
    """Raises HeroError `denied` for a call that changes something, or that nobody knows."""
    from backends.model.calls import BY_NAME  # pydantic: paid only by those who may not change anything

    known = BY_NAME.get(method)
    if known is None or known.mutates:
        raise HeroError(
            "denied",
            f"This is read-only: {method} would change something, and was not sent.",
            hint="`:readonly off` in the cockpit, or start it without --read-only.",
        )
