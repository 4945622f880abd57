"""One user's slot: its parts wired together, brought up, kept true, and closed."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from backends.archives.cache import ArchiveCache
from backends.claude.broker_client import BrokerClient
from backends.database import Database
from backends.forge.base import Forge
from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.model.manifest import Manifest
from backends.model.paths import BoxPaths
from backends.model.state import CatalogueEntry, Event, Operation, SlotStatus
from backends.model.team import TeamRepo
from backends.model.text import safe_line
from backends.slot.agents.desk import AgentDesk
from backends.slot.auto_pull import AutoPull
from backends.slot.board import Board, now
from backends.slot.build_records import read_builds
from backends.slot.builder import Builder
from backends.slot.chores import Chores
from backends.slot.claude import ClaudeChoices
from backends.slot.commit_status import CommitStatuses
from backends.slot.context import SlotContext
from backends.slot.deploy import Deployer
from backends.slot.installs import Installs
from backends.slot.manifest_file import ManifestFile
from backends.slot.operations import Operations
from backends.slot.outbox import Outbox
from backends.slot.queued import QueuedBuilds
from backends.slot.refresh import Refresher
from backends.slot.running import start
from backends.slot.services import Services
from backends.slot.sources import Sources
from backends.slot.turns import Turns
from backends.slot.worktrees import Worktrees
from backends.supervisors.base import Supervisor

log = logging.getLogger(__name__)


class Slot:
    """A slot and what it knows of its team. `sockets` is the short real folder of its sockets, `address` the box's
    router's, "" where there is none."""

    def __init__(
        self,
        box: BoxPaths,
        box_name: str,
        user: str,
        *,
        forge: Forge,
        supervisor: Supervisor,
        sockets: Path,
        address: str = "",
    ):
        paths = box.slot(user)
        self.uid = os.getuid()
        self._box_name = box_name
        self._team = TeamRepo()
        self._database = Database(paths.database)
        self.outbox = Outbox(self._database)
        self._recording: set[asyncio.Task[Any]] = set()
        self._on_recorded: Callable[[], None] = lambda: None
        board = Board()
        installs = Installs(paths, ArchiveCache(box.cache), forge)
        sources = Sources(forge)
        manifest = ManifestFile(paths)
        web = f"{address}/{user}" if address else ""
        services = Services(paths, sockets, supervisor, installs, board, self._report, web)
        worktrees = Worktrees(paths, forge.clone_url, forge.git_environment)
        repos: dict[str, str] = {}
        self.context = SlotContext(
            user=user,
            paths=paths,
            forge=forge,
            sources=sources,
            installs=installs,
            services=services,
            manifest=manifest,
            board=board,
            deployer=Deployer(paths, installs, services, manifest, board, repos),
            worktrees=worktrees,
            builder=Builder(paths),
            operations=Operations(paths.var / "state" / "operations"),
            refresher=Refresher(board, sources, worktrees),
            chores=Chores(installs),
            turns=Turns(user),
            statuses=CommitStatuses(forge),
            record=self.record,
            repos=repos,
        )
        broker = BrokerClient(box, user, lazy=True)
        self.claude = ClaudeChoices(Path.home(), manifest, broker)
        self.agents = AgentDesk(self.context, self.claude, broker, box, self._agent_changed, self.audit_end)
        self._on_agent: Callable[[Agent], None] = lambda _: None
        self.queued = QueuedBuilds(self.context, self.audit_end)
        self._auto_pull = AutoPull(self.context, self.audit_end)
        self.context.refresher.when_looked(self._auto_pull.look)
        self.context.operations.watch(self._operation_changed)

    async def open(self, team: TeamRepo) -> None:
        """Recover what a kill cut off, bring the supervisor up, and start what is enabled if nothing ran yet."""
        context = self.context
        self.take_team(team)
        await context.installs.sweep()
        await context.builder.end_leftovers()
        self.reload()
        for build in read_builds(context.paths, now()):
            context.board.update(build.service, build=build)
        adopted = await context.services.up()
        for outcome in await context.deployer.recover():
            self.record("slot.recovered", outcome.service, {"message": outcome.sentence, "side": outcome.side})
        for operation in context.operations.interrupted():
            self._audit(operation, {})
        self.reload()
        self._auto_pull.open()
        await self.agents.open()
        self._start_enabled(await context.services.unprovided() if adopted else None)
        context.refresher.soon()

    async def close(self, *, services: bool) -> None:
        """Stop cleanly; with `services` the slot's processes and agents too, else they run on."""
        await self.agents.close(end=services)
        self._auto_pull.close()
        self.queued.closing()
        await self.context.operations.close()
        await self.queued.close()
        await self.context.turns.close()
        await self.context.statuses.close()
        await self.context.refresher.close()
        await self.context.chores.close()
        await self.context.services.close()
        if services:
            await self.context.services.down()
        await asyncio.gather(*self._recording, return_exceptions=True)
        await self._database.close()

    def take_team(self, team: TeamRepo) -> None:
        """Take a newer state of the team repo."""
        self._team = team
        self.context.trunk = team.team.trunk if team.team else "development"
        user = team.users.get(self.context.user)
        self.context.suffix = (user.branch_suffix if user else None) or self.context.user
        entries = [CatalogueEntry.model_validate(one.model_dump()) for one in team.catalogue.services]
        self.context.catalogue.clear()
        self.context.catalogue.update({one.name: one for one in entries})
        self.context.repos.clear()
        self.context.repos.update({one.name: one.repo for one in entries})

    def reload(self) -> Manifest:
        """Take the manifest on disk, or the last good one."""
        loaded = self.context.manifest.load()
        self.context.reload(loaded.manifest)
        return loaded.manifest

    def forge_changed(self, repo: str) -> None:
        """Something was pushed or published in `repo`."""
        self.context.refresher.pushed(*self.context.board.bound_to(repo))

    def status(self) -> SlotStatus:
        """The whole slot at this moment."""
        problem = self.context.manifest.load().problem
        user = self._team.users.get(self.context.user)
        running = tuple(one for one in self.context.operations.all() if one.state == "running")
        return SlotStatus(
            box=self._box_name,
            slot=self.context.user,
            full_name=user.full_name if user else "",
            role=user.role if user else "developer",
            credential=self.claude.shown.credential,
            credential_state=self.claude.shown.state,
            services=self.context.board.cells(),
            agents=self.agents.shown(),
            operations=running,
            archives=self.context.installs.digests(),
            problems=tuple(str(one) for one in problem.problems) if problem else (),
            seen_at=now(),
        )

    def when_agent_changed(self, callback: Callable[[Agent], None]) -> None:
        """Call `callback` with each agent's newest state."""
        self._on_agent = callback

    def when_recorded(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever an event is in the outbox."""
        self._on_recorded = callback

    def record(self, kind: str, subject: str, data: Mapping[str, Any]) -> None:
        """Put an event into the outbox; it reaches the box's log even if both daemons are killed later."""
        event = Event(
            seq=0,
            time=now(),
            box=self._box_name,
            slot=self.context.user,
            kind=kind,
            subject=subject,
            data=dict(data),
        )
        task = asyncio.create_task(self._keep(event), name=f"record-{kind}")
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    def audit_end(self, operation_id: str, asked: Mapping[str, Any]) -> None:
        """Audit an operation once it has ended."""
        task = asyncio.create_task(self._audit_end(operation_id, asked), name=f"audit-{operation_id}")
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def _audit_end(self, operation_id: str, asked: Mapping[str, Any]) -> None:
        self._audit(await self.context.operations.wait(operation_id), asked)

    def _audit(self, operation: Operation, asked: Mapping[str, Any]) -> None:
        self.record(
            f"audit.{operation.kind}",
            operation.service,
            {
                "actor": operation.actor,
                "title": operation.title,
                "asked": dict(asked),
                "outcome": operation.state,
                "error": operation.error.message if operation.error else "",
                "started_at": operation.started_at.isoformat(),
            },
        )

    def _agent_changed(self, agent: Agent) -> None:
        self._on_agent(agent)

    async def _keep(self, event: Event) -> None:
        try:
            await self.outbox.add(event)
        except HeroError as error:
            log.error("event %s is lost: %s", event.kind, error.message)
            return
        self._on_recorded()

    def _report(self, kind: str, subject: str, sentence: str) -> None:
        self.record(kind, subject, {"message": safe_line(sentence)})

    def _operation_changed(self, operation: Operation) -> None:
        if operation.service:
            shown = operation if operation.state == "running" else None
            self.context.board.update(operation.service, operation=shown)

    def _start_enabled(self, only: Collection[str] | None) -> None:
        """What a reboot stopped comes back by itself; only what is installed, nothing is fetched or built.

        `only` these services, where the others came back without us.
        """
        context = self.context
        names = tuple(
            one.service
            for one in context.bindings()
            if one.enabled
            and (only is None or one.service in only)
            and context.installs.current(one.service) is not None
        )
        if names:
            id_ = context.operations.start(
                "start", lambda progress: start(context, names, progress), title="start the slot", actor="slotd"
            )
            self.audit_end(id_, {"services": list(names)})
