"""What the doctor's screen needs of whoever looks: which checks there are, what each found, how mending went."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from backends.model.health_report import HealthFinding, HealthMend

Key = tuple[str, str]
"""A check's id, and whose slot it looks at ("" for the box)."""


@dataclass(frozen=True)
class Job:
    """One check that will be made. `whole`: it is another user's process that looks, and mends all or nothing."""

    id: str
    slot: str
    area: str
    title: str
    whole: bool = False

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.id, self.slot


@dataclass(frozen=True)
class Plan:
    """The checks of an examination, in the order in which a person reads them; told first."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Looked:
    """What one of them found."""

    job: Job
    findings: tuple[HealthFinding, ...]


@dataclass(frozen=True)
class Ill:
    """A finding that is to be mended, and the check that found it."""

    job: Job
    finding: HealthFinding


class DoctorSource(Protocol):
    """Whoever looks at a box and mends it."""

    def examine(self) -> AsyncGenerator[Plan | Looked, None]:
        """All checks, each told when it is done; one that does not come to an end is told as that.

        Raises HeroError where nothing can be looked at.
        """

    def mend(self, ill: Sequence[Ill]) -> AsyncGenerator[HealthMend, None]:
        """Look again, and mend what is still as it was found; how each went. Raises HeroError."""
