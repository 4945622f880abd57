"""The Host screen: its views, what is fresh and what is not, measuring, and no clean without a typed name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from backends.model.containers import ContainerReport, EngineContainers
from backends.model.errors import HeroError
from backends.model.host import DiskReport, HostSample, HostStatus, Share
from backends.model.method import Empty
from backends.model.state import Event, OperationState
from screens.widgets.confirm import Confirm
from screens.widgets.container_model import ContainerRow, EngineRow
from screens.widgets.host_meters import HostMeters
from screens.widgets.linelist import LineList
from tests.hero_tui.fleets import NOW, Cockpit, operation
from tests.hero_tui.hosts import (
    FakeHost,
    container,
    containers,
    disk,
    looked,
    machine,
    on_host,
    plan,
    report,
    sample,
    warning,
)

Patch = pytest.MonkeyPatch


def names(cockpit: Cockpit) -> list[str]:
    rows = cockpit.app.screen.query_one(LineList).rows
    return [f"{row.slot} {row.kind}".strip() for row in rows]


async def test_each_slot_is_summed_up_with_its_parts_below_and_the_rest_last(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        listed = names(cockpit)
        assert listed[:3] == ["mik", "mik build", "mik service"]
        assert listed[-1] == "everything else"
        assert "388.1 %" in cockpit.text or "388.0 %" in cockpit.text
        await cockpit.press(pilot, "z")
        assert names(cockpit) == ["mik", "alice", "thabet", "integration", "the box", "everything else"]
        await cockpit.press(pilot, "O", "O")
        assert names(cockpit)[:2] == ["alice", "integration"]


async def test_the_views_follow_each_other_and_the_filters_narrow_them(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        await cockpit.press(pilot, "v")
        assert "hero_db development_mik target/" in cockpit.text
        await cockpit.press(pilot, "exclamation_mark")
        assert len(cockpit.app.screen.query_one(LineList).rows) == 4
        await cockpit.press(pilot, "full_stop")
        assert [row.part.name for row in cockpit.app.screen.query_one(LineList).rows] == [
            "hero_slides development_alice target/"
        ]
        await cockpit.press(pilot, "escape", "escape", "slash", *"hero_db", "enter")
        assert all("hero_db" in row.part.name for row in cockpit.app.screen.query_one(LineList).rows)
        await cockpit.press(pilot, "escape", "v")
        await cockpit.until(pilot, lambda: "mailcow-dovecot-1" in cockpit.text)
        assert "may not use its socket" in cockpit.text
        await cockpit.press(pilot, "v")
        assert "who takes what" in cockpit.text


async def test_nobody_looks_at_the_machine_from_another_screen(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, source):
        await cockpit.press(pilot, "question_mark")
        assert source.following == 1
        await cockpit.press(pilot, "escape", "enter")
        await cockpit.until(pilot, lambda: source.following == 0)
        assert cockpit.screen_name == "SlotScreen"
        await cockpit.press(pilot, "escape")
        await cockpit.until(pilot, lambda: source.following == 1)


async def test_what_is_old_says_so_and_is_taken_up_again(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, source):
        source.tell(lost="The box's daemon closed the connection.")
        await looked(cockpit, pilot, source)
        cockpit.now += timedelta(seconds=12)
        cockpit.app._tick()
        await cockpit.settle(pilot)
        assert "12s old, reconnecting" in cockpit.text
        assert "388" in cockpit.text
        source.tell()
        await looked(cockpit, pilot, source)
        assert "reconnecting" not in cockpit.text


async def test_before_the_first_look_it_says_what_it_waits_for(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch, told=False) as (cockpit, pilot, source):
        assert "Asking the box" in cockpit.text
        source.tell(lost="The box's daemon is of an older version.")
        await looked(cockpit, pilot, source)
        assert "older version" in cockpit.text
        assert "Trying again" in cockpit.text


async def test_what_was_never_measured_says_which_key_does_it(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch, disks=DiskReport()) as (cockpit, pilot, _):
        await cockpit.press(pilot, "v")
        assert "m measures all slots" in cockpit.text
        cockpit.line.answers["host.containers"] = ContainerReport(time=NOW)
        await cockpit.press(pilot, "v")
        await cockpit.until(pilot, lambda: "no Docker and no Podman" in cockpit.text)


async def test_a_box_that_cannot_tell_of_its_disks_is_an_error_in_place(monkeypatch: Patch) -> None:
    refused = HeroError("failed", "The disk is on fire.", hint="Leave the building.")
    async with on_host(monkeypatch, disks=refused) as (cockpit, pilot, _):
        await cockpit.press(pilot, "v")
        assert "The disk is on fire. Leave the building." in cockpit.text
        cockpit.line.answers["host.disk"] = report()
        await cockpit.press(pilot, "ctrl+r")
        await cockpit.until(pilot, lambda: "hero_db" in cockpit.text)


async def test_a_switch_that_means_nothing_in_a_view_leaves_all_of_it(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        everything = len(cockpit.app.screen.query_one(LineList).rows)
        await cockpit.press(pilot, "v", "exclamation_mark", "v", "v")
        assert "who takes what" in cockpit.text
        assert len(cockpit.app.screen.query_one(LineList).rows) == everything


async def test_measuring_is_begun_told_and_given_up(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        running = report(measuring=("mik", "thabet"))
        cockpit.line.answers |= {"host.measure": running, "host.disk": running, "host.measure_stop": Empty()}
        await cockpit.press(pilot, "m")
        await cockpit.until(pilot, lambda: "measuring mik and 1 more" in cockpit.text)
        cockpit.line.answers["host.disk"] = report()
        await cockpit.press(pilot, "m")
        await cockpit.until(pilot, lambda: "measured 8m ago" in cockpit.text)
        assert len(cockpit.line.called("host.measure")) == len(cockpit.line.called("host.measure_stop")) == 1


async def test_news_of_a_measurement_are_asked_for(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch, disks=DiskReport()) as (cockpit, pilot, _):
        cockpit.line.answers["host.disk"] = report()
        cockpit.tell(Event(seq=0, time=NOW, box="demo", slot="mik", kind="host.disk", subject="mik"))
        await cockpit.press(pilot, "v")
        await cockpit.until(pilot, lambda: "hero_db development_mik" in cockpit.text)


async def test_a_clean_shows_its_plan_and_wants_the_slots_name(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        cockpit.line.answers["slot.clean_plan"] = plan()
        ended: OperationState = "succeeded"
        cockpit.line.answers["operation.wait"] = operation("op-1", kind="clean", state=ended, service="")
        await cockpit.press(pilot, "D")
        await cockpit.until(pilot, lambda: isinstance(cockpit.app.screen, Confirm))
        assert "Remove 12.0 GB of alice's slot?" in cockpit.text
        assert "hero_slides development_alice target/" in cockpit.text
        await cockpit.press(pilot, *"alic", "enter")
        assert isinstance(cockpit.app.screen, Confirm)
        assert cockpit.line.called("slot.clean") == []
        await cockpit.press(pilot, "e", "enter")
        await cockpit.until(pilot, lambda: bool(cockpit.line.called("slot.clean")))
        assert cockpit.line.called("slot.clean") == [
            {"items": ["targets/hero_slides/development_alice/target"], "confirm": "alice"}
        ]


async def test_where_nothing_can_go_the_reason_is_told(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        cockpit.line.answers["slot.clean_plan"] = plan(nothing=True)
        await cockpit.press(pilot, "D")
        await cockpit.until(pilot, lambda: bool(cockpit.app._notifications))
        assert "it is what runs" in next(iter(cockpit.app._notifications)).message
        assert cockpit.screen_name == "HostScreen"


@pytest.mark.parametrize("options", [{"read_only": True}, {"user": ""}])
async def test_who_may_change_nothing_is_not_offered_a_clean(monkeypatch: Patch, options: dict[str, Any]) -> None:
    async with on_host(monkeypatch, **options) as (cockpit, pilot, _):
        await cockpit.press(pilot, "D")
        assert cockpit.line.called("slot.clean_plan") == []
        assert "D clean" not in cockpit.text


async def test_warnings_stand_over_the_list_and_on_every_screen(monkeypatch: Patch) -> None:
    status = HostStatus(box="demo", sample=sample(shares=(), warnings=(warning(),)))
    async with on_host(monkeypatch, told=False) as (cockpit, pilot, source):
        cockpit.line.answers["host.status"] = status
        cockpit.line.on_state("reconnecting", "gone")
        cockpit.line.on_state("online", "")
        await cockpit.until(pilot, lambda: "disk /home 88 %" in cockpit.text)
        source.tell(sample(warnings=(warning(), warning("bad", subject="memory", sentence="No memory."))))
        await looked(cockpit, pilot, source)
        assert "No memory.  (and 1 more)" in cockpit.text
        await cockpit.press(pilot, "1")
        assert "disk /home 88 %" in cockpit.text
        over = warning("ok").model_dump(mode="json")
        cockpit.tell(
            Event(seq=99, time=NOW, box="demo", slot="", kind="host.warning", subject="disk /home", data=over)
        )
        await cockpit.settle(pilot)
        assert "disk /home" not in cockpit.text


async def test_a_warning_that_is_none_changes_nothing(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        lie = {"subject": "\x1b[2J", "level": "terrible"}
        cockpit.tell(Event(seq=99, time=NOW, box="demo", slot="", kind="host.warning", subject="x", data=lie))
        await cockpit.settle(pilot)
        assert "terrible" not in cockpit.text


async def test_hostile_names_reach_no_terminal(monkeypatch: Patch) -> None:
    evil = Share(slot="e\x1b[2Jvil", kind="service", name="\u202erm -rf\x07", memory=5, processes=1)
    looks = sample(shares=(evil,), machine=machine(disks=(disk("/\x1b]0;x\x07mnt\u200b"),)))
    async with on_host(monkeypatch, told=False) as (cockpit, pilot, source):
        source.tell(looks, minutes=())
        await looked(cockpit, pilot, source)
        assert not set(cockpit.text) & set("\x1b\x07\u202e\u200b")


async def test_a_copy_offers_the_path_and_the_verb(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        await cockpit.press(pilot, "v", "O", "O", "g", "c")
        assert "hero_dev clean --kind targets --slot mik" in cockpit.text


def named(cockpit: Cockpit) -> list[str]:
    """What the containers' view lists, engines' own lines left out."""
    rows = cockpit.app.screen.query_one(LineList).rows
    return [
        row.container.name if isinstance(row, ContainerRow) else row.name
        for row in rows
        if not isinstance(row, EngineRow)
    ]


async def in_containers(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    await cockpit.press(pilot, "v", "v")
    await cockpit.until(pilot, lambda: bool(cockpit.line.called("host.containers")))
    await cockpit.settle(pilot)


async def test_containers_are_listed_under_their_stacks_and_sorted_and_folded(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        await in_containers(cockpit, pilot)
        assert "containers · by name" in cockpit.text
        assert "4 of 7 run" in cockpit.text
        assert named(cockpit)[:3] == ["mailcow", "mailcow-clamd-1", "mailcow-dovecot-1"]
        assert named(cockpit)[-2:] == ["", "registry"]
        await cockpit.press(pilot, "O")
        assert named(cockpit)[1:3] == ["mailcow-clamd-1", "mailcow-rspamd-1"]
        await cockpit.press(pilot, "O", "O", "O")
        assert named(cockpit)[:2] == ["mailcow", "mailcow-watchdog-1"]
        await cockpit.press(pilot, "z")
        assert named(cockpit) == ["mailcow", "old-wiki", ""]


async def test_containers_are_found_by_image_port_and_state_by_letters_and_by_what_they_are_not(
    monkeypatch: Patch,
) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        await in_containers(cockpit, pilot)
        for typed, found in (
            ("postgres", ["old-wiki-db-1"]),
            ("993", ["mailcow-dovecot-1"]),
            ("restarting", ["mailcow-watchdog-1"]),
            ("-f mcwdog", ["mailcow-watchdog-1"]),
            ("!mailcow old-wiki", ["", "registry"]),
        ):
            await cockpit.press(pilot, "slash", *typed, "enter")
            assert named(cockpit) == found
            await cockpit.press(pilot, "escape")


async def test_a_container_in_full_says_what_it_takes_and_can_be_copied(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        await in_containers(cockpit, pilot)
        await cockpit.press(pilot, "G", "k")
        assert "5000→5000/tcp" in cockpit.text
        assert "33.0 MB memory" in cockpit.text
        assert "of 512 MB memory at most" in cockpit.text
        await cockpit.press(pilot, "c")
        assert "registry:2" in cockpit.text


async def test_containers_are_asked_for_while_they_are_looked_at_and_not_else(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        for _ in range(12):
            cockpit.app._tick()
        await cockpit.settle(pilot)
        assert cockpit.line.called("host.containers") == []
        await in_containers(cockpit, pilot)
        before = len(cockpit.line.called("host.containers"))
        cockpit.line.answers["host.containers"] = asyncio.get_running_loop().create_future()
        for _ in range(20):
            cockpit.app._tick()
        await cockpit.settle(pilot)
        assert len(cockpit.line.called("host.containers")) == before + 1


async def test_a_box_that_does_not_know_containers_still_tells_its_stacks(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        cockpit.line.answers["host.containers"] = HeroError("usage", "There is no method called host.containers.")
        await in_containers(cockpit, pilot)
        await cockpit.until(pilot, lambda: "not up to date: There is no method" in cockpit.text)
        assert "stack mailcow" in cockpit.text
        cockpit.line.answers["host.containers"] = containers()
        await cockpit.press(pilot, "ctrl+r")
        await cockpit.until(pilot, lambda: "mailcow-dovecot-1" in cockpit.text)


async def test_hostile_containers_are_only_names(monkeypatch: Patch) -> None:
    evil = container(
        "x\x1b[2J\u202ey", image="a\x9bb", status="\x07", stack="s\u200b", ports="\x1b]0;z\x07", state="dead"
    )
    engine = EngineContainers(name="docker", socket="/run/\x1b[Hdocker.sock", containers=(evil,), more=3)
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        cockpit.line.answers["host.containers"] = ContainerReport(time=NOW, engines=(engine,))
        await in_containers(cockpit, pilot)
        for _ in range(2):
            assert not set(cockpit.text) & set("\x1b\x07\u202e\u200b\x9b")
            await cockpit.press(pilot, "j")


async def test_five_hundred_containers_are_one_list(monkeypatch: Patch) -> None:
    many = tuple(container(f"load-{number}", id=f"{number:012x}", stack="load") for number in range(500))
    engine = EngineContainers(name="docker", socket="/run/docker.sock", containers=many)
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        cockpit.line.answers["host.containers"] = ContainerReport(time=NOW, engines=(engine,))
        await in_containers(cockpit, pilot)
        await cockpit.press(pilot, "G")
        assert len(named(cockpit)) == 501
        assert "500 of 500 run" in cockpit.text


async def test_only_lines_that_differ_are_painted(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, source):
        meters = cockpit.app.screen.query_one(HostMeters)
        before = meters.lines
        busier = sample(machine=machine(cpu=99.0, disks=machine().disks[:1]))
        source.tell(busier)
        await looked(cockpit, pilot, source)
        assert meters.lines == before - 1
        assert "99%" in cockpit.text


def test_rows_keep_their_order_while_figures_tremble() -> None:
    from screens.widgets.host_model import use_rows

    def rows(extra: int) -> list[str]:
        some = [
            Share(slot="a", kind="service", name="x", memory=101_000_000 + extra, processes=1),
            Share(slot="a", kind="service", name="y", memory=102_000_000, processes=1),
        ]
        look: HostSample = replace_shares(some)
        return [row.name for row in use_rows(look, "memory", folded=False)]

    assert rows(0) == rows(2_000_000) == ["", "x", "y"]


def replace_shares(some: list[Share]) -> HostSample:
    return sample(shares=tuple(some))


async def test_the_screen_comes_back_as_it_was_left(monkeypatch: Patch) -> None:
    async with on_host(monkeypatch) as (cockpit, pilot, source):
        await cockpit.press(pilot, "v", "O", "7", "left_square_bracket")
        await cockpit.until(pilot, lambda: source.following == 1)
        await cockpit.settle(pilot)
        assert "what takes the room · by growth" in cockpit.text


def test_a_fake_source_is_what_the_screen_expects() -> None:
    from screens.host_view import HostSource, HostView

    source: HostSource = FakeHost()
    assert source is not None
    assert replace(HostView(), problem="x").problem == "x"
