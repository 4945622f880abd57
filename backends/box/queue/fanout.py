"""From "look at this branch" to builds: what each binding that follows it still needs is queued."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from backends.box.fleet import Fleet
from backends.box.queue import rules
from backends.box.queue.queue import BuildQueue
from backends.forge.base import Forge
from backends.model.build_calls import BuildSubmitParams
from backends.model.errors import HeroError
from backends.model.state import ServiceStatus, SlotStatus

log = logging.getLogger(__name__)

INTEGRATION = "integration"


class FanOut:
    """Compares what the branches of `forge` are with what was built for the bindings that follow them.

    Those of the integration slot on builds always do, and publish; others where `auto_rebuild` says so.
    Looking twice does no harm.
    """

    def __init__(self, forge: Forge, fleet: Fleet, queue: BuildQueue, tell: Callable[[str, str], None]):
        """`tell(slot, repo)` has a slot look at a repository itself."""
        self._forge = forge
        self._fleet = fleet
        self._queue = queue
        self._tell = tell
        self._followed: dict[str, set[tuple[str, ...]]] = {}

    def follows_anew(self, slot: SlotStatus) -> bool:
        """Whether bindings of `slot` follow what they did not when this was last asked: it wants a poll.

        A slot whose daemon was quicker than its manifest or the team's catalogue tells its bindings only later.
        """
        following: set[tuple[str, ...]] = {
            (cell.service, cell.source, cell.repo, cell.branch)
            for cell in slot.services
            if follows(slot, cell) or pulls(cell)
        }
        before = self._followed.get(slot.slot, set())
        self._followed[slot.slot] = following
        return bool(following - before)

    async def look(self, repo: str, branch: str | None = None, *, reason: str = "webhook") -> None:
        """Queue what the followers of `branch` (None: of any) of `repo` need. Raises HeroError where the forge
        cannot tell: look again later."""
        followers = [
            (slot, cell) for slot, cell in self._following() if cell.repo == repo and branch in (None, cell.branch)
        ]
        trouble: HeroError | None = None
        for name in sorted({cell.branch for _, cell in followers}):
            # What stands in the way of one branch, which may be a slot's nonsense, holds up no other.
            try:
                head = (await self._forge.branch(repo, name)).commit
                for slot, cell in followers:
                    if cell.branch == name:
                        await self._submit_if_needed(slot, cell, head, reason)
            except HeroError as error:
                log.info("nothing to build of %s: %s", repo, error.message)
                if error.code not in ("not_found", "usage"):
                    trouble = trouble or error
        if trouble:
            raise trouble

    async def poll(self) -> None:
        """Look at everything that is followed; what cannot be looked at now is left for the next time."""
        for repo in sorted({cell.repo for _, cell in self._following()}):
            try:
                await self.look(repo, reason="poll")
            except HeroError as error:
                log.info("no look at %s: %s", repo, error.message)
        await self._poll_releases()

    async def _poll_releases(self) -> None:
        """Have the slots look that pull releases by themselves and run another than the newest."""
        pulling = [(slot.slot, cell) for slot in self._fleet.slots() for cell in slot.services if pulls(cell)]
        for repo, branch in sorted({(cell.repo, cell.branch) for _, cell in pulling}):
            try:
                newest = await self._forge.latest_release(repo, branch)
            except HeroError as error:
                log.info("no look at the releases of %s: %s", repo, error.message)
                continue
            for slot, cell in pulling:
                if newest and (cell.repo, cell.branch) == (repo, branch) and cell.hash != newest.commit:
                    self._tell(slot, repo)

    def _following(self) -> Iterable[tuple[SlotStatus, ServiceStatus]]:
        for slot in self._fleet.slots():
            for cell in slot.services:
                if follows(slot, cell):
                    yield slot, cell

    async def _submit_if_needed(self, slot: SlotStatus, cell: ServiceStatus, head: str, reason: str) -> None:
        publish = is_integration(slot) or cell.publish
        of_head = await self._queue.of_commit(slot.slot, cell.service, cell.branch, head)
        published = publish and await self._is_published(cell, head)
        news = any(self._queue.is_news(one) for one in of_head)
        if not rules.needs_build(head, of_head, cell, publish=publish, published=published, is_news=news):
            return
        asked = BuildSubmitParams(
            user=slot.slot,
            service=cell.service,
            repo=cell.repo,
            branch=cell.branch,
            commit=head,
            publish=publish,
            restart=cell.enabled,
            reason=reason,
            priority="background",
        )
        await self._queue.submit(asked, actor=reason)

    async def _is_published(self, cell: ServiceStatus, head: str) -> bool:
        release = await self._forge.latest_release(cell.repo, cell.branch)
        return release is not None and release.commit == head


def follows(slot: SlotStatus, cell: ServiceStatus) -> bool:
    """Whether the head of its branch is to be built for this binding by itself."""
    return bool(cell.repo) and cell.source == "build" and (is_integration(slot) or cell.auto_rebuild)


def pulls(cell: ServiceStatus) -> bool:
    """Whether this binding takes newer releases by itself."""
    return bool(cell.repo) and cell.source == "release" and cell.auto_rebuild


def is_integration(slot: SlotStatus) -> bool:
    """Whether this is the slot that builds the trunk for everybody."""
    return INTEGRATION in (slot.slot, slot.role)
