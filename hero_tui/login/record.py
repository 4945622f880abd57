"""Which first steps are done, and of which the person wants to hear no more: ~/hero/var/state/first_login.json."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from backends.model.errors import HeroError
from backends.slot.files import write_atomically

STEPS = ("token", "clone", "secrets", "claude")
"""The steps by name, in their order."""


@dataclass(frozen=True)
class Record:
    """Names of steps."""

    done: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()

    @property
    def left(self) -> tuple[str, ...]:
        """What is to be asked yet."""
        return tuple(step for step in STEPS if step not in self.done | self.never)

    def with_done(self, step: str) -> Record:
        return replace(self, done=self.done | {step})

    def with_never(self, step: str) -> Record:
        return replace(self, never=self.never | {step})


def read_record(path: Path) -> Record:
    """The record; an empty one where there is none that can be read: then everything is looked at again."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Record(frozenset(map(str, fields["done"])), frozenset(map(str, fields["never"])))
    except (OSError, ValueError, KeyError, TypeError):
        return Record()


def write_record(path: Path, record: Record) -> None:
    """Keep the record; what cannot be kept is asked again, and that is all."""
    fields = {"schema": 1, "done": sorted(record.done), "never": sorted(record.never)}
    with contextlib.suppress(HeroError):
        write_atomically(path, json.dumps(fields, indent=1).encode() + b"\n")
