"""The reconciler on a small system: it does what the repo says, once, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.model.problems import Problem
from backends.team.reading import published_commit
from tests.backends.team.systems import FILES, System, person


def kinds(system: System, user: str = "") -> list[str]:
    """What the last run did."""
    last = system.reconciler().status().last
    assert last
    return [one.kind for one in last.actions if not user or one.user == user]


def test_a_first_run_makes_everybody_and_a_second_one_plans_nothing(system: System) -> None:
    planned = [(one.user, one.kind) for one in system.plan().actions]
    run = system.apply()
    assert [(one.user, one.kind) for one in run.actions] == planned
    assert all(one.ok for one in run.actions)
    assert next(iter(run.actions)).user == "integration"
    assert run.problems == ()
    assert system.rows("passwd")["alice"][2] == str(system.first_uid + 1)
    assert system.rows("group")["hero-team"][3] == "alice,integration"
    assert (system.home("alice") / "hero/cfg/dev_manifest.toml").read_text().startswith("# What this slot runs")
    assert (system.root / "etc/tmpfiles.d/hero-slot-alice.conf").exists()
    assert published_commit(system.places.box.team) == run.commit
    again = system.apply()
    assert again.actions == ()
    assert system.plan().actions == ()


def test_a_dry_run_changes_nothing_at_all(system: System) -> None:
    before = system.snapshot()
    assert system.plan().actions
    assert {name for name in system.snapshot() if name not in before} <= {str(system.places.folder)}
    system.apply()
    system.push({"users/alice.toml": None, "users/bob.toml": person("bob")})
    before = system.snapshot()
    planned = system.plan()
    assert {one.kind for one in planned.actions} >= {"create_account", "lock_account"}
    assert planned.moved_from
    assert system.snapshot() == before


def test_what_is_wanted_stands_beside_what_there_is_and_nothing_is_changed_by_it(system: System) -> None:
    assert {one.user for one in system.diff().differences} == {"integration", "alice"}
    system.apply()
    assert system.diff().differences == ()
    system.push({"users/alice.toml": person("alice") + "[limits]\ntasks = 500\n"})
    before = system.snapshot()
    diff = system.diff()
    (alice,) = diff.differences
    assert set(alice.wanted) - set(alice.there) == {"limit: TasksMax=500"}
    assert diff.commit == system.plan().commit
    assert system.snapshot() == before


def test_an_unchanged_system_costs_no_process_for_any_user(system: System) -> None:
    system.apply()
    system.asked.clear()
    assert system.apply().actions == ()
    assert system.asked == []


def test_a_bad_file_stops_its_user_and_says_why_and_changes_nothing_else(system: System) -> None:
    system.apply()
    bad = person("alice").replace("full_name", "full_nmae")
    system.push({"users/alice.toml": bad, "users/bob.toml": person("bob")})
    run = system.apply()
    assert {one.user for one in run.actions} == {"bob"}
    assert "users/alice.toml:2:1 full_nmae: unknown key; did you mean `full_name`?" in run.problems
    assert system.home("alice").is_dir()
    assert run.problems == system.plan().problems


def test_a_repo_without_a_usable_team_file_changes_nothing_at_all(system: System) -> None:
    system.apply()
    system.push({"team.toml": "schema = 1\n", "users/alice.toml": None, "users/bob.toml": person("bob")})
    run = system.apply()
    assert run.actions == ()
    assert any(problem.startswith("team.toml") for problem in run.problems)


def test_a_link_in_the_team_repo_is_never_followed(system: System) -> None:
    system.apply()
    (system.work / "users/alice.toml").unlink()
    (system.work / "users/alice.toml").symlink_to("/etc/passwd")
    (system.work / "users/mallory.toml").symlink_to("integration.toml")
    system.push({})
    run = system.apply()
    assert run.actions == ()
    assert str(Problem("users/alice.toml", 0, 0, "", "a link", "a plain file")) in run.problems
    assert not any(one.is_symlink() for one in system.places.box.team.rglob("*"))


def test_an_account_that_root_made_is_left_alone_and_it_is_told(system: System) -> None:
    system._write(
        "passwd", {**system.rows("passwd"), "bob": ["bob", "x", "1000", "1000", "", "/home/bob", "/bin/sh"]}
    )
    system.push({"users/bob.toml": person("bob")})
    before = system.rows("passwd")["bob"]
    run = system.apply()
    assert "bob" not in {one.user for one in run.actions}
    assert any("bob" in problem and "1000" in problem for problem in run.problems)
    system.push({"users/bob.toml": None})
    assert system.apply().actions == ()
    assert system.rows("passwd")["bob"] == before


def test_a_failure_stops_its_users_other_actions_and_is_tried_again(system: System) -> None:
    system.broken = "loginctl"
    run = system.apply()
    assert [(one.user, one.ok) for one in run.actions if one.kind == "enable_linger"] == [
        ("integration", False),
        ("alice", False),
    ]
    assert any("loginctl" in problem for problem in run.problems)
    system.broken = ""
    assert [one.kind for one in system.apply().actions] == ["enable_linger", "enable_linger"]


def test_keys_follow_the_repo_and_what_the_user_does_to_them_is_put_right(system: System) -> None:
    system.apply()
    path = system.home("alice") / ".ssh/authorized_keys"
    mine = path.read_text().replace("laptop", "changed") + "ssh-rsa mine\n"
    path.write_text(mine)
    assert [one.kind for one in system.apply().actions] == ["set_keys"]
    assert "laptop" in path.read_text()
    assert "ssh-rsa mine" in path.read_text()
    path.write_text(path.read_text() + "ssh-rsa another\n")
    assert system.apply().actions == ()
    system.push({"team.toml": FILES["team.toml"] + '[authorized_keys]\nforeign_keys = "refuse"\n'})
    assert {one.kind for one in system.apply().actions} == {"set_keys"}
    assert "another" not in path.read_text()
    assert system.apply().actions == ()


def test_limits_are_written_changed_and_taken_away(system: System) -> None:
    system.push({"users/alice.toml": person("alice", '[limits]\nmemory = "8G"\ncpu = "400%"\n')})
    system.apply()
    path = system.places.limits(system.first_uid + 1)
    assert "MemoryMax=8589934592\nCPUQuota=400%\n" in path.read_text()
    assert ("systemctl", "daemon-reload") in system.asked
    system.push({"team.toml": FILES["team.toml"] + "[limits]\ntasks = 500\n", "users/alice.toml": person("alice")})
    assert [(one.user, one.kind) for one in system.apply().actions] == [
        ("integration", "set_limits"),
        ("alice", "set_limits"),
    ]
    assert "TasksMax=500" in path.read_text()
    system.push({"team.toml": FILES["team.toml"]})
    system.apply()
    assert not path.exists()


def test_somebody_who_leaves_is_archived_and_comes_back_with_all_and_the_same_uid(system: System) -> None:
    system.apply()
    home = system.home("alice")
    work = home / "work.txt"
    work.write_text("unpushed")
    (home / "link").symlink_to("/etc/passwd")
    os.mkfifo(home / "pipe")
    os.link(work, home / "again.txt")
    for one in ("work.txt", "link", "pipe"):
        os.chown(home / one, system.first_uid + 1, system.first_uid + 1, follow_symlinks=False)
    system.push({"users/alice.toml": None})
    run = system.apply()
    assert [one.kind for one in run.actions] == ["lock_account", "end_sessions", "archive_home", "remove_home"]
    assert run.problems == ()
    assert not home.exists()
    assert system.rows("shadow")["alice"][1].startswith("!")
    assert not (system.root / "slots/alice").exists()
    assert system.apply().actions == ()
    system.push({"users/alice.toml": person("alice")})
    assert all(one.ok for one in system.apply().actions)
    assert (home / "again.txt").read_text() == "unpushed"
    assert str((home / "link").readlink()) == "/etc/passwd"
    assert system.rows("passwd")["alice"][2] == str(system.first_uid + 1)
    assert not system.rows("shadow")["alice"][1].startswith("!")
    assert system.apply().actions == ()


def test_nothing_is_removed_where_the_archive_is_not_the_whole_home(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.apply()
    (system.home("alice") / "work.txt").write_text("unpushed")
    system.push({"users/alice.toml": None})
    real = System.__call__

    async def one_file_is_lost(self: System, *argv: str, **more: object) -> str:
        if argv[0] == "tar":
            argv = (*argv[:-2], "--exclude=work.txt", *argv[-2:])
        return await real(self, *argv, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(System, "__call__", one_file_is_lost)
    run = system.apply()
    assert "work.txt" in run.problems[-1]
    assert system.home("alice").is_dir()
    assert list(system.places.archives.iterdir()) == []
    monkeypatch.setattr(System, "__call__", real)
    assert [one.kind for one in system.apply().actions] == ["end_sessions", "archive_home", "remove_home"]
    assert not system.home("alice").exists()


def test_somebody_is_restored_by_hand_and_stays_until_the_repo_speaks_of_them_again(system: System) -> None:
    system.apply()
    system.push({"users/alice.toml": None})
    system.apply()
    run = asyncio.run(system.reconciler().restore("alice", "root"))
    assert run.problems == ()
    assert (system.home("alice") / "hero/cfg/dev_manifest.toml").exists()
    assert system.apply().actions == ()
    assert [one.kept for one in system.reconciler().status().users if one.user == "alice"] == [True]
    system.push({"users/alice.toml": person("alice")})
    system.apply()
    system.push({"users/alice.toml": None})
    assert "remove_home" in [one.kind for one in system.apply().actions]


@pytest.mark.parametrize(("user", "code"), [("nobody-here", "not_found"), ("integration", "nothing_to_do")])
def test_only_somebody_who_was_removed_is_restored(system: System, user: str, code: str) -> None:
    system.apply()
    with pytest.raises(HeroError) as caught:
        asyncio.run(system.reconciler().restore(user, "root"))
    assert caught.value.code == code


def test_on_a_new_machine_with_the_old_table_everybody_has_their_number(system: System) -> None:
    system.push({"users/aaron.toml": person("aaron")})
    system.apply()
    table = system.places.state.read_bytes()
    numbers = {name: system.rows("passwd")[name][2] for name in ("aaron", "alice", "integration")}
    again = System(Path(f"{system.root}-new"))
    again.root.mkdir(mode=0o755)
    try:
        again.begin(
            {**FILES, **{f"users/{one}.toml": person(one) for one in ("alice", "integration", "zoe", "aaron")}}
        )
        again.places.folder.mkdir(mode=0o700)
        again.places.state.write_bytes(table)
        stopped = again.apply()
        assert "rewritten" in stopped.stopped  # another forge's history: root looks, and says so
        head = again.reconciler().status().candidate
        asyncio.run(again.reconciler().accept(head, "root"))
        found = {name: again.rows("passwd")[name][2] for name in numbers}
        assert found == numbers
        assert int(again.rows("passwd")["zoe"][2]) not in map(int, numbers.values())
    finally:
        os.system(f"rm -rf {again.root}")


def test_the_log_has_each_action_and_the_box_is_told_when_it_is_back(system: System) -> None:
    run = system.apply()
    lines = [json.loads(line) for line in system.places.log.read_text().splitlines()]
    assert [one["kind"] for one in lines if one.get("ok")] == [one.kind for one in run.actions]
    assert lines[-1]["kind"] == "reviewed"
    assert system.places.log.stat().st_mode & 0o777 == 0o640
    assert [one.kind for one in system.reconciler().state.now.outbox] == [one.kind for one in run.actions]
    system.apply()
    assert len(system.places.log.read_text().splitlines()) == len(lines)


def test_a_damaged_state_stops_everything_and_says_what_to_do(system: System) -> None:
    system.apply()
    system.places.state.write_text('{"schema": 1, "users": {"alice": {"uid": "x"}}}')
    with pytest.raises(HeroError) as caught:
        system.reconciler()
    assert "users.alice.uid" in caught.value.message
    assert "backup" in caught.value.hint


async def test_runs_that_are_asked_for_at_once_are_one(system: System) -> None:
    reconciler = system.reconciler()
    first = asyncio.create_task(reconciler.apply())
    while not reconciler.status().running:
        await asyncio.sleep(0)
    runs = await asyncio.gather(first, *(reconciler.apply() for _ in range(20)))
    assert len({id(run) for run in runs}) == 2
    assert runs[0].actions
    assert runs[1].actions == ()
