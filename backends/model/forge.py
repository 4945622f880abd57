"""What the forge has of a service, as clients see it: releases, commits, its webhook, and how fit its trunk is."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from backends.model.frozen import Frozen


class ArchiveInfo(Frozen):
    """One archive of a release; `size` in bytes."""

    name: str
    platform: str
    size: int
    downloads: int = 0
    url: str = ""


class ReleaseInfo(Frozen):
    """A published archive set. `complete`: it has its SHA256SUMS, so that it can be installed."""

    tag: str
    branch: str
    commit: str
    author: str = ""
    published_at: AwareDatetime | None = None
    platforms: tuple[str, ...] = ()
    size: int = 0
    subject: str = ""
    url: str = ""
    downloads: int = 0
    complete: bool = True
    archives: tuple[ArchiveInfo, ...] = ()


class CommitInfo(Frozen):
    """One commit, as a list of changes shows it."""

    commit: str
    author: str = ""
    time: AwareDatetime | None = None
    subject: str = ""


class HookState(Frozen):
    """The webhook of one repository: whether the forge has ours, and how the last delivery that we took went."""

    repo: str
    state: Literal["installed", "missing", "outdated", "inactive", "error", "not_needed"]
    url: str = ""
    detail: str = ""
    rotated_at: AwareDatetime | None = None
    last_seen: AwareDatetime | None = None


GateState = Literal["pass", "fail", "wait", "unknown"]


class Gate(Frozen):
    """Whether the trunk of a service is fit for everybody: it builds, its archives are there, it runs healthy.

    `commit` is the trunk's head on the forge. `platforms` has the required ones, `missing` those without an
    archive at that commit. `reason` is one sentence for whatever is not `pass`.
    """

    service: str
    repo: str
    branch: str
    commit: str = ""
    builds: GateState = "unknown"
    build: str = ""
    archives: GateState = "unknown"
    tag: str = ""
    platforms: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    healthy: GateState = "unknown"
    running: str = ""
    reason: str = ""
    checked_at: AwareDatetime | None = None

    @property
    def passes(self) -> bool:
        """All three hold."""
        return (self.builds, self.archives, self.healthy) == ("pass", "pass", "pass")
