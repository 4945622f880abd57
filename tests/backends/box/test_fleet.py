"""The fleet: which report changes what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backends.box.fleet import Fleet, Person
from backends.model.agents import Agent
from backends.model.box_calls import ReportParams
from backends.model.state import Event, Operation, ServiceStatus, SlotStatus
from tests.backends.box.events import NOON

LATER = NOON + timedelta(minutes=1)
PEOPLE = {"alice": Person("Alice", "developer"), "mik": Person("Mik", "lead")}


def cell(service: str = "web", **more: Any) -> ServiceStatus:
    return ServiceStatus.model_validate(
        {"service": service, "repo": "o/web", "branch": "development", "from": "release", **more}
    )


def whole(*cells: ServiceStatus, slot: str = "alice", **more: Any) -> ReportParams:
    status = SlotStatus(box="?", slot="?", services=cells, seen_at=NOON, **more)
    return ReportParams(slot=slot, status=status)


def kinds(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.subject) for event in events]


def fleet_of(*reports: ReportParams) -> Fleet:
    fleet = Fleet("dev")
    fleet.expect(PEOPLE, NOON)
    for report in reports:
        fleet.apply(report, NOON)
    return fleet


def test_a_first_report_brings_the_slot_online_with_its_cells() -> None:
    fleet = fleet_of()
    changes = fleet.apply(whole(cell("db"), cell("web")), NOON)
    assert kinds(changes.kept) == [("slot.online", ""), ("service.changed", "db"), ("service.changed", "web")]
    assert changes.kept[0].data["full_name"] == "Alice"
    assert "services" not in changes.kept[0].data


def test_a_report_that_says_the_same_again_changes_nothing() -> None:
    fleet = fleet_of(whole(cell()))
    assert fleet.apply(whole(cell()), LATER).kept == []
    assert fleet.apply(ReportParams(slot="alice", cells=(cell(),)), LATER).kept == []
    status = fleet.slot("alice")
    assert status is not None
    assert status.seen_at == LATER


def test_only_the_cell_that_changed_is_told() -> None:
    fleet = fleet_of(whole(cell("db"), cell("web")))
    changes = fleet.apply(ReportParams(slot="alice", cells=(cell("db"), cell("web", health="crashed"))), LATER)
    assert kinds(changes.kept) == [("service.changed", "web")]
    assert ServiceStatus.model_validate(changes.kept[0].data).health == "crashed"


def test_a_daemon_that_hangs_is_a_problem_of_its_slot_until_it_tells_again() -> None:
    fleet = fleet_of(whole(cell()))
    (event,) = fleet.disconnected("alice", LATER, "It hangs.")
    assert event.data["problems"] == ["It hangs."]
    status = fleet.slot("alice")
    assert status is not None
    assert (status.stale, status.problems) == (True, ("It hangs.",))
    fleet.apply(whole(cell()), LATER)
    status = fleet.slot("alice")
    assert status is not None
    assert (status.stale, status.problems) == (False, ())


def test_what_a_whole_report_does_not_name_is_gone() -> None:
    fleet = fleet_of(whole(cell("db"), cell("web")))
    assert kinds(fleet.apply(whole(cell("web")), LATER).kept) == [("service.removed", "db")]
    changes = fleet.apply(ReportParams(slot="alice", removed=("web", "never")), LATER)
    assert kinds(changes.kept) == [("service.removed", "web")]


def test_a_lost_daemon_leaves_the_slot_stale_and_as_last_known() -> None:
    fleet = fleet_of(whole(cell(health="healthy")))
    assert kinds(fleet.disconnected("alice", LATER)) == [("slot.offline", "")]
    assert fleet.disconnected("alice", LATER) == []
    status = fleet.slot("alice")
    assert status is not None
    assert (status.online, status.stale, status.services[0].health) == (False, True, "healthy")
    assert fleet.online() == ()


def test_a_slot_cannot_say_that_it_is_another_one_or_somebody_else() -> None:
    fleet = fleet_of(whole(full_name="The Boss", role="admin", stale=True))
    status = fleet.slot("alice")
    assert status is not None
    assert (status.box, status.slot, status.full_name, status.role) == ("dev", "alice", "Alice", "developer")
    assert not status.stale


def test_running_operations_are_progress_and_ended_ones_are_told_once_and_dropped() -> None:
    fleet = fleet_of(whole())
    running = Operation(id="1", kind="switch", started_at=NOON)
    ended = running.model_copy(update={"state": "succeeded"})
    changes = fleet.apply(ReportParams(slot="alice", operations=(running,)), NOON)
    assert (changes.kept, kinds(changes.progress)) == ([], [("operation.changed", "1")])
    assert operations_of(fleet) == ["1"]
    assert kinds(fleet.apply(ReportParams(slot="alice", operations=(ended,)), NOON).progress) == [
        ("operation.changed", "1")
    ]
    assert operations_of(fleet) == []


def test_a_person_who_left_the_team_stays_while_their_daemon_runs() -> None:
    fleet = fleet_of(whole(slot="mik"))
    assert kinds(fleet.expect({"alice": PEOPLE["alice"]}, LATER)) == []
    assert kinds(fleet.disconnected("mik", LATER)) == [("slot.removed", "")]
    assert fleet.names() == ("alice",)
    assert [event.slot for event in fleet.expect({}, LATER)] == ["alice"]


def test_the_fleet_is_complete_once_every_slot_has_told_of_itself() -> None:
    fleet = fleet_of(whole(cell(sha256="a" * 64)))
    assert not fleet.complete(["alice", "mik"])
    fleet.apply(whole(slot="mik"), NOON)
    assert fleet.complete(["alice", "mik"])


def test_what_is_installed_is_what_runs_and_what_slots_keep_beside_it() -> None:
    report = whole(cell(sha256="a" * 64))
    assert report.status is not None
    kept = report.status.model_copy(update={"archives": ("b" * 64,)})
    fleet = fleet_of(report.model_copy(update={"status": kept}))
    assert fleet.installed() == {"a" * 64, "b" * 64}


def operations_of(fleet: Fleet) -> list[str]:
    status = fleet.slot("alice")
    return [operation.id for operation in status.operations] if status else []


def agent(id: str = "1", **more: Any) -> Agent:
    fields = {"id": id, "slot": "somebody-else", "session": "s", "since": NOON, "started_at": NOON, **more}
    return Agent.model_validate(fields)


def test_an_agent_is_told_whenever_it_changed_and_is_its_slots_own() -> None:
    fleet = fleet_of(whole(agents=(agent(),)))
    same = ReportParams(slot="alice", agents=(agent(),))
    assert fleet.apply(same, LATER).kept == []
    changes = fleet.apply(ReportParams(slot="alice", agents=(agent(state="working"), agent("2"))), LATER)
    assert kinds(changes.kept) == [("agent.changed", "1"), ("agent.changed", "2")]
    assert Agent.model_validate(changes.kept[0].data).name == "alice/1"
    status = fleet.slot("alice")
    assert status is not None
    assert [one.says for one in status.agents] == ["working", "starting"]


def test_an_agent_that_a_whole_report_does_not_name_is_gone() -> None:
    fleet = fleet_of(whole(agents=(agent(), agent("2"))))
    changes = fleet.apply(whole(agents=(agent("2"),)), LATER)
    assert kinds(changes.kept) == [("agent.removed", "1")]
    assert "agents" not in fleet_of().apply(whole(agents=(agent(),)), NOON).kept[0].data
