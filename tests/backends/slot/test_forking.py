"""A branch of one's own: made on the forge, built and bound here, publishing nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.model.names import BadValue
from backends.model.slot_calls import ForkParams
from backends.model.team import TeamRepo
from backends.model.team_files import UserFile
from backends.slot.forking import fork, fork_asked
from backends.slot.operations import Progress
from tests.backends.slot.origins import run
from tests.backends.slot.slots import BRANCH, REPO, SERVICE, Bench, bench

pytestmark = pytest.mark.usefixtures("identity")


@pytest.fixture
async def slot() -> AsyncIterator[Bench]:
    async with bench(runs=True) as made:
        yield made


async def forked(slot: Bench, branch: str | None = None) -> Any:
    context = slot.slot.context
    binding = fork_asked(context, ForkParams(service=SERVICE, branch=branch))

    async def work(progress: Progress) -> dict[str, Any]:
        return await fork(context, binding, progress)

    return await slot.ended(context.operations.start("fork", work, service=SERVICE))


def test_the_branch_is_named_after_the_trunk_and_the_user(slot: Bench) -> None:
    context = slot.slot.context
    assert fork_asked(context, ForkParams(service=SERVICE)).branch == "development_alice"
    user = UserFile(full_name="Alice", role="developer", branch_suffix="al")
    slot.slot.take_team(TeamRepo(users={"alice": user}))
    asked = fork_asked(context, ForkParams(service=SERVICE))
    assert (asked.branch, asked.source, asked.publish, asked.auto_rebuild) == (
        "development_al", "build", False, False,
    )  # fmt: skip
    assert fork_asked(context, ForkParams(service=SERVICE, branch="mine")).branch == "mine"


@pytest.mark.parametrize("branch", ["development", "-x", "a..b", "a\x1bb"])
def test_a_branch_that_cannot_be_is_refused_at_once(slot: Bench, branch: str) -> None:
    with pytest.raises((HeroError, BadValue)) as error:
        fork_asked(slot.slot.context, ForkParams(service=SERVICE, branch=branch))
    assert "\x1b" not in str(error.value)


async def test_a_fork_is_on_the_forge_and_built_here(slot: Bench) -> None:
    ended = await forked(slot)
    head = await slot.forge.branch(REPO, "development_alice")
    assert head.commit == run(slot.work, "rev-parse", "HEAD")
    tree = slot.slot.context.paths.worktree(SERVICE, "development_alice")
    assert ended.state == "succeeded", ended.error
    assert ended.result["worktree"] == str(tree)
    assert run(tree, "rev-parse", "--abbrev-ref", "@{upstream}") == "origin/development_alice"
    binding = slot.slot.context.binding(SERVICE)
    assert binding is not None
    assert (binding.branch, binding.source, binding.publish) == ("development_alice", "build", False)
    assert await slot.slot.context.services.running(SERVICE)
    assert (await slot.forge.releases(REPO)).items == ()


async def test_a_branch_that_is_there_is_used_as_it_is(slot: Bench) -> None:
    theirs = slot.push("#!/bin/sh\nexec sleep 1001\n", branch="development_alice")
    run(slot.work, "checkout", "-q", BRANCH)
    slot.push("#!/bin/sh\nexec sleep 1002\n")
    ended = await forked(slot)
    assert (ended.state, ended.result["branch_made"]) == ("succeeded", False)
    assert ended.result["hash"] == theirs
    assert (await slot.forge.branch(REPO, "development_alice")).commit == theirs


async def test_a_branch_that_somebody_makes_meanwhile_is_used(
    slot: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(repo: str, name: str, source: str) -> object:
        slot.push("#!/bin/sh\nexec sleep 1003\n", branch="development_alice")
        raise HeroError("conflict", "there is one")

    monkeypatch.setattr(slot.forge, "create_branch", late)
    ended = await forked(slot)
    assert (ended.state, ended.result["branch_made"]) == ("succeeded", False)


async def test_without_the_right_to_push_the_way_out_is_told(slot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def denied(*_: object) -> object:
        raise HeroError("denied", "You may only read.")

    monkeypatch.setattr(slot.forge, "create_branch", denied)
    ended = await forked(slot)
    assert ended.error.code == "denied"
    assert "You may only read." in ended.error.message
    assert "--repo" in ended.error.hint
    binding = slot.slot.context.binding(SERVICE)
    assert binding is not None
    assert binding.branch == BRANCH


async def test_a_repository_without_the_trunk_is_told(slot: Bench) -> None:
    slot.slot.context.trunk = "main"
    ended = await forked(slot)
    assert ended.error.code == "not_found"
    assert "main" in ended.error.message
