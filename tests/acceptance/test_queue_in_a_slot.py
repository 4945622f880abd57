"""A real slot's daemon and a box that is played: builds of the queue survive whatever is killed, and run once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.forge.folder import FolderForge
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.state import Build
from backends.rpc.socketdir import ensure_socket_dir
from tests.acceptance.small_box import DEADLINE, SmallBox, small_box
from tests.backends.slot.origins import run as git
from tests.backends.slot.slots import PlayedBox

pytestmark = pytest.mark.slow

WEB, TRUNK, REPO = "hero_web", "development", "lhumina_code/hero_web"
STEPS = [
    "publish.1.drafted",
    "publish.2.uploaded",
    "publish.3.summed",
    "publish.4.published",
    "switch.5.intended",
    "switch.7.restarted",
    "switch.9.committed",
]


@pytest.fixture(scope="module")
def made() -> Iterator[SmallBox]:
    with small_box() as box:
        box.start_slotd()
        box.done("slot.start")
        box.done("slot.switch", {"service": WEB, "branch": TRUNK, "from": "build"})
        box.stop_slotd()
        yield box


@pytest.fixture
async def box(made: SmallBox) -> AsyncIterator[tuple[SmallBox, PlayedBox]]:
    paths = BoxPaths(made.root)
    ensure_socket_dir(paths.run, len(paths.rpc_socket.name))
    played = PlayedBox(paths.rpc_socket)
    await played.start()
    yield made, played
    await asyncio.to_thread(made.stop_slotd)
    await played.stop()


async def start(made: SmallBox, played: PlayedBox, **environment: str) -> subprocess.Popen[bytes]:
    """The slot's daemon, linked to the played box."""
    played.arrived.clear()
    daemon = await asyncio.to_thread(made.start_slotd, **environment)
    async with asyncio.timeout(DEADLINE):
        await played.arrived.wait()
    return daemon


def push(made: SmallBox, page: str) -> str:
    """A commit of somebody else on the trunk; its hash."""
    clone = made.root.parent / "pushing"
    if not clone.exists():
        bare = made.where.box.forge / f"{REPO}.git"
        subprocess.run(["git", "clone", "-q", "-b", TRUNK, str(bare), str(clone)], check=True, capture_output=True)
    app = clone / "app.py"
    app.write_text(app.read_text() + f"\nPAGE_{page} = 1\n")
    git(clone, "commit", "-qam", f"Page {page}")
    git(clone, "push", "-q", "origin", TRUNK)
    return git(clone, "rev-parse", "HEAD")


def asked(id_: str, **more: Any) -> Build:
    fields = {"slot": "alice", "service": WEB, "repo": REPO, "branch": TRUNK, "state": "running", "restart": True}
    return Build.model_validate({"id": id_, "priority": "background", **fields, **more})


async def ran(played: PlayedBox, build: Build) -> Build:
    async with asyncio.timeout(120):
        return await played.call(build)


async def releases(made: SmallBox, commit: str) -> list[str]:
    listed = await FolderForge(made.where.box.forge).releases(REPO, limit=1000, drafts=True)
    return [release.tag for release in listed.items if release.commit == commit and not release.draft]


@pytest.mark.parametrize("step", STEPS)
async def test_a_build_whose_daemon_was_killed_is_begun_again_and_published_once(
    box: tuple[SmallBox, PlayedBox], step: str
) -> None:
    made, played = box
    commit = push(made, step.replace(".", "_"))
    daemon = await start(made, played, HERO_TEST_FAILPOINT=step)
    build = asked(f"b-{step}", publish=True)
    with pytest.raises(HeroError) as error:
        await ran(played, build)
    assert error.value.code == "unreachable"
    assert await asyncio.to_thread(daemon.wait, DEADLINE) == -signal.SIGKILL
    await start(made, played)
    ended = await ran(played, build)
    assert (ended.state, ended.commit, ended.attempt) == ("succeeded", commit, 2), ended.error
    assert ended.tag == f"{TRUNK}-{commit[:8]}"
    assert await releases(made, commit) == [ended.tag]
    assert await asyncio.to_thread(running_commit, made) == commit[:8]
    assert await ran(played, build) == ended, "asked once more, it is not built again"


def running_commit(made: SmallBox) -> str:
    made.until(lambda: made.cell(WEB)["health"] == "healthy", "a healthy hero_web")
    return str(made.ask(WEB)["commit"])


async def test_a_build_goes_on_while_the_box_is_away(box: tuple[SmallBox, PlayedBox]) -> None:
    made, played = box
    await start(made, played)
    commit = push(made, "away")
    build = asked("b-away")
    calling = asyncio.create_task(ran(played, build))
    log = made.slot.build_log / "b-away.log"
    await asyncio.to_thread(made.until, log.exists, "the build")
    await played.stop()
    with contextlib.suppress(HeroError):
        await calling
    played.arrived.clear()
    await played.start()
    async with asyncio.timeout(DEADLINE):
        await played.arrived.wait()
    ended = await ran(played, build)
    assert (ended.state, ended.commit, ended.attempt) == ("succeeded", commit, 1), ended.error


async def test_a_clean_restart_of_the_daemon_does_not_lose_a_build(box: tuple[SmallBox, PlayedBox]) -> None:
    made, played = box
    await start(made, played)
    commit = push(made, "restart")
    build = asked("b-restart", publish=True)
    calling = asyncio.create_task(ran(played, build))
    await asyncio.to_thread(made.until, (made.slot.queued_builds / "b-restart.json").exists, "the build")
    await asyncio.to_thread(made.stop_slotd)
    with contextlib.suppress(HeroError):
        await calling
    await start(made, played)
    ended = await ran(played, build)
    assert (ended.state, ended.commit) == ("succeeded", commit), ended.error
    assert await releases(made, commit) == [ended.tag]


async def test_a_rebuild_asks_the_box_for_its_turn_and_tells_every_phase(box: tuple[SmallBox, PlayedBox]) -> None:
    made, played = box
    await start(made, played)
    result = await asyncio.to_thread(made.done, "slot.rebuild", {"service": WEB})
    (params,) = played.submitted
    assert (params.build_id, params.attached, params.restart) == (result["build"], True, True)
    answer = await played.answer(result["build"])
    assert answer.state == "succeeded"
    cell = await asyncio.to_thread(made.cell, WEB)
    phases = {phase["name"]: phase["seconds"] for phase in cell["build"]["phases"]}
    assert list(phases) == ["worktree", "queue", "compile", "pack", "install", "restart"]


async def test_twenty_builds_one_after_another_leave_no_task_and_no_file(
    box: tuple[SmallBox, PlayedBox],
) -> None:
    made, played = box
    daemon = await start(made, played)
    await ran(played, asked("w-0", restart=False, priority="interactive"))
    before = descriptors(daemon.pid)
    for number in range(1, 20):
        ended = await ran(played, asked(f"w-{number}", restart=False, priority="interactive"))
        assert ended.state == "succeeded"
    deadline = time.monotonic() + DEADLINE
    while descriptors(daemon.pid) > before and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    assert descriptors(daemon.pid) <= before
    assert len(list(made.slot.queued_builds.glob("*.json"))) <= 50


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def test_a_fork_runs_a_branch_of_ones_own(box: tuple[SmallBox, PlayedBox]) -> None:
    made, played = box
    await start(made, played)
    result = await asyncio.to_thread(made.done, "slot.fork", {"service": WEB})
    assert result["branch"] == "development_alice"
    head = await FolderForge(made.where.box.forge).branch(REPO, "development_alice")
    assert (result["hash"], result["branch_made"]) == (head.commit, True)
    assert played.submitted[0].reason == "fork"
    assert played.submitted[0].publish is False
    assert await asyncio.to_thread(running_commit, made) == head.commit[:8]
    refused = await asyncio.gather(
        asyncio.to_thread(made.run, "slot.fork", {"service": WEB, "branch": TRUNK}), return_exceptions=True
    )
    assert isinstance(refused[0], HeroError)
    assert "trunk itself" in refused[0].message
