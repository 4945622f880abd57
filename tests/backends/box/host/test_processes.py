"""Whose processes are: by descent from known ones, through vanished parents, stale numbers and hostile names."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from backends.box.host.processes import Owners, Process, ProcessShares, processes
from backends.box.host.shares import Known, Root, bounded, known_of, summed
from backends.model.host import Share
from backends.model.state import Build, SlotStatus
from tests.hero_tui.fleets import NOW, cell

WEB = Root("mik", "service", "web")
SLOTD = Root("mik", "daemon", "hero_slotd")


def process(pid: int, parent: int, *, session: int = 0, ticks: int = 0) -> Process:
    return Process(pid, parent, session or pid, session or pid, started=1, ticks=ticks, memory=1000)


def owners(known: Known, *some: Process) -> dict[int, Root]:
    found = Owners({one.pid: one for one in some}, known)
    return {one.pid: found.of(one) for one in some}


def test_a_process_belongs_to_the_nearest_known_one_above_it() -> None:
    known = Known({10: SLOTD, 20: WEB})
    found = owners(
        known, process(1, 0), process(10, 1), process(15, 1), process(20, 15), process(21, 20), process(30, 1)
    )
    assert found[20] == found[21] == WEB
    assert found[10] == SLOTD
    assert found[15] == Root("mik", "daemon", "supervisord")
    assert found[30].kind == "other"


def test_what_a_slots_daemon_starts_is_a_build_while_it_has_one() -> None:
    some = (process(10, 1), process(11, 10), process(12, 11), process(20, 10))
    known = Known({10: SLOTD, 20: WEB}, building={"mik": "hero_db"})
    found = owners(known, *some)
    assert found[10] == SLOTD
    assert found[11] == found[12] == Root("mik", "build", "hero_db")
    assert found[20] == WEB
    assert owners(Known({10: SLOTD}), *some)[12] == SLOTD


def test_an_orphan_is_known_by_the_session_of_who_began_it() -> None:
    found = owners(Known({20: WEB}), process(1, 0), process(25, 1, session=20), process(26, 25, session=26))
    assert found[25] == found[26] == WEB


def test_the_session_of_a_keeper_makes_nobody_the_keepers() -> None:
    found = owners(Known({20: WEB}), process(1, 0), process(10, 1), process(20, 10), process(21, 20, session=10))
    assert found[10] == Root("mik", "daemon", "supervisord")
    assert found[21] == WEB


def test_a_ring_of_parents_ends() -> None:
    found = owners(Known({99: WEB}), process(5, 6), process(6, 5))
    assert {root.kind for root in found.values()} == {"other"}


def test_the_fleet_says_whose_processes_are() -> None:
    build = Build(id="b", service="hero_db", branch="x", state="running")
    online = SlotStatus(
        box="b",
        slot="mik",
        services=(cell("hero_db", pid=20, build=build), cell("hero_mail", pid=None)),
        seen_at=NOW,
    )
    away = SlotStatus(box="b", slot="sara", services=(cell("hero_db", pid=20),), online=False, seen_at=NOW)
    known = known_of([online, away], {"mik": 10, "sara": 0}, own=1)
    assert known.roots == {
        20: Root("mik", "service", "hero_db"),
        10: SLOTD,
        1: Root("", "daemon", "hero_boxd"),
    }
    assert known.building == {"mik": "hero_db"}


def write_process(proc: Path, pid: int, name: str, ticks: int, *, parent: int = 1) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    after = [parent, pid, pid, *["0"] * 7, ticks, 0, *["0"] * 6, 777]
    (folder / "stat").write_text(f"{pid} ({name}) S {' '.join(map(str, after))} 0 0\n")
    (folder / "statm").write_text("500 30 10 1 0 1 0\n")


def test_processor_time_is_that_of_processes_seen_twice(tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    source, known = ProcessShares(tmp_path), Known({20: WEB})
    write_process(tmp_path, 20, "web) \x1b[2J evil (", 100)
    first = source.read(known, 100.0)
    assert first.warming
    assert [one.cpu for one in first.shares] == [0.0]
    write_process(tmp_path, 20, "web", 100 + ticks)
    write_process(tmp_path, 21, "new", 50 * ticks, parent=20)
    second = source.read(known, 102.0)
    assert second.shares == (
        Share(
            slot="mik", kind="service", name="web", cpu=50.0, memory=40 * os.sysconf("SC_PAGE_SIZE"), processes=2
        ),
    )


def test_a_clock_that_stands_or_a_long_pause_gives_no_figures(tmp_path: Path) -> None:
    source = ProcessShares(tmp_path)
    write_process(tmp_path, 20, "web", 0)
    source.read(Known(), 100.0)
    write_process(tmp_path, 20, "web", 500)
    assert source.read(Known(), 100.0).warming
    assert source.read(Known(), 2000.0).warming


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    write_process(tmp_path, 20, "web", 0)
    (tmp_path / "21").mkdir()
    (tmp_path / "22").mkdir()
    (tmp_path / "22" / "stat").write_text("22 (cut of")
    (tmp_path / "22" / "statm").write_text("")
    (tmp_path / "self").symlink_to("20")
    assert [one.pid for one in processes(tmp_path)] == [20]
    assert list(processes(tmp_path / "none")) == []


def test_a_real_child_that_works_is_its_parents() -> None:
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        source, known = ProcessShares(), Known({os.getpid(): WEB})
        source.read(known, time.monotonic())
        deadline = time.monotonic() + 30
        while True:
            read = source.read(known, time.monotonic())
            mine = [one for one in read.shares if one.slot == "mik"]
            if mine and mine[0].cpu > 0:
                break
            assert time.monotonic() < deadline
        assert mine[0].processes >= 2
        assert mine[0].memory > 1_000_000
    finally:
        child.kill()
        child.wait()


def test_very_many_shares_become_one_for_each_slot() -> None:
    some = [Share(slot=f"s{n % 3}", kind="service", name=str(n), memory=n, processes=1) for n in range(100)]
    few = bounded(some, most=10)
    assert len(few) == 13
    assert sum(one.processes for one in few) == 100
    assert sum(one.memory for one in few) == sum(range(100))


def test_names_are_harmless_and_shares_ordered_by_what_they_take() -> None:
    told = summed([(Root("mik", "service", "a\x1b[2J"), 1.0, 5, 1), (WEB, 9.0, 5, 1), (WEB, 1.0, 5, 2)])
    assert [(one.name, one.cpu, one.processes) for one in told] == [("web", 10.0, 3), ("a", 1.0, 1)]
