"""The slot's cells: what each binding asks, has and does, derived in one place and told when it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from backends.model.manifest import Binding, InstalledState, Manifest
from backends.model.state import Build, Drift, Health, Operation, ServiceStatus
from backends.supervisors.base import ProcessState

CellWatcher = Callable[[ServiceStatus | None, str], None]


@dataclass(frozen=True)
class WorktreeFacts:
    """What git says of a binding's worktree: `head` is its commit, counts are against its upstream."""

    path: str = ""
    head: str = ""
    dirty: bool = False
    ahead: int = 0
    behind: int = 0


@dataclass(frozen=True)
class Facts:
    """Everything known of one service; each field has one writer."""

    binding: Binding
    repo: str
    installed: InstalledState | None = None
    process: ProcessState | None = None
    checked: bool | None = None
    check_detail: str = ""
    starting: bool = False
    newest: str = ""
    newest_tag: str = ""
    forge_error: str = ""
    worktree: WorktreeFacts = WorktreeFacts()
    build: Build | None = None
    operation: Operation | None = None
    last_log: str = ""
    socket: str = ""
    url: str = ""
    depends_on: tuple[str, ...] = ()
    checkable: bool = True


def derive_health(facts: Facts) -> tuple[Health, str]:
    """What the process does, and why in a few words."""
    process = facts.process
    if process is None:
        return "stopped", "" if facts.installed else "nothing is installed"
    match process.state:
        case "stopped":
            return "stopped", ""
        case "stopping":
            return "stopped", "stopping"
        case "starting":
            return "starting", _after_crash(process)
        case "running":
            return _health_of_running(facts)
        case "exited" if process.exit_code == 0 and process.signal is None:
            return "stopped", "ended by itself, exit 0"
        case "exited" | "backoff" | "fatal":
            return "crashed", _crash_reason(process)
        case _:
            return "unknown", process.reason


def _health_of_running(facts: Facts) -> tuple[Health, str]:
    if facts.checked:
        return "healthy", facts.check_detail
    if facts.checked is None or facts.starting:
        return "starting", facts.check_detail or (_after_crash(facts.process) if facts.process else "")
    return "unhealthy", facts.check_detail


def _after_crash(process: ProcessState) -> str:
    """Why a process that starts had to be started again; empty for a first start."""
    return f"started again after {_how_it_ended(process)}" if process.restarts else ""


def _how_it_ended(process: ProcessState) -> str:
    if process.signal is not None:
        return f"signal {process.signal}"
    if process.exit_code is not None:
        return f"exit {process.exit_code}"
    return process.reason or "it did not start"


def _crash_reason(process: ProcessState) -> str:
    how = _how_it_ended(process)
    if process.state == "fatal":
        return f"{how}; given up after {process.restarts} restarts" if process.restarts else how
    return how


def derive_drift(facts: Facts) -> tuple[Drift, str]:
    """What is installed against what the binding asks, and why in a few words."""
    binding, installed = facts.binding, facts.installed
    if installed is None:
        return "missing", "nothing is installed; `start` or `pull` installs it"
    if binding.source == "hash":
        if installed.hash.startswith((binding.hash or "")[:8]):
            return "pinned", f"pinned to {(binding.hash or '')[:8]}"
        return "behind", f"asks {(binding.hash or '')[:8]}, runs {installed.hash[:8]}"
    if binding.source == "build":
        return _drift_of_build(facts, installed)
    return _drift_of_release(facts, installed)


def _drift_of_release(facts: Facts, installed: InstalledState) -> tuple[Drift, str]:
    if installed.source == "build":
        return "behind", f"asks the release of {facts.binding.branch}, runs a build made here"
    if facts.forge_error:
        return "current", f"the forge does not answer: {facts.forge_error}"
    if facts.newest and facts.newest != installed.hash:
        return "behind", f"{facts.newest_tag} is newer than {installed.tag or installed.hash[:8]}"
    return "current", ""


def _drift_of_build(facts: Facts, installed: InstalledState) -> tuple[Drift, str]:
    tree = facts.worktree
    if installed.source != "build":
        return "behind", f"asks a build of {facts.binding.branch}, runs a release"
    if tree.dirty:
        return "modified", "the worktree has uncommitted changes"
    if tree.head and tree.head != installed.hash:
        return "modified", f"the worktree is at {tree.head[:8]}, {installed.hash[:8]} runs"
    if tree.behind:
        commits = "1 commit" if tree.behind == 1 else f"{tree.behind} commits"
        return "behind", f"the branch is {commits} ahead of the worktree"
    return "current", ""


def cell_of(facts: Facts) -> ServiceStatus:
    """The cell that every client sees."""
    health, reason = derive_health(facts)
    drift, drift_reason = derive_drift(facts)
    binding, installed, process = facts.binding, facts.installed, facts.process
    broken = health in ("crashed", "unhealthy")
    return ServiceStatus(
        service=binding.service,
        repo=facts.repo,
        branch=binding.branch,
        source=binding.source,
        enabled=binding.enabled,
        auto_rebuild=binding.auto_rebuild,
        publish=binding.publish,
        hash=installed.hash if installed else "",
        tag=(installed.tag or "") if installed else "",
        sha256=(installed.sha256 or "") if installed else "",
        installed_at=installed.installed_at if installed else None,
        running_from=installed.source if installed else None,
        can_go_back=bool(installed and installed.previous),
        last_good=(installed.last_good or "") if installed else "",
        drift=drift,
        drift_reason=drift_reason,
        newest=facts.newest,
        health=health,
        reason=reason,
        exit_code=process.exit_code if process else None,
        last_log=facts.last_log if broken else "",
        pid=process.pid if process else None,
        since=process.since if process else None,
        restarts=process.restarts if process else 0,
        build=facts.build,
        socket=facts.socket,
        url=facts.url,
        depends_on=facts.depends_on,
        worktree=facts.worktree.path,
        operation=facts.operation,
    )


class Board:
    """All cells of a slot. Each `update` tells the watchers the one cell that changed, if it did."""

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._cells: dict[str, ServiceStatus] = {}
        self._expected: set[str] = set()
        self._watchers: set[CellWatcher] = set()

    def watch(self, watcher: CellWatcher) -> Callable[[], None]:
        """Call `watcher(cell, service)` with each changed cell (None: gone); returns what ends it."""
        self._watchers.add(watcher)
        return lambda: self._watchers.discard(watcher)

    def reload(self, manifest: Manifest, repos: Mapping[str, str]) -> None:
        """Take the manifest's bindings and state; `repos` names the catalogue's repository of a service."""
        bindings = {binding.service: binding for binding in manifest.bind}
        for service in self._facts.keys() - bindings.keys() - self._expected:
            del self._facts[service], self._cells[service]
            self._tell(None, service)
        for service, binding in bindings.items():
            repo = binding.repo or repos.get(service, "")
            known = self._facts.get(service) or Facts(binding=binding, repo=repo)
            installed = manifest.state.get(service)
            self._set(service, replace(known, binding=binding, repo=repo, installed=installed))

    def expect(self, binding: Binding, repo: str) -> None:
        """Follow a service that is about to be bound, until `decided`: no manifest names it yet."""
        self._expected.add(binding.service)
        if binding.service not in self._facts:
            self._set(binding.service, Facts(binding=binding, repo=repo))

    def decided(self, service: str) -> None:
        """From the next `reload` on, the manifest alone says whether `service` is followed."""
        self._expected.discard(service)

    def update(self, service: str, **fields: object) -> None:
        """Change facts of one service; an unbound one has no cell and is passed over."""
        if known := self._facts.get(service):
            self._set(service, replace(known, **fields))  # type: ignore[arg-type]  # field names are Facts'

    def facts(self, service: str) -> Facts | None:
        return self._facts.get(service)

    def services(self) -> tuple[str, ...]:
        return tuple(self._facts)

    def cells(self) -> tuple[ServiceStatus, ...]:
        return tuple(self._cells.values())

    def cell(self, service: str) -> ServiceStatus | None:
        return self._cells.get(service)

    def bound_to(self, repo: str) -> Iterable[str]:
        """Services whose binding is on `repo`."""
        return [service for service, facts in self._facts.items() if facts.repo == repo]

    def _set(self, service: str, facts: Facts) -> None:
        self._facts[service] = facts
        cell = cell_of(facts)
        if self._cells.get(service) == cell:
            return
        self._cells[service] = cell
        self._tell(cell, service)

    def _tell(self, cell: ServiceStatus | None, service: str) -> None:
        for watcher in tuple(self._watchers):
            watcher(cell, service)


def now() -> datetime:
    """The present, with its zone."""
    return datetime.now(UTC)
