"""Everything that one slot's verbs work on, wired once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from backends.forge.base import Forge
from backends.model.errors import HeroError, unknown_name
from backends.model.manifest import Binding, Manifest
from backends.model.paths import SlotPaths
from backends.model.plan import Candidate
from backends.model.slot_calls import SwitchParams
from backends.model.state import Build, CatalogueEntry, Source
from backends.slot.board import Board
from backends.slot.builder import Builder
from backends.slot.chores import Chores
from backends.slot.commit_status import CommitStatuses
from backends.slot.course import Course
from backends.slot.deploy import Deployer
from backends.slot.installs import Installs
from backends.slot.manifest_file import ManifestFile
from backends.slot.operations import Operations
from backends.slot.refresh import Refresher
from backends.slot.services import Services
from backends.slot.sources import Sources, Target
from backends.slot.turns import Turns
from backends.slot.worktrees import Worktrees

Recorder = Callable[[str, str, Mapping[str, Any]], None]
"""Takes an event's kind, subject and data, and keeps it."""


@dataclass
class SlotContext:
    """One slot: its parts, and what it knows of the team. `suffix` ends the names of its user's branches."""

    user: str
    paths: SlotPaths
    forge: Forge
    sources: Sources
    installs: Installs
    services: Services
    manifest: ManifestFile
    board: Board
    deployer: Deployer
    worktrees: Worktrees
    builder: Builder
    operations: Operations
    refresher: Refresher
    chores: Chores
    turns: Turns
    statuses: CommitStatuses
    record: Recorder
    trunk: str = "development"
    suffix: str = ""
    catalogue: dict[str, CatalogueEntry] = field(default_factory=dict)
    repos: dict[str, str] = field(default_factory=dict)

    def course(self, build: Build, *, alone: bool = False) -> Course:
        """`build` on its way; `alone`: the box's queue does not know of it."""
        return Course(build, self.paths, self.board, self.record, alone=alone)

    def bindings(self) -> list[Binding]:
        """The bindings in force."""
        return list(self.manifest.load().manifest.bind)

    def binding(self, service: str) -> Binding | None:
        return self.manifest.load().manifest.binding(service)

    def bound(self, service: str) -> Binding:
        """The binding of `service`. Raises HeroError `not_found` with the nearest names."""
        bindings = {one.service: one for one in self.bindings()}
        if service in bindings:
            return bindings[service]
        if service in self.catalogue:
            raise HeroError(
                "not_found",
                f"{service} is not bound in {self.user}'s slot.",
                hint=f"`hero_dev bind {service}` adds it.",
            )
        raise unknown_name("service", service, {*bindings, *self.catalogue})

    def asked_binding(self, params: SwitchParams, changes: Mapping[str, object] | None = None) -> Binding:
        """The binding that `params` ask for: the one in force with what they, and `changes`, change.

        Raises HeroError: unknown service, a source without what it needs, a bad branch name.
        """
        known = self.binding(params.service)
        source = params.source or self._source_of(params, known)
        fields: dict[str, object] = known.model_dump() if known else {"service": params.service}
        fields |= {
            "source": source,
            "branch": params.branch or (known.branch if known else self.trunk),
            "hash": (params.hash or (known.hash if known else None)) if source == "hash" else None,
            **(changes or {}),
        }
        binding = checked_binding(fields)
        if not self.repo_of(binding):
            raise unknown_name("service", params.service, {*self.repos, *self.board.services()})
        return binding

    def reload(self, manifest: Manifest) -> None:
        """Take `manifest` as the one in force."""
        self.board.reload(manifest, self.repos)
        self.services.take_shorts({name: entry.short for name, entry in self.catalogue.items() if entry.short})

    def repo_of(self, binding: Binding) -> str:
        """The repository of a binding: its own, or the catalogue's; empty where nobody knows one."""
        return binding.repo or self.repos.get(binding.service, "")

    def runs(self, target: Target) -> bool:
        """Whether the very archive of `target` is in force and recorded so."""
        current = self.installs.current(target.service)
        facts = self.board.facts(target.service)
        recorded = facts.installed if facts else None
        return bool(current and recorded and current.sha256 == target.sha256 and recorded.sha256 == target.sha256)

    def depends_on(self, service: str) -> tuple[str, ...]:
        """What the installed version of `service` needs running first."""
        try:
            return tuple(self.services.describe(service).run.depends_on)
        except HeroError:
            return ()

    def require_good_manifest(self) -> None:
        """Raises InvalidFile where the manifest on disk does not parse: it could not be written."""
        if problem := self.manifest.load().problem:
            raise problem

    def installed_candidates(self, service: str) -> list[Candidate]:
        """The versions of `service` that are on disk, newest first: what a switch reaches in no time."""
        return [
            Candidate(
                kind="pinned",
                branch=one.branch,
                source="hash",
                commit=one.version,
                tag=one.tag,
                time=one.installed_at,
                subject=f"installed from {one.source}",
            )
            for one in self.installs.versions(service)
        ]

    @staticmethod
    def _source_of(params: SwitchParams, known: Binding | None) -> Source:
        if params.hash:
            return "hash"
        if known is None or known.source == "hash":
            return "release"
        return known.source


def checked_binding(fields: dict[str, object]) -> Binding:
    """A Binding of `fields`, or a HeroError that says which one is wrong."""
    try:
        return Binding.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "binding"
        raise HeroError("usage", f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
