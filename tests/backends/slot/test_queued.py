"""Builds of the box's queue: each once, over nobody's work, published if asked, and begun again after a kill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.model.state import Build
from backends.slot.board import now
from backends.slot.making import make_build
from backends.slot.operations import Progress
from backends.slot.queued import ATTEMPTS, QueuedBuilds
from backends.slot.queued_records import KEPT, QueuedRecords
from tests.backends.slot.origins import run
from tests.backends.slot.slots import BRANCH, DEADLINE, SERVICE, Bench, bench, manifest, until

pytestmark = pytest.mark.usefixtures("identity")

WAITS = "touch begun.pid; while ! test -e go.pid; do sleep 0.01; done; mkdir -p out; echo > out/hero_x"


@pytest.fixture
async def slot() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


async def ran(slot: Bench, id_: str, **more: Any) -> Build:
    async with asyncio.timeout(DEADLINE):
        return await slot.slot.queued.run(slot.asked(id_, **more))


def begun(slot: Bench, id_: str, **more: Any) -> asyncio.Task[Build]:
    return asyncio.create_task(ran(slot, id_, **more))


def logs(slot: Bench) -> list[str]:
    return sorted(path.stem for path in slot.slot.context.paths.build_log.glob("*.log"))


async def test_a_queued_build_builds_the_forges_head_and_tells_its_phases(slot: Bench) -> None:
    await ran(slot, "b1")
    head = slot.push("#!/bin/sh\necho two\n")
    build = await ran(slot, "b2", queued_at=now().isoformat())
    assert (build.state, build.commit, build.attempt, build.error) == ("succeeded", head, 1, "")
    assert [phase.name for phase in build.phases] == ["worktree", "compile", "pack"]
    assert build.finished_at is not None
    assert run(slot.tree, "rev-parse", "HEAD") == head
    (operation,) = [one for one in slot.slot.context.operations.all() if one.result.get("build") == "b2"]
    assert (operation.kind, operation.state, operation.service) == ("build", "succeeded", SERVICE)
    cell = slot.slot.context.board.cell(SERVICE)
    assert cell is not None
    assert cell.build == build
    assert slot.events("build.") == [], "the box's queue tells of it"


async def test_a_build_that_is_asked_for_again_is_joined_or_answered_from_its_record(slot: Bench) -> None:
    slot.push(command=WAITS)
    first, second = begun(slot, "b1"), begun(slot, "b1")
    await until(lambda: (slot.tree / "begun.pid").exists())
    (slot.tree / "go.pid").touch()
    assert await first == await second
    assert await ran(slot, "b1") == await first
    fresh = QueuedBuilds(slot.slot.context, lambda *_: None)
    assert await fresh.run(slot.asked("b1")) == await first, "also by the daemon's successor"
    assert logs(slot) == ["b1"]


async def test_a_build_that_was_cut_off_is_begun_again_three_times_at_most(slot: Bench) -> None:
    records = QueuedRecords(slot.slot.context.paths)
    records.keep(slot.asked("b1", attempt=1))
    slot.slot.context.paths.build_log.mkdir(parents=True)
    (slot.slot.context.paths.build_log / "b1.log").write_text("== hero_x · cut off")
    build = await ran(slot, "b1")
    assert (build.state, build.attempt) == ("succeeded", 2)
    records.keep(slot.asked("b2", attempt=ATTEMPTS))
    build = await ran(slot, "b2")
    assert build.state == "failed"
    assert f"died {ATTEMPTS} times" in build.error
    assert logs(slot) == ["b1"]


async def test_a_clean_end_of_the_daemon_gives_a_build_back(slot: Bench) -> None:
    slot.push(command="touch begun.pid; sleep 1000")
    asked = begun(slot, "b1")
    await until(lambda: (slot.tree / "begun.pid").exists())
    slot.slot.queued.closing()
    await slot.slot.context.operations.close()
    await slot.slot.queued.close()
    await asyncio.gather(asked, return_exceptions=True)
    slot.push()
    successor = QueuedBuilds(slot.slot.context, lambda *_: None)
    (slot.tree / "begun.pid").unlink()
    build = await successor.run(slot.asked("b1"))
    assert (build.state, build.attempt) == ("succeeded", 1)


async def test_a_build_waits_for_the_operation_that_has_its_service(slot: Bench) -> None:
    release = asyncio.Event()

    async def busy(_: Progress) -> dict[str, Any]:
        await release.wait()
        return {}

    operations = slot.slot.context.operations
    operations.start("switch", busy, service=SERVICE, title="switch hero_x elsewhere")
    asked = begun(slot, "b1")
    board = slot.slot.context.board
    await until(lambda: board.facts(SERVICE) and (board.facts(SERVICE).build or slot.asked("")).waits_for)  # type: ignore[union-attr]
    assert board.facts(SERVICE).build.waits_for == "switch hero_x elsewhere is running."  # type: ignore[union-attr]
    assert not logs(slot)
    release.set()
    assert (await asked).state == "succeeded"


async def test_a_build_that_waits_for_an_operation_lends_it_its_turn(slot: Bench) -> None:
    """The operation holds the service and waits for a turn; the build has the turn and waits for the service."""
    context = slot.slot.context
    ready = asyncio.Event()

    async def rebuild(progress: Progress) -> dict[str, Any]:
        await ready.wait()
        await make_build(context, context.bound(SERVICE), progress, publish=False)
        return {}

    class Deaf:
        """A box that takes a build and never gives it a turn."""

        async def call(self, method: str, params: dict[str, Any], timeout: float) -> dict[str, Any]:
            return {"build_id": params["build_id"], "state": "queued"}

        async def wait_lost(self) -> None:
            await asyncio.Event().wait()

    context.turns.use(lambda: Deaf())  # type: ignore[arg-type, return-value]
    for early in (True, False):
        ready.clear()
        operation = context.operations.start("rebuild", rebuild, service=SERVICE)
        if early:
            ready.set()
            await until(lambda op=operation: context.operations.get(op).phase == "queue")  # type: ignore[misc]
        asked = begun(slot, f"b-{early}", priority="interactive")
        if not early:
            await asyncio.sleep(0)
            ready.set()
        assert (await slot.ended(operation)).state == "succeeded"
        assert (await asked).state == "succeeded"


async def test_a_build_that_waits_or_runs_is_stopped(slot: Bench) -> None:
    slot.push(command="touch begun.pid; sleep 1000")
    running = begun(slot, "b1")
    await until(lambda: (slot.tree / "begun.pid").exists())
    waiting = begun(slot, "b2")
    await until(lambda: "b2" in slot.slot.queued._tasks)
    slot.slot.queued.stop("b2")
    assert (await waiting).state == "cancelled"
    slot.slot.queued.stop("b1")
    assert (await running).state == "cancelled"
    assert (await ran(slot, "b1")).state == "cancelled", "it is not begun again"
    with pytest.raises(HeroError, match="does not run"):
        slot.slot.queued.stop("b1")


async def test_a_person_cancels_it_as_an_operation(slot: Bench) -> None:
    slot.push(command="touch begun.pid; sleep 1000")
    asked = begun(slot, "b1")
    await until(lambda: (slot.tree / "begun.pid").exists())
    operation = slot.slot.context.operations.running_on(SERVICE)
    assert operation is not None
    slot.slot.context.operations.cancel(operation.id)
    assert (await asked).state == "cancelled"


async def test_work_in_the_worktree_stops_the_build_and_is_named(slot: Bench) -> None:
    await ran(slot, "b1")
    slot.push("#!/bin/sh\necho two\n")
    (slot.tree / "hero_x.sh").write_text("mine")
    build = await ran(slot, "b2")
    assert build.state == "failed"
    assert "alice's slot" in build.error
    assert "not committed (1 changed)" in build.error
    assert (slot.tree / "hero_x.sh").read_text() == "mine"
    run(slot.tree, "commit", "-qam", "Mine")
    build = await ran(slot, "b3")
    assert build.state == "failed"
    assert "a commit that the forge has not" in build.error


async def test_work_that_begins_during_the_build_keeps_its_result_from_being_used(slot: Bench) -> None:
    slot.push(command=WAITS)
    asked = begun(slot, "b1", publish=True)
    await until(lambda: (slot.tree / "begun.pid").exists())
    (slot.tree / "hero_x.sh").write_text("mine")
    (slot.tree / "go.pid").touch()
    build = await asked
    assert build.state == "failed"
    assert "changed while it was built" in build.error
    assert build.tag == ""
    assert (await slot.forge.releases("lhumina/hero_x")).items == ()


async def test_a_head_that_was_built_before_is_superseded(slot: Bench) -> None:
    built = await ran(slot, "b1")
    again = await ran(slot, "b2")
    assert (again.state, again.superseded_by, again.commit) == ("superseded", "b1", built.commit)
    publishing = await ran(slot, "b3", publish=True)
    assert (publishing.state, publishing.tag) == ("succeeded", f"{BRANCH}-{built.commit[:8]}")
    assert (await ran(slot, "b4", publish=True)).superseded_by == "b3"
    assert (await ran(slot, "b5", priority="interactive")).state == "succeeded", "a person asks for it"
    slot.push("#!/bin/sh\necho two\n")
    assert (await ran(slot, "b6")).state == "succeeded"


async def test_a_publishing_build_sets_the_status_of_its_commit(slot: Bench) -> None:
    build = await ran(slot, "b1", publish=True)
    await slot.slot.context.statuses.close()
    (status,) = await slot.forge.statuses("lhumina/hero_x", build.commit)
    assert (status.context, status.state) == ("hero/build", "success")
    failing = slot.push(command=r"printf '\033[31merror: no\n'; exit 3")
    assert (await ran(slot, "b2", publish=True)).state == "failed"
    await slot.slot.context.statuses.close()
    (status,) = await slot.forge.statuses("lhumina/hero_x", failing)
    assert status.state == "failure"
    assert "exit 3" in status.description
    assert len(status.description) <= 140
    unpublished = slot.push("#!/bin/sh\necho 3\n")
    await ran(slot, "b3")
    assert await slot.forge.statuses("lhumina/hero_x", unpublished) == ()


async def test_a_forge_that_takes_no_status_fails_no_build(slot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise HeroError("denied", "no scope")

    monkeypatch.setattr(slot.forge, "set_status", refuse)
    assert (await ran(slot, "b1", publish=True)).state == "succeeded"


async def test_a_build_of_another_branch_does_not_show_in_the_bindings_cell(slot: Bench) -> None:
    slot.push("#!/bin/sh\necho side\n", branch="side")
    build = await ran(slot, "b1", branch="side")
    assert build.state == "succeeded"
    cell = slot.slot.context.board.cell(SERVICE)
    assert cell is not None
    assert cell.build is None


async def test_a_build_of_a_service_that_is_not_bound_is_built_and_published(slot: Bench) -> None:
    slot.slot.context.paths.manifest.write_text("schema = 1\n")
    slot.slot.reload()
    build = await ran(slot, "b1", publish=True, restart=True)
    assert (build.state, build.tag) == ("succeeded", f"{BRANCH}-{build.commit[:8]}")


async def test_a_build_that_cannot_be_deployed_has_failed_but_is_published(slot: Bench) -> None:
    slot.slot.context.paths.manifest.write_text(manifest() + "[[bind]\n")
    build = await ran(slot, "b1", publish=True, restart=True)
    assert build.state == "failed"
    assert build.tag == f"{BRANCH}-{build.commit[:8]}"


@pytest.mark.parametrize("id_", ["../x", "", "a/b", ".x", "x" * 300])
async def test_an_id_that_is_none_is_refused(slot: Bench, id_: str) -> None:
    with pytest.raises(HeroError, match="not the id of a build"):
        await slot.slot.queued.run(slot.asked(id_))


@pytest.mark.parametrize(
    "fields", [{"repo": "../../x"}, {"branch": "-f"}, {"service": "../x"}, {"branch": "nope"}]
)
async def test_what_cannot_be_built_fails_with_a_sentence(slot: Bench, fields: dict[str, str]) -> None:
    build = await ran(slot, "b1", **fields)
    assert build.state == "failed"
    assert build.error


async def test_news_of_the_queue_shows_in_the_cell_but_not_over_what_is_newer(slot: Bench) -> None:
    board, queued = slot.slot.context.board, slot.slot.queued

    def shown() -> Build | None:
        cell = board.cell(SERVICE)
        assert cell is not None
        return cell.build

    first = slot.asked("n1", state="queued", queued_at=now().isoformat())
    queued.news(first)
    assert shown() == first
    ended = await ran(slot, "n1")
    assert shown() == ended
    queued.news(first)
    assert shown() == ended, "late news of what has ended"
    old = slot.asked("n0", state="queued", queued_at=(now() - timedelta(hours=1)).isoformat())
    queued.news(old)
    assert shown() == ended
    newer = slot.asked("n2", state="queued", queued_at=now().isoformat(), waits_for="A turn.")
    queued.news(newer)
    assert shown() == newer
    queued.news(slot.asked("n3", state="queued", branch="side", queued_at=now().isoformat()))
    queued.news(slot.asked("n3", state="queued", service="unbound", queued_at=now().isoformat()))
    assert shown() == newer


def test_only_the_newest_ends_are_remembered(slot: Bench) -> None:
    records = QueuedRecords(slot.slot.context.paths)
    records.keep(slot.asked("runs"))
    for number in range(KEPT + 5):
        when = (now() + timedelta(seconds=number)).isoformat()
        records.keep(slot.asked(f"b{number}", state="succeeded", finished_at=when))
    (slot.slot.context.paths.queued_builds / "half.json").write_text("{")
    assert records.read("b4") is None
    assert records.read("b5") is not None
    assert records.read("runs") is not None
    assert records.read("half") is None
    newest = records.newest(lambda build: True)
    assert newest is not None
    assert newest.id == f"b{KEPT + 4}"
