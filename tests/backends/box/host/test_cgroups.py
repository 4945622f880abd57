"""A system box's shares by cgroups: users, their units, containers and the rest, in a tree like systemd's."""

from __future__ import annotations

from pathlib import Path

from backends.box.host.cgroups import CgroupShares
from backends.box.host.shares import Known

USERS = {1001: "mik", 1002: "sara", 1003: "guest"}
KNOWN = Known(users=frozenset({"mik", "sara"}), building={"sara": "hero_db"})


def group(root: Path, path: str, seconds: float, memory: int = 1000, processes: int = 1) -> None:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cpu.stat").write_text(f"usage_usec {int(seconds * 1e6)}\nuser_usec 1\n")
    (folder / "memory.stat").write_text(f"anon {memory}\nfile 99999999\nshmem 5\n")
    (folder / "pids.current").write_text(f"{processes}\n")


def tree(root: Path, seconds: float = 1.0) -> None:
    app = "user.slice/user-{0}.slice/user@{0}.service/app.slice"
    group(root, f"{app.format(1001)}/slot-hero_db.service", seconds, 4000, 3)
    group(root, f"{app.format(1001)}/slot-a\\x40b.service", 0)
    group(root, f"{app.format(1001)}/hero_slotd.service", 0)
    group(root, f"{app.format(1001)}/hero-tmux-3.scope", seconds * 2, 7000, 2)
    group(root, f"{app.format(1001)}/stopped.service", 0, 0, 0)
    group(root, "user.slice/user-1001.slice/session-4.scope", 0)
    group(root, "user.slice/user-1001.slice/user@1001.service/init.scope", 0)
    group(root, f"{app.format(1002)}/hero_slotd.service", seconds)
    group(root, "user.slice/user-1003.slice", 0)
    group(root, "system.slice/hero_boxd.service", 0)
    group(root, f"system.slice/docker-{'ab' * 32}.scope", 0, 9000)
    group(root, "system.slice/ssh.service", 0)
    group(root, "init.scope", 0)


def read(source: CgroupShares, at: float) -> dict[tuple[str, str, str], tuple[float, int, int]]:
    shares = source.read(KNOWN, at).shares
    return {(one.slot, one.kind, one.name): (one.cpu, one.memory, one.processes) for one in shares}


def test_units_of_users_and_containers_are_told_apart(tmp_path: Path) -> None:
    tree(tmp_path)
    source = CgroupShares(tmp_path, lambda uid: USERS.get(uid, ""))
    assert source.read(KNOWN, 10.0).warming
    tree(tmp_path, 2.0)
    found = read(source, 12.0)
    assert found["mik", "service", "hero_db"] == (50.0, 4005, 3)
    assert found["mik", "service", "a@b"] == (0.0, 1005, 1)
    assert found["mik", "agent", ""] == (100.0, 7005, 2)
    assert found["mik", "daemon", "hero_slotd"][0] == 0.0
    assert found["mik", "session", ""][2] == 2
    assert found["sara", "build", "hero_db"][0] == 50.0
    assert found["", "daemon", "hero_boxd"][2] == 1
    assert found["", "container", ""][1] == 9005
    assert found["", "other", ""][2] == 3


def test_where_memory_is_not_counted_the_rest_is_told(tmp_path: Path) -> None:
    tree(tmp_path)
    for path in [*tmp_path.rglob("memory.stat"), *tmp_path.rglob("pids.current")]:
        path.unlink()
    for path in list(tmp_path.rglob("cpu.stat")):
        (path.parent / "cgroup.procs").write_text("1\n2\n")
    source = CgroupShares(tmp_path, lambda uid: USERS.get(uid, ""))
    assert read(source, 1.0)["mik", "service", "hero_db"] == (0.0, 0, 2)


def test_groups_that_vanish_or_say_nonsense_are_left_out(tmp_path: Path) -> None:
    tree(tmp_path)
    (tmp_path / "system.slice" / "ssh.service" / "cpu.stat").write_text("usage_usec many\n")
    (tmp_path / "init.scope" / "cpu.stat").unlink()
    source = CgroupShares(tmp_path, lambda uid: USERS.get(uid, ""))
    assert read(source, 1.0)["", "other", ""][2] == 1
    assert CgroupShares(tmp_path / "none").read(KNOWN, 1.0).shares == ()
