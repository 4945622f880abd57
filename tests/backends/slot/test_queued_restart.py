"""What a build of the queue puts in force: what is bound to it, without a needless restart, or the old runs on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backends.model.state import Build
from tests.backends.slot.origins import run
from tests.backends.slot.slots import BRANCH, DEADLINE, SERVICE, Bench, bench, manifest

pytestmark = pytest.mark.usefixtures("identity")


@pytest.fixture
async def slot() -> AsyncIterator[Bench]:
    async with bench(runs=True) as made:
        yield made


async def ran(slot: Bench, id_: str, **more: Any) -> Build:
    async with asyncio.timeout(DEADLINE):
        return await slot.slot.queued.run(slot.asked(id_, restart=True, **more))


def pid(slot: Bench) -> int | None:
    facts = slot.slot.context.board.facts(SERVICE)
    return facts.process.pid if facts and facts.process else None


async def test_what_is_bound_to_it_runs_it(slot: Bench) -> None:
    build = await ran(slot, "b1")
    assert build.state == "succeeded", build.error
    assert [phase.name for phase in build.phases] == ["worktree", "compile", "pack", "install", "restart"]
    assert await slot.slot.context.services.running(SERVICE)
    installed = slot.slot.context.installs.current(SERVICE)
    assert installed is not None
    assert (installed.version, installed.source) == (build.commit, "build")
    newer = slot.push("#!/bin/sh\nexec sleep 1001\n")
    assert (await ran(slot, "b2")).state == "succeeded"
    current = slot.slot.context.installs.current(SERVICE)
    assert current is not None
    assert current.version == newer


async def test_the_same_bytes_are_not_restarted(slot: Bench) -> None:
    await ran(slot, "b1")
    before = pid(slot)
    assert before
    assert (await ran(slot, "b2", priority="interactive")).state == "succeeded"
    assert (await ran(slot, "b3")).state == "superseded"
    assert pid(slot) == before


async def test_what_was_built_but_does_not_run_is_put_in_force(slot: Bench) -> None:
    async with asyncio.timeout(DEADLINE):
        first = await slot.slot.queued.run(slot.asked("b1"))
    assert slot.slot.context.installs.current(SERVICE) is None
    again = await ran(slot, "b2")
    assert (again.state, again.commit) == ("succeeded", first.commit)
    assert await slot.slot.context.services.running(SERVICE)


@pytest.mark.parametrize(
    "text",
    [
        manifest().replace('"build"', '"release"'),
        manifest().replace(f'"{BRANCH}"', '"other"'),
        manifest().replace('repo = "lhumina/hero_x"', 'repo = "lhumina/hero_y"'),
        "schema = 1\n",
    ],
)
async def test_what_is_bound_to_something_else_is_left_alone(slot: Bench, text: str) -> None:
    slot.slot.context.paths.manifest.write_text(text)
    slot.slot.reload()
    build = await ran(slot, "b1")
    assert build.state == "succeeded"
    assert slot.slot.context.installs.current(SERVICE) is None
    assert slot.slot.context.paths.manifest.read_text() == text


async def test_a_binding_that_is_not_enabled_is_installed_only(slot: Bench) -> None:
    slot.slot.context.paths.manifest.write_text(manifest(enabled="false"))
    slot.slot.reload()
    build = await ran(slot, "b1")
    assert build.state == "succeeded"
    assert slot.slot.context.installs.current(SERVICE) is not None
    assert not await slot.slot.context.services.running(SERVICE)


async def test_what_does_not_get_healthy_gives_way_to_what_ran_before(slot: Bench) -> None:
    first = await ran(slot, "b1")
    bad = slot.push("#!/bin/sh\nexit 3\n")
    build = await ran(slot, "b2", publish=True)
    assert build.state == "failed"
    assert "did not get healthy" in build.error
    assert "in force again" in build.error
    assert (build.commit, build.tag) == (bad, f"{BRANCH}-{bad[:8]}")
    current = slot.slot.context.installs.current(SERVICE)
    assert current is not None
    assert current.version == first.commit
    assert await slot.slot.context.services.running(SERVICE)
    assert run(slot.tree, "rev-parse", "HEAD") == bad
