"""What a look at a branch, or at everything, queues and tells: real repositories, a fleet as slots reported it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.box.fleet import Fleet
from backends.box.queue.fanout import FanOut
from backends.forge.folder import FolderForge
from backends.model.box_calls import ReportParams
from backends.model.build_calls import BuildListParams
from backends.model.release import release_tag
from backends.model.state import ServiceStatus, SlotStatus
from tests.backends.box.build_queue.slots import Yard, yard
from tests.backends.forge.contract import a_file
from tests.backends.forge.repositories import commit, new_repository, run_git

REPO = "lhumina_code/hero_web"
TRUNK = "development"


class Scene:
    """A repository, a fleet, a queue whose slots are away, and what slots are told."""

    def __init__(self, folder: Path, box: Yard):
        self.box = box
        self.forge = FolderForge(folder / "forge")
        self.fleet = Fleet("b")
        self.told: list[tuple[str, str]] = []
        self.fanout = FanOut(self.forge, self.fleet, box.queue, lambda slot, repo: self.told.append((slot, repo)))
        self.work = new_repository(folder / "work")

    async def push(self, branch: str = TRUNK) -> str:
        bare = self.forge.root / f"{REPO}.git"
        if not bare.exists():
            await self.forge.create_repository(REPO)
        at = commit(self.work, "more")
        run_git(self.work, "push", "--quiet", "--force", str(bare), f"HEAD:refs/heads/{branch}")
        return at

    async def publish(self, at: str) -> None:
        tag = release_tag(TRUNK, at)
        made = await self.forge.create_draft(REPO, tag=tag, commit=at, title="t", body="", author="mik")
        await self.forge.upload_asset(REPO, made.id, a_file(self.work.parent, at.encode()))
        await self.forge.publish(REPO, made.id)

    def slot(self, name: str, source: str, **more: object) -> None:
        cell = {"service": "hero_web", "repo": REPO, "branch": TRUNK, "from": source, **more}
        status = SlotStatus(
            box="b", slot=name, services=(ServiceStatus.model_validate(cell),), seen_at=datetime.now(UTC)
        )
        self.fleet.apply(ReportParams(slot=name, status=status), datetime.now(UTC))

    async def queued(self) -> list[tuple[str, str, bool]]:
        builds = (await self.box.queue.listed(BuildListParams())).builds
        return sorted((one.slot, one.commit, one.publish) for one in builds)

    async def builds(self) -> list[str]:
        return [one.id for one in (await self.box.queue.listed(BuildListParams())).builds]


@pytest.fixture
async def scene(tmp_path: Path, short_dir: Path) -> AsyncIterator[Scene]:
    async with yard(short_dir) as box:
        yield Scene(tmp_path, box)


async def test_a_push_is_built_where_it_is_followed_and_published_by_the_integration_slot_alone(
    scene: Scene,
) -> None:
    head = await scene.push()
    scene.slot("integration", "build")
    scene.slot("mik", "build", auto_rebuild=True)
    scene.slot("alice", "build")
    scene.slot("thabet", "release", auto_rebuild=True)
    for _ in range(3):
        await scene.fanout.look(REPO, TRUNK)
    assert await scene.queued() == [("integration", head, True), ("mik", head, False)]


async def test_a_binding_that_becomes_known_after_its_slot_came_is_followed_anew(scene: Scene) -> None:
    def anew() -> bool:
        slot = scene.fleet.slot("integration")
        assert slot
        return scene.fanout.follows_anew(slot)

    scene.slot("integration", "build", repo="")
    assert not anew()
    await scene.fanout.poll()
    head = await scene.push()
    scene.slot("integration", "build")
    assert anew()
    assert not anew()
    await scene.fanout.poll()
    assert await scene.queued() == [("integration", head, True)]
    scene.slot("integration", "build", branch="topic")
    assert anew()
    scene.slot("integration", "release", branch="topic")
    assert not anew()
    scene.slot("integration", "release", branch="topic", auto_rebuild=True)
    assert anew()


async def test_what_a_build_made_is_waited_for_and_made_again_only_for_a_slot_that_says_it_has_nothing(
    scene: Scene,
) -> None:
    head = await scene.push()
    integration = await scene.box.slot("integration")
    scene.slot("integration", "build")
    await scene.fanout.look(REPO, TRUNK)
    (first,) = await scene.builds()
    await scene.publish(head)
    await scene.box.until_begun(integration, first)
    integration.end(first)
    await scene.box.until(first, "succeeded")
    # A webhook comes before the slot has told what it installed.
    await scene.fanout.look(REPO, TRUNK)
    assert await scene.builds() == [first]
    # The slot comes back from a backup without it.
    await integration.leave()
    await scene.box.connect(integration)
    await scene.fanout.look(REPO, TRUNK)
    second = next(one for one in await scene.builds() if one != first)
    await scene.box.until_begun(integration, second)
    integration.end(second, "superseded", superseded_by=release_tag(TRUNK, head))
    await scene.box.until(second, "superseded")
    await integration.leave()
    await scene.box.connect(integration)
    await scene.fanout.look(REPO, TRUNK)
    assert len(await scene.builds()) == 3


async def test_another_branch_than_the_bound_one_is_nobodys(scene: Scene) -> None:
    await scene.push()
    await scene.push("topic")
    scene.slot("integration", "build")
    await scene.fanout.look(REPO, "topic")
    assert await scene.queued() == []


async def test_what_runs_already_and_is_published_is_not_built(scene: Scene) -> None:
    head = await scene.push()
    await scene.publish(head)
    scene.slot("integration", "build", hash=head, running_from="build")
    await scene.fanout.poll()
    assert await scene.queued() == []


async def test_a_poll_has_those_look_who_follow_releases_and_run_an_older_one(scene: Scene) -> None:
    old = await scene.push()
    await scene.publish(old)
    new = await scene.push()
    await scene.publish(new)
    scene.slot("alice", "release", auto_rebuild=True, hash=old)
    scene.slot("mik", "release", auto_rebuild=True, hash=new)
    scene.slot("thabet", "release", hash=old)
    await scene.fanout.poll()
    assert scene.told == [("alice", REPO)]


async def test_a_forge_that_is_away_breaks_no_poll(scene: Scene) -> None:
    scene.slot("integration", "build")
    scene.slot("alice", "release", auto_rebuild=True)
    await scene.fanout.poll()
    assert await scene.queued() == []
