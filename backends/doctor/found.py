"""How a check says what it found: a finding, and where this caller can mend it, the mend beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from backends.doctor.context import Context
from backends.model.health_report import HealthFinding, HealthState
from backends.model.text import safe_line

Repair = Callable[[], Awaitable[str]]
"""Mends one thing, once or again, and says what it did. Raises HeroError or OSError where it cannot."""

SENTENCE_LIMIT = 600


@dataclass(frozen=True)
class Check:
    """One check: where its findings stand (`group`), whom it is about, how long it may take.

    `id` and `title` are those of its findings unless they have their own.
    """

    id: str
    title: str
    look: Callable[[Context], Awaitable[Sequence[Found]]]
    scope: Literal["box", "slot"] = "box"
    seconds: float = 2.0

    @property
    def group(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]


@dataclass(frozen=True)
class Found:
    """One finding before it has its check's names; `repair` mends it, repairs with the same `once` are one."""

    state: HealthState
    what: str
    why: str = ""
    mend: str = ""
    title: str = ""
    part: str = ""
    repair: Repair | None = None
    once: str = ""

    def finding(self, check: Check, slot: str) -> HealthFinding:
        """As it is reported; texts that came from outside are harmless in it."""
        return HealthFinding(
            id=f"{check.group}.{self.part}" if self.part else check.id,
            group=check.group,
            title=self.title or check.title,
            slot=slot,
            state=self.state,
            what=safe_line(self.what, SENTENCE_LIMIT),
            why=safe_line(self.why, SENTENCE_LIMIT),
            mend=safe_line(self.mend, SENTENCE_LIMIT),
            fixable=self.repair is not None,
        )


def well(what: str, *, title: str = "", part: str = "") -> Found:
    """All is as it should be."""
    return Found("ok", what, title=title, part=part)


def passed_over(reason: str, *, title: str = "", part: str = "") -> Found:
    """It was not looked at."""
    return Found("skipped", reason, title=title, part=part)


def listed(names: Sequence[object], most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
