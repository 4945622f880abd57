"""What `hero_dev doctor` found: one finding a fact, each with why it matters and what mends it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backends.model.frozen import Frozen

HealthState = Literal["ok", "warn", "bad", "skipped"]

WORST_FIRST: tuple[HealthState, ...] = ("bad", "warn", "ok", "skipped")


class HealthFinding(Frozen):
    """One thing that was looked at. Every text is one line that is safe to show."""

    id: str = Field(description="Stable name of the check, like `disk.space`.")
    group: str = Field(description="The heading that it stands under, like `disk`.")
    title: str
    slot: str = Field(default="", description="Whose slot it is about; empty: the box.")
    state: HealthState
    what: str = Field(description="One sentence with the fact.")
    why: str = Field(default="", description="Why it matters; empty where all is well.")
    mend: str = Field(default="", description="What a person would type, or do.")
    fixable: bool = Field(default=False, description="`doctor --fix` of this caller mends it.")


class HealthMend(Frozen):
    """One thing that `--fix` did, or could not do."""

    id: str = Field(description="The finding's.")
    slot: str = ""
    done: bool
    what: str = Field(description="What was done, or why it was not.")


class HealthReport(Frozen):
    """Everything that was found, after the mends."""

    box: str
    kind: Literal["rootless", "system"]
    version: str
    seconds: float
    findings: tuple[HealthFinding, ...] = ()
    mends: tuple[HealthMend, ...] = ()

    def of(self, state: HealthState) -> tuple[HealthFinding, ...]:
        """The findings of one state."""
        return tuple(one for one in self.findings if one.state == state)
