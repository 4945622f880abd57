"""What a person is asked before an action; how strictly, the table of actions says, and no screen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """`name` is of what it is done to: an action that reaches far wants it typed. `button` says what is done."""

    title: str
    name: str
    lines: tuple[str, ...] = ()
    button: str = "Yes"
