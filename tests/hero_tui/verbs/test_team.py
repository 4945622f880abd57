"""`hero_dev team` against a reconciler of canned answers, and its check of a checkout without any box."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.team_calls import TeamAction, TeamRun, TeamStatus, TeamUser
from backends.system_box import TEAM_SYNC_SOCKET
from hero_tui.verbs import team
from hero_tui.verbs.session import Session
from tests.hero_tui.render.replies import NOW
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line

COMMIT = "ab" * 20
MADE = TeamAction(kind="create_account", user="sara", sentence="make the account sara", detail={"uid": 20_003})
FILES = {
    "team.toml": 'schema = 1\nname = "L"\nbox = "box"\n[forge]\nkind = "folder"\n',
    "services.toml": "schema = 1\n",
    "manifest_templates/developer.toml": "schema = 1\n",
    "users/sara.toml": 'schema = 1\nfull_name = "Sara"\nrole = "developer"\n',
}


@pytest.fixture
def reconciler(box: Canned, monkeypatch: pytest.MonkeyPatch) -> Canned:
    """The canned box's socket as the reconciler's."""
    monkeypatch.setattr(team, "_socket", lambda _: BoxPaths(box.root).rpc_socket)
    return box


def checkout(folder: Path, **changed: str) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(changed.get(Path(name).stem, text))
    return folder


def test_a_plan_is_told_action_by_action(reconciler: Canned, hero_dev: Line) -> None:
    reconciler.answers["team.plan"] = TeamRun(commit=COMMIT, moved_from="cd" * 20, actions=(MADE,))
    told = hero_dev.says("team", "plan")
    assert told == "would follow abababab (was cdcdcdcd): 1 action\n  · make the account sara\n"
    assert hero_dev.answers("team", "plan")["actions"][0]["detail"] == {"uid": 20_003}


def test_a_plan_of_nothing_is_done_and_tells_problems(reconciler: Canned, hero_dev: Line) -> None:
    reconciler.answers["team.plan"] = TeamRun(commit=COMMIT, problems=("users/x.toml:1:1 \x1b[31mbad",))
    assert hero_dev.says("team", "plan") == "would follow abababab: nothing to do\n▲ users/x.toml:1:1 bad\n"


def test_an_action_that_failed_ends_with_1_and_is_told_once(reconciler: Canned, hero_dev: Line) -> None:
    failed = MADE.model_copy(update={"ok": False, "error": "no room"})
    problem = "sara: could not make the account sara: no room"
    done = MADE.model_copy(update={"ok": True, "user": "bob", "sentence": "make the account bob"})
    reconciler.answers["team.apply"] = TeamRun(
        commit=COMMIT, actions=(failed, done), problems=(problem,), seconds=1.5
    )
    told = hero_dev.says("team", "apply", code=1)
    assert told.splitlines() == [
        "at abababab: 2 actions, 1.5 s",
        "  ✗ make the account sara: no room",
        "  ✓ make the account bob",
    ]


def test_a_run_that_was_stopped_says_why_and_ends_with_1(reconciler: Canned, hero_dev: Line) -> None:
    why = "The history was rewritten."
    reconciler.answers["team.apply"] = TeamRun(commit=COMMIT, stopped=why, problems=(why,))
    assert hero_dev.says("team", "apply", code=1) == f"✗ nothing was applied\n▲ {why}\n"


def test_the_status_has_everybody(reconciler: Canned, hero_dev: Line) -> None:
    users = (
        TeamUser(user="alice", uid=20_001, phase="here", role="developer"),
        TeamUser(user="bob", uid=20_002, phase="archived", archive="bob-1.tar.zst"),
        TeamUser(user="carol", uid=20_003, phase="here", kept=True),
    )
    last = TeamRun(commit=COMMIT, started_at=NOW.isoformat(), problems=("Something.",))
    reconciler.answers["team.status"] = TeamStatus(
        commit=COMMIT, branch="main", repo="o/team", candidate="cd" * 20, last=last, users=users
    )
    told = hero_dev.says("team", "status")
    assert told.startswith("o/team at abababab on main\nnot in force: cdcdcdcd\n")
    assert "archived" in told
    assert "kept by hand" in told
    assert told.endswith("▲ Something.\n")
    assert hero_dev.answers("team", "status")["users"][1]["archive"] == "bob-1.tar.zst"


def test_whom_to_restore_and_what_to_accept_is_passed_on(reconciler: Canned, hero_dev: Line) -> None:
    reconciler.answers["team.restore"] = TeamRun(commit=COMMIT)
    hero_dev.says("team", "restore", "sara")
    assert reconciler.params("team.restore").user == "sara"
    reconciler.answers["team.accept"] = HeroError("denied", "mik may not accept a rewritten history.")
    assert "may not" in hero_dev.says("team", "accept", COMMIT, code=1)
    assert reconciler.params("team.accept").commit == COMMIT


@pytest.mark.parametrize("words", [["restore"], ["accept"], ["plan", "x"], ["apply", "--repo", "x"], ["aply"]])
def test_words_that_do_not_go_together_are_refused(hero_dev: Line, words: list[str]) -> None:
    hero_dev.says("team", *words, code=2)


def test_a_checkout_is_checked_without_any_box(hero_dev: Line, tmp_path: Path) -> None:
    assert (
        hero_dev.says("team", "plan", "--repo", str(checkout(tmp_path / "good"))) == "✓ nothing is wrong; 1 user\n"
    )
    bad = checkout(tmp_path / "bad", sara=FILES["users/sara.toml"].replace("role", "roel"))
    (bad / "users" / "mik.toml").symlink_to("sara.toml")
    told = hero_dev.says("team", "plan", "--repo", str(bad), code=1)
    assert "users/sara.toml:3:1 roel: unknown key; did you mean `role`?" in told
    assert "users/mik.toml: found a link" in told
    problems = hero_dev.answers("team", "plan", "--repo", str(bad), code=1)["problems"]
    assert {(one["file"], one["line"], one["column"]) for one in problems} >= {("users/sara.toml", 3, 1)}
    assert "no folder" in hero_dev.says("team", "plan", "--repo", str(tmp_path / "nowhere"), code=2)


def test_a_machine_without_a_reconciler_says_so(hero_dev: Line) -> None:
    assert "Only a system box has one" in hero_dev.says("team", "status", code=5)


def test_the_reconciler_is_this_machines_unless_a_box_is_named(box: Canned) -> None:
    assert team._socket(Session()) == TEAM_SYNC_SOCKET
    assert team._socket(Session(box=str(box.root))) == box.root / "team_sync" / "rpc.sock"
