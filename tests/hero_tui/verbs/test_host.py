"""`host` and `clean` against daemons of canned answers: what is told, which code, and nothing without the name."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from backends.model.containers import ContainerReport
from backends.model.host import CleanPlan, DiskReport, HostStatus
from backends.model.host_calls import OperationBegun
from backends.model.method import Empty
from backends.model.state import Operation
from tests.hero_tui.fleets import NOW
from tests.hero_tui.hosts import containers, plan, report, sample, trend, warning
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line


def status(**fields: Any) -> HostStatus:
    return HostStatus(box="demo", sample=sample(**fields), minutes=trend())


def test_the_machine_is_told_with_who_takes_what(box: Canned, hero_dev: Line) -> None:
    box.answers["host.status"] = status(warnings=(warning(),))
    told = hero_dev.says("host")
    assert "8 cores" in told
    assert "88%" in told
    assert "extents shared" in told
    assert "▲ /home is 88 % full" in told
    lines = told.splitlines()
    assert "build" in lines[-2] or any("hero_books" in line and "388.0 %" in line for line in lines)
    assert lines[-1].strip().startswith("everything else")
    assert hero_dev.answers("host")["sample"]["machine"]["cpus"] == 8


def test_what_is_bad_ends_with_1(box: Canned, hero_dev: Line) -> None:
    box.answers["host.status"] = status(warnings=(warning("bad"),))
    assert "✖ /home" in hero_dev.says("host", code=1)


def test_the_disks_are_told_of_all_slots_or_of_one(box: Canned, hero_dev: Line) -> None:
    box.answers["host.disk"] = report()
    told = hero_dev.says("host", "--disk")
    assert "target/ of hero_db development_mik (mik) grew 9.0 GB today." in told
    assert "stack mailcow: 5 of 5 running" in told
    assert "podman at /run/podman/podman.sock" in told
    of_one = hero_dev.says("host", "--disk", "alice")
    assert "hero_slides development_alice target/" in of_one
    assert "mik" not in of_one
    assert "mik" in hero_dev.says("host", "--disk", "mikk", code=2)
    assert "does not go with" in hero_dev.says("host", "mik", code=2)
    assert "does not go with" in hero_dev.says("host", "--fresh", code=2)


def test_containers_are_told_one_by_one(box: Canned, hero_dev: Line) -> None:
    box.answers["host.containers"] = containers()
    told = hero_dev.says("host", "--containers")
    assert "docker 27.1.1  4 of 7 containers run" in told
    assert "podman at /run/podman/podman.sock: The box's daemon may not use its socket" in told
    (line,) = (line for line in told.splitlines() if "mailcow-clamd-1" in line)
    assert line.split()[:4] == ["mailcow", "mailcow-clamd-1", "running", "61.5"]
    assert len(hero_dev.answers("host", "--containers")["engines"][0]["containers"]) == 7
    box.answers["host.containers"] = ContainerReport(time=NOW)
    assert "no Docker and no Podman" in hero_dev.says("host", "--containers")
    hero_dev.says("host", "--containers", "--disk", code=2)


def test_a_fresh_look_waits_until_all_is_measured(box: Canned, hero_dev: Line) -> None:
    box.answers["host.measure"] = report(measuring=("mik", "alice"))
    box.answers["host.disk"] = [report(measuring=("alice",)), report()]
    assert len(hero_dev.answers("host", "--disk", "--fresh")["slots"]) == 4
    assert box.params("host.measure").slots == ()


def test_ctrl_c_gives_a_measurement_up(box: Canned, hero_dev: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    box.answers |= {"host.measure": report(measuring=("mik",)), "host.measure_stop": Empty()}

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hero_tui.verbs.host.time", SimpleNamespace(sleep=interrupted, time=lambda: 0.0))
    assert "stopped" in hero_dev.says("host", "--disk", "--fresh", "mik", code=130)
    assert [name for name, _ in box.asked] == ["host.measure", "host.measure_stop"]


def test_what_was_never_measured_says_how(box: Canned, hero_dev: Line) -> None:
    box.answers["host.disk"] = DiskReport()
    assert "hero_dev host --disk --fresh" in hero_dev.says("host", "--disk")


def test_a_clean_is_planned_and_nothing_to_do_is_3(box: Canned, hero_dev: Line) -> None:
    box.answers["slot.clean_plan"] = plan()
    told = hero_dev.says("clean", "--plan", "--kind", "targets")
    assert "clean alice would remove 12.0 GB" in told
    assert "stays: hero_db 1f3d5b79" in told
    assert box.params("slot.clean_plan").kinds == ("targets",)
    box.answers["slot.clean_plan"] = plan(nothing=True)
    assert "Nothing can be removed." in hero_dev.says("clean", code=3)
    assert "did you mean `targets`?" in hero_dev.says("clean", "--kind", "target", code=2)


def ended(**result: Any) -> Operation:
    note = {
        "note": "12,000.0 MB are free: hero_slides target/.",
        "removed": ["x"],
        "nothing_to_do": False,
        **result,
    }
    return Operation.model_validate(
        {
            "id": "op-1",
            "kind": "clean",
            "title": "clean 1 things",
            "state": "succeeded",
            "started_at": NOW,
            "finished_at": NOW,
            "result": note,
        }
    )


def test_a_clean_wants_the_slots_name(box: Canned, hero_dev: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    made: CleanPlan = plan()
    box.answers |= {
        "slot.clean_plan": made,
        "slot.clean": OperationBegun(operation="op-1"),
        "operation.wait": ended(),
    }
    assert "--confirm alice" in hero_dev.says("clean", code=2)
    assert "not the slot's name" in hero_dev.says("clean", "--confirm", "mik", code=1)
    assert "slot.clean" not in [name for name, _ in box.asked]
    assert "12,000.0 MB are free" in hero_dev.says("clean", "--confirm", "alice")
    assert box.params("slot.clean").items == (made.items[0].id,)


@pytest.mark.parametrize(("typed", "code"), [("alice\n", 0), ("yes\n", 1), ("", 1)])
def test_at_a_terminal_the_name_is_asked_for(
    typed: str, code: int, box: Canned, hero_dev: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    box.answers |= {
        "slot.clean_plan": plan(),
        "slot.clean": OperationBegun(operation="op-1"),
        "operation.wait": ended(),
    }
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    told = hero_dev.says("clean", code=code)
    assert "Type alice to remove 12.0 GB" in told
    assert ("slot.clean" in [name for name, _ in box.asked]) == (code == 0)
