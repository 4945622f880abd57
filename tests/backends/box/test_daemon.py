"""The box's daemon as a process, with slots' daemons as processes, killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from backends.model.errors import HeroError
from backends.model.state import FleetSnapshot
from backends.rpc.subscription import Subscription
from tests.backends.box.conftest import (
    SECONDS,
    MadeBox,
    eventually,
    kill,
    next_event,
    online,
    subscribed,
    user_file,
)
from tests.backends.box.fake_slotd import DIES
from tests.backends.box.gitwork import new_work, push


async def test_three_slots_report_and_a_change_of_a_cell_reaches_a_listener(box: MadeBox) -> None:
    client = await box.up("alice", "mik", "thabet")
    events = await subscribed(client)
    mik = await box.slot_client("mik")
    await mik.call("test.cell", {"service": "hero_router", "health": "crashed"})
    event = await next_event(events, "service.changed", slot="mik", subject="hero_router")
    assert event.data["health"] == "crashed"
    assert event.data["from"] == "release"
    snapshot = FleetSnapshot.model_validate(await client.call("fleet.snapshot"))
    assert snapshot.seq == event.seq
    assert [slot.slot for slot in snapshot.slots] == ["alice", "mik", "thabet"]
    assert snapshot.slots[1].services[0].health == "crashed"
    assert snapshot.slots[1].full_name == "Mik"
    page = FleetSnapshot.model_validate(await client.call("fleet.snapshot", {"after": "alice", "limit": 1}))
    assert ([slot.slot for slot in page.slots], page.more, snapshot.more) == (["mik"], True, False)
    assert [entry.name for entry in snapshot.catalogue] == ["hero_router"]
    await mik.call("test.gone", {"service": "hero_router"})
    await next_event(events, "service.removed", slot="mik", subject="hero_router")


async def test_what_a_slot_binds_after_it_came_is_built_as_well(box: MadeBox) -> None:
    services = ("hero_mail", "hero_db")
    for service in services:
        bare = await box.forge.create_repository(f"lhumina_code/{service}")
        push(new_work(box.paths.root.parent / service, bare), {"README": service})
    client = await box.up("alice")
    events = await subscribed(client)
    alice = await box.slot_client("alice")
    for service in services:  # the second one after the look that the slot's coming brought about
        await alice.call("test.cell", {"service": service, "source": "build", "auto_rebuild": True})
        await next_event(events, "build.queued", slot="alice", subject=service)


async def test_a_slot_whose_daemon_died_is_shown_stale_and_as_last_known(box: MadeBox) -> None:
    box.boxd()
    slotd = box.slotd("alice")
    client = await box.client()
    await online(client, "alice")
    events = await subscribed(client)
    await (await box.slot_client("alice")).call("test.cell", {"service": "hero_router"})
    await next_event(events, "service.changed", slot="alice")
    kill(slotd)
    event = await next_event(events, "slot.offline", slot="alice")
    assert event.data["stale"] is True
    status = await client.call("peek.slot", {"user": "alice"})
    assert (status["online"], status["stale"]) == (False, True)
    assert status["services"][0]["health"] == "healthy"


async def test_a_slot_that_never_reported_is_shown_stale(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    status = await client.call("peek.slot", {"user": "thabet"})
    assert (status["online"], status["stale"], status["services"]) == (False, True, [])
    with pytest.raises(HeroError, match="thabt"):
        await client.call("peek.slot", {"user": "thabt"})


@pytest.mark.parametrize("step", ["boxd.report-taken", "boxd.report-kept"])
async def test_a_kill_between_report_and_answer_loses_and_doubles_no_event(box: MadeBox, step: str) -> None:
    box.slotd("alice")
    alice = await box.slot_client("alice")
    await alice.call("test.record", {"times": 120})
    doomed = box.boxd(failpoint=step)
    assert await asyncio.to_thread(doomed.wait, SECONDS) == -signal.SIGKILL
    box.boxd()
    client = await box.client()

    async def all_there() -> bool:
        return len((await client.call("audit.list", {"limit": 1000}))["events"]) >= 120

    await eventually(all_there)
    await alice.call("test.record", {"subject": "last"})

    async def last_there() -> bool:
        found = (await client.call("audit.list", {"limit": 1}))["events"]
        return bool(found[0]["subject"] == "last")

    await eventually(last_there)
    found = (await client.call("audit.list", {"limit": 1000}))["events"]
    assert [event["subject"] for event in reversed(found)] == [*map(str, range(120)), "last"]
    assert {event["slot"] for event in found} == {"alice"}


async def test_a_client_resumes_after_a_kill_of_the_box_and_misses_nothing(box: MadeBox) -> None:
    first = box.boxd()
    box.slotd("alice")
    client = await box.client()
    await online(client, "alice")
    seen = (await client.call("fleet.snapshot"))["seq"]
    alice = await box.slot_client("alice")
    await alice.call("test.record", {"times": 3})
    await next_event(await subscribed(client, seen), "audit.test", subject="2")
    kill(first)
    await alice.call("test.record", {"times": 2, "subject": "while away"})
    box.boxd()
    client = await box.client()
    events = await subscribed(client, seen)
    for subject in ("0", "1", "2", "while away", "while away"):
        await next_event(events, "audit.test", subject=subject)


async def test_a_number_that_was_never_given_needs_a_snapshot(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    with pytest.raises(HeroError) as caught:
        await client.call("events.subscribe", {"after": 10_000})
    assert caught.value.code == "snapshot_needed"


async def test_progress_reaches_those_who_listen_and_is_not_kept(box: MadeBox) -> None:
    client = await box.up("alice")
    events = await subscribed(client)
    await (await box.slot_client("alice")).call("test.progress", {"operation": "op1"})
    event = await next_event(events, "operation.changed", subject="op1")
    assert event.seq == 0
    assert (await client.call("peek.slot", {"user": "alice"}))["operations"][0]["id"] == "op1"


async def test_a_second_daemon_of_a_box_ends_and_says_why(box: MadeBox) -> None:
    box.boxd()
    await box.client()
    second = box.boxd()
    assert await asyncio.to_thread(second.wait, SECONDS) == 1
    assert "already" in (box.paths.log / "out").read_text()


async def test_sigterm_ends_the_daemon_and_leaves_the_slots_running(box: MadeBox) -> None:
    boxd = box.boxd(slots=True)
    client = await box.client()
    await online(client, "alice", "mik", "thabet")
    boxd.terminate()
    assert await asyncio.to_thread(boxd.wait, SECONDS) == 0
    assert not box.paths.rpc_socket.exists()
    alice = await box.slot_client("alice")
    pid = (await alice.call("rpc.ping"))["pid"]
    box.boxd(slots=True)
    client = await box.client()
    await online(client, "alice", "mik", "thabet")
    assert (await alice.call("rpc.ping"))["pid"] == pid
    kinds = [event["kind"] for event in (await client.call("audit.list"))["events"]]
    assert kinds == []


async def test_a_slots_daemon_that_is_killed_is_started_again(box: MadeBox) -> None:
    box.boxd(slots=True)
    client = await box.client()
    await online(client, "alice", "mik", "thabet")
    events = await subscribed(client)
    pid = (await (await box.slot_client("mik")).call("rpc.ping"))["pid"]
    os.kill(pid, signal.SIGKILL)
    await next_event(events, "slot.offline", slot="mik")
    await next_event(events, "slot.online", slot="mik")


async def test_down_ends_the_slots_daemons_with_their_services_and_then_the_box(box: MadeBox) -> None:
    boxd = box.boxd(slots=True)
    client = await box.client()
    await online(client, "alice", "mik", "thabet")
    pids = [(await (await box.slot_client(user)).call("rpc.ping"))["pid"] for user in ("alice", "mik", "thabet")]
    await client.call("box.down", {"services": True})
    # boxd's own threads reap its children; until then an ended one is a zombie.
    assert all(not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie" for pid in pids)
    assert (box.paths.slot("mik").var / "down-True").exists()
    assert await asyncio.to_thread(boxd.wait, SECONDS) == 0


async def test_a_slot_whose_daemons_die_before_they_end_its_services_is_told(box: MadeBox) -> None:
    box.boxd(slots=True)
    client = await box.client()
    await online(client, "alice", "mik", "thabet")
    (box.paths.slot("mik").var / DIES).touch()
    box.paths.slot("mik").supervisor.mkdir()
    (box.paths.slot("mik").supervisor / "supervisord.log").touch()
    with pytest.raises(HeroError, match=r"Not every slot was stopped: mik: .* ended 3 times") as refused:
        await client.call("box.down", {"services": True})
    assert refused.value.data["slots"] == ["mik"]
    assert (box.paths.slot("alice").var / "down-True").exists()


async def test_a_change_of_the_team_repo_is_told_and_a_bad_file_is_a_problem(box: MadeBox) -> None:
    client = await box.up("alice")
    events = await subscribed(client)
    box.push({"users/mik.toml": 'schema = 1\nfull_nam = "Mik"\n'})
    event = await next_event(events, "team.changed")
    assert any("users/mik.toml" in problem for problem in event.data["problems"])
    snapshot = await client.call("fleet.snapshot")
    assert any("full_name" in problem for problem in snapshot["problems"])
    assert [slot["slot"] for slot in snapshot["slots"]] == ["alice", "mik", "thabet"]
    alice = await box.slot_client("alice")

    async def told() -> bool:
        texts = (await alice.call("test.news"))["texts"]
        return {"team.changed", "forge.changed lhumina_code/hero_team"} <= set(texts)

    await eventually(told)


async def test_a_release_is_told_to_listeners_and_slots_and_listed(box: MadeBox) -> None:
    client = await box.up("alice")
    events = await subscribed(client)
    # A change that is answered proves that the watch is in force and the first look is done.
    box.push({"users/mik.toml": user_file("Mik Again")})
    await next_event(events, "team.changed")
    repo = "lhumina_code/hero_router"
    work = new_work(box.paths.root.parent / "router", Path(await box.forge.clone_url(repo)))
    made = push(work, {"file": "content"})
    tag = f"development-{made[:8]}"
    draft = await box.forge.create_draft(repo, tag=tag, commit=made, title="first", body="", author="mik")
    await box.forge.publish(repo, draft.id)
    event = await next_event(events, "release.published", subject=tag)
    assert event.data["services"] == ["hero_router"]
    assert event.data["release"]["commit"] == made
    listed = await client.call("release.list", {"service": "hero_router", "branch": "development"})
    assert [release["tag"] for release in listed["releases"]] == [tag]
    alice = await box.slot_client("alice")

    async def told() -> bool:
        return f"forge.changed {repo}" in (await alice.call("test.news"))["texts"]

    await eventually(told)


async def test_what_a_slot_published_is_looked_at_by_the_others_without_a_webhook(box: MadeBox) -> None:
    client = await box.up("alice", "mik")
    events = await subscribed(client)
    alice, mik = await box.slot_client("alice"), await box.slot_client("mik")
    await alice.call("test.cell", {"service": "hero_web"})
    await next_event(events, "service.changed", slot="alice")
    await alice.call("test.record", {"kind": "release.published", "subject": "hero_web"})

    async def told() -> bool:
        return "forge.changed lhumina_code/hero_web" in (await mik.call("test.news"))["texts"]

    await eventually(told)


async def test_what_a_slot_says_loses_its_control_characters(box: MadeBox) -> None:
    client = await box.up("alice")
    events = await subscribed(client)
    alice = await box.slot_client("alice")
    await alice.call("test.cell", {"service": "web", "last_log": "bad\x1b]0;title\x07 \u202eend"})
    event = await next_event(events, "service.changed", slot="alice")
    assert event.data["last_log"] == "bad \ufffdend"
    await alice.call("test.record", {"kind": "not a kind", "subject": "a\x1b[2Jb"})
    event = await next_event(events, "slot.unknown", slot="alice")
    assert event.subject == "ab"


async def test_a_report_from_a_connection_that_does_not_speak_for_the_slot_is_refused(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    with pytest.raises(HeroError) as caught:
        await client.call("slot.report", {"slot": "alice", "removed": ["web"]})
    assert caught.value.code == "conflict"
    with pytest.raises(HeroError):
        await client.call("slot.report", {"slot": "../alice", "removed": ["web"]})


async def test_a_box_whose_path_is_too_long_for_sockets_works(short_dir: Path) -> None:
    made = MadeBox(short_dir / ("long-" * 15) / "a home with späces" / "b")
    await made.make("alice")
    try:
        made.boxd(slots=True)
        client = await made.client()
        await online(client, "alice")
        assert made.paths.run.is_symlink()
        await client.call("box.down", {})
    finally:
        await made.close()


async def test_a_corrupt_log_is_moved_aside_and_reported_and_old_clients_need_a_snapshot(box: MadeBox) -> None:
    box.paths.database.parent.mkdir(parents=True)
    box.paths.database.write_bytes(b"this is no database" * 1000)
    box.boxd()
    client = await box.client()
    status = await client.call("box.status")
    assert any("corrupt" in problem for problem in status["problems"])
    with pytest.raises(HeroError) as caught:
        await client.call("events.subscribe", {"after": 5})
    assert caught.value.code == "snapshot_needed"
    seq = (await client.call("fleet.snapshot"))["seq"]
    async with Subscription(client) as events:
        await client.call("events.subscribe", {"after": seq})
        box.slotd("alice")
        await next_event(events, "slot.online", slot="alice")
