"""The daemons of a whole box: started on demand, once; killed, stopped, restarted, with nothing lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from backends.client.blocking import call_box, connect_box
from backends.client.locate import Where
from backends.model.errors import HeroError
from tests.acceptance.small_box import SmallBox, small_box

pytestmark = pytest.mark.slow

DEEP = "/".join(["a-folder-that-makes-the-path-of-every-socket-far-too-long"] * 3) + "/ünd with späces"


@pytest.fixture(params=["box", DEEP], ids=["short", "deep"], scope="module")
def box(request: pytest.FixtureRequest) -> Iterator[SmallBox]:
    with small_box(request.param) as made:
        connect_box(made.where).close()
        made.until(lambda: online(made) == {"alice", "integration"}, "both slots")
        made.done("slot.start")
        yield made


def online(box: SmallBox) -> set[str]:
    return set(call_box(box.where, "box.status")["online"])


def processes(box: SmallBox, kind: str) -> list[psutil.Process]:
    found = []
    for one in psutil.process_iter():
        try:
            words = one.cmdline()
        except psutil.Error:
            continue
        if str(box.root) in words and any(kind in word for word in words):
            found.append(one)
    return found


def fleet_cell(box: SmallBox, service: str) -> dict[str, Any]:
    fleet = call_box(box.where, "fleet.snapshot")
    slot = next(one for one in fleet["slots"] if one["slot"] == "alice")
    return next((one for one in slot["services"] if one["service"] == service), {"health": "not told yet"})


def test_many_clients_at_once_start_one_daemon(box: SmallBox) -> None:
    for one in processes(box, "hero_tui.boxd"):
        one.kill()
        one.wait(10)
    with ThreadPoolExecutor(8) as pool:
        pids = set(pool.map(lambda _: call_box(box.where, "box.status")["pid"], range(8)))
    assert len(pids) == 1
    assert len(processes(box, "hero_tui.boxd")) == 1


def test_what_happens_while_the_box_is_away_is_in_its_log_afterwards(box: SmallBox) -> None:
    with connect_box(box.where) as client:
        seq = client.call("events.subscribe", {})["seq"]
    for one in processes(box, "hero_tui.boxd"):
        one.kill()
        one.wait(10)
    box.done("slot.restart", {"services": ["hero_db"]})
    connect_box(box.where).close()

    def audited() -> bool:
        events = call_box(box.where, "audit.list", {"slot": "alice"})["events"]
        newest = [one for one in events if one["kind"] == "audit.restart" and one["seq"] > seq]
        return len(newest) == 1 and newest[0]["data"]["outcome"] == "succeeded"

    box.until(audited, "the audit of the restart")
    with connect_box(box.where) as client:
        client.call("events.subscribe", {"after": seq})
        kinds = []
        for event in client.notifications(20):
            kinds.append(event.params["kind"])
            if kinds[-1] == "audit.restart":
                break
    assert kinds.count("audit.restart") == 1


def test_a_killed_slot_daemon_is_brought_back_and_its_services_never_stopped(box: SmallBox) -> None:
    box.until(lambda: fleet_cell(box, "hero_web")["health"] == "healthy", "a healthy service")
    pid = fleet_cell(box, "hero_web")["pid"]
    (daemon,) = [one for one in processes(box, "hero_tui.slotd") if "alice" in one.cmdline()]
    daemon.kill()
    daemon.wait(10)

    def back() -> bool:
        fresh = [one for one in processes(box, "hero_tui.slotd") if "alice" in one.cmdline()]
        return bool(fresh) and fresh[0].pid != daemon.pid and fleet_cell(box, "hero_web")["health"] == "healthy"

    box.until(back, "the slot's daemon")
    assert fleet_cell(box, "hero_web")["pid"] == pid
    box.until(lambda: online(box) == {"alice", "integration"}, "both slots")


def test_a_killed_service_is_told_and_comes_back(box: SmallBox) -> None:
    box.until(lambda: fleet_cell(box, "hero_web")["health"] == "healthy", "a healthy service")
    pid = fleet_cell(box, "hero_web")["pid"]
    with connect_box(box.where) as client:
        client.call("events.subscribe", {})
        os.kill(pid, signal.SIGKILL)
        told = []
        for event in client.notifications(20):
            data = event.params["data"]
            if event.params["kind"] == "service.changed" and data["service"] == "hero_web":
                told.append((data["health"], data["reason"]))
                if data["health"] == "healthy" and data["pid"] not in (pid, None):
                    break
    assert any(health != "healthy" and "signal 9" in reason for health, reason in told)


def test_a_peek_reads_a_teammates_slot_and_logs_and_nothing_else(box: SmallBox) -> None:
    mine = Where(box.where.box, "integration")
    status = call_box(mine, "peek.slot", {"user": "alice"})
    assert {one["service"] for one in status["services"]} == {"hero_web", "hero_db", "hero_api"}
    lines = call_box(mine, "peek.logs", {"user": "alice", "services": ["hero_web"], "lines": 5})["lines"]
    assert lines
    assert all(line["source"] == "hero_web" for line in lines)
    with pytest.raises(HeroError) as refused:
        call_box(mine, "peek.slot", {"user": "alise"})
    assert "alice" in refused.value.hint


def test_the_box_comes_down_whole_and_up_again_with_its_services(box: SmallBox) -> None:
    call_box(box.where, "box.down", {"services": True})
    box.until(lambda: not any(processes(box, kind) for kind in ("hero_tui", "supervisord")), "silence")
    assert not [one for one in psutil.process_iter() if _runs_below(one, box.root)]
    connect_box(box.where).close()
    box.until(lambda: fleet_cell(box, "hero_api")["health"] == "healthy", "the services")


def _runs_below(one: psutil.Process, root: Path) -> bool:
    try:
        return one.status() != psutil.STATUS_ZOMBIE and Path(one.cwd()).is_relative_to(root)
    except (psutil.Error, OSError):
        return False
