"""Who follows releases gets each newer one by itself: over nothing that goes on, and no bad one twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backends.model.state import Operation
from backends.slot import auto_pull
from backends.slot.operations import Progress
from backends.slot.switching import pull
from tests.backends.slot.slots import BRANCH, DEADLINE, REPO, SERVICE, Bench, bench, manifest, until

pytestmark = pytest.mark.usefixtures("identity")


@pytest.fixture
async def slot() -> AsyncIterator[Bench]:
    """A slot that runs the first release of the trunk and follows it."""
    async with bench(runs=True) as made:
        await released(made)
        bind(made)
        await ended(made, lambda progress: pull(made.slot.context, SERVICE, progress))
        made.slot._auto_pull.open()
        yield made


def bind(slot: Bench, source: str = "release", **more: str) -> None:
    """Bind the service anew; what is installed stays known."""
    path = slot.slot.context.paths.manifest
    _, _, state = path.read_text().partition("[state")
    text = manifest(**{"auto_rebuild": "true", **more}).replace('"build"', f'"{source}"')
    path.write_text(text + (f"[state{state}" if state else ""))
    slot.slot.reload()
    facts = slot.slot.context.board.facts(SERVICE)
    assert facts is not None
    assert (facts.installed is not None) == bool(state)


async def released(slot: Bench, text: str = "") -> str:
    """Push a commit and have the slot's own builder publish it; the commit."""
    commit = slot.push(text) if text else slot.push()
    async with asyncio.timeout(DEADLINE):
        build = await slot.slot.queued.run(slot.asked(f"b-{commit[:8]}", publish=True))
    assert build.state == "succeeded", build.error
    return commit


async def ended(slot: Bench, work: Any) -> Operation:
    operation: Operation = await slot.ended(slot.slot.context.operations.start("pull", work, service=SERVICE))
    return operation


def pulls(slot: Bench) -> list[Operation]:
    return [one for one in slot.slot.context.operations.all() if one.actor == auto_pull.ACTOR]


async def looked(slot: Bench) -> None:
    """The forge has told of a change, and all that follows from it is over."""
    context = slot.slot.context
    slot.slot.forge_changed(REPO)
    async with asyncio.timeout(DEADLINE):
        while True:
            await context.refresher.settled()
            running = [one for one in context.operations.all() if one.state == "running"]
            if not running:
                return
            for one in running:
                await context.operations.wait(one.id)


def runs(slot: Bench) -> str:
    current = slot.slot.context.installs.current(SERVICE)
    return current.version if current else ""


async def test_a_newer_release_is_pulled_by_itself_and_audited(slot: Bench) -> None:
    await looked(slot)
    assert pulls(slot) == []
    newer = await released(slot, "#!/bin/sh\nexec sleep 1001\n")
    await looked(slot)
    assert runs(slot) == newer
    (operation,) = pulls(slot)
    assert (operation.state, operation.kind) == ("succeeded", "pull")
    assert operation.title == f"pull {SERVICE} {BRANCH}-{newer[:8]}"
    assert await slot.slot.context.services.running(SERVICE)
    await looked(slot)
    assert len(pulls(slot)) == 1
    pending = await slot.slot.outbox.pending()
    assert [event.data["actor"] for event in pending if event.kind == "audit.pull"] == ["auto_rebuild"]


async def test_nothing_is_pulled_that_does_not_follow(slot: Bench) -> None:
    bindings: list[dict[str, str]] = [
        {"auto_rebuild": "false"},
        {"source": "build"},
        {"source": "hash", "hash": f'"{runs(slot)[:8]}"'},
    ]
    for number, binding in enumerate(bindings):
        bind(slot, **binding)
        await released(slot, f"#!/bin/sh\nexec sleep {2000 + number}\n")
        await looked(slot)
    assert pulls(slot) == []


async def test_a_release_that_does_not_get_healthy_is_tried_once(slot: Bench) -> None:
    before = runs(slot)
    await released(slot, "#!/bin/sh\nexit 3\n")
    await looked(slot)
    await looked(slot)
    (operation,) = pulls(slot)
    assert operation.state == "failed"
    assert runs(slot) == before
    assert await slot.slot.context.services.running(SERVICE)
    good = await released(slot, "#!/bin/sh\nexec sleep 1002\n")
    await looked(slot)
    assert runs(slot) == good


async def test_a_failure_of_the_forge_is_tried_again(slot: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto_pull, "RETRY_SECONDS", 0.01)
    newer = await released(slot, "#!/bin/sh\nexec sleep 1001\n")
    archives = next((slot.root / "forge" / f"{REPO}.releases").glob(f"*{newer[:8]}")) / "assets"
    archives.rename(slot.root / "away")
    (archives).mkdir()
    (archives / "SHA256SUMS").write_bytes((slot.root / "away" / "SHA256SUMS").read_bytes())
    await looked(slot)
    first = pulls(slot)[-1]
    assert first.state == "failed"
    assert first.error is not None
    (archives / "SHA256SUMS").unlink()
    archives.rmdir()
    (slot.root / "away").rename(archives)
    slot.slot._auto_pull._refused.clear()
    slot.slot._auto_pull._failed(SERVICE, first.title, "unreachable")
    await until(lambda: runs(slot) == newer)
    await looked(slot)


async def test_a_busy_service_is_pulled_when_it_is_free(slot: Bench) -> None:
    newer = await released(slot, "#!/bin/sh\nexec sleep 1001\n")
    release = asyncio.Event()

    async def busy(_: Progress) -> dict[str, Any]:
        await release.wait()
        return {}

    slot.slot.context.operations.start("start", busy, service=SERVICE)
    slot.slot.forge_changed(REPO)
    await slot.slot.context.refresher.settled()
    assert pulls(slot) == []
    release.set()
    await until(lambda: pulls(slot))
    await looked(slot)
    assert runs(slot) == newer


async def test_what_is_not_enabled_is_installed_and_what_was_stopped_stays_so(slot: Bench) -> None:
    await slot.slot.context.services.stop(SERVICE)
    newer = await released(slot, "#!/bin/sh\nexec sleep 1001\n")
    await looked(slot)
    assert runs(slot) == newer
    assert not await slot.slot.context.services.running(SERVICE)
    bind(slot, enabled="false")
    newest = await released(slot, "#!/bin/sh\nexec sleep 1002\n")
    await looked(slot)
    assert runs(slot) == newest
    assert not await slot.slot.context.services.running(SERVICE)


async def test_a_release_that_is_not_whole_is_not_pulled(slot: Bench) -> None:
    before = runs(slot)
    commit = slot.push("#!/bin/sh\nexec sleep 1001\n")
    tag = f"{BRANCH}-{commit[:8]}"
    draft = await slot.forge.create_draft(REPO, tag=tag, commit=commit, title="", body="", author="")
    await slot.forge.publish(REPO, draft.id)
    await looked(slot)
    assert (pulls(slot), runs(slot)) == ([], before)


async def test_a_slot_that_came_before_the_first_release_runs_it_once_it_is_there() -> None:
    async with bench(runs=True) as slot:
        bind(slot)
        slot.slot._auto_pull.open()
        await looked(slot)
        assert pulls(slot) == []
        commit = await released(slot)
        await looked(slot)
        assert [one.state for one in pulls(slot)] == ["succeeded"]
        facts = slot.slot.context.board.facts(SERVICE)
        assert facts
        assert facts.installed
        assert facts.installed.hash == commit
        assert await slot.slot.context.services.running(SERVICE)


async def test_what_is_bound_and_turned_off_is_not_pulled_for_the_first_time() -> None:
    async with bench(runs=True) as slot:
        bind(slot, enabled="false")
        slot.slot._auto_pull.open()
        await released(slot)
        await looked(slot)
        assert pulls(slot) == []
