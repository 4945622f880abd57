"""An agent's folder is its own, asks nothing at a start, and takes no command of a repository along."""

from __future__ import annotations

import json
import shlex
import stat
from pathlib import Path
from typing import Any

import pytest

from backends.claude.hook import LONG
from backends.claude.seed import Planted, Seed, plant
from backends.claude.settings import HOOKS, STATUS_LINE
from backends.model.errors import HeroError


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.fixture
def seed(tmp_path: Path) -> Seed:
    for name in ("home", "work tree"):
        (tmp_path / name).mkdir()
    return Seed(
        agent="3",
        folder=tmp_path / "agents" / "3",
        worktree=tmp_path / "work tree",
        home=tmp_path / "home",
        socket=tmp_path / "rpc.sock",
        server=("hero_dev", "mcp", "--agent", "3"),
    )


def test_everything_in_it_is_its_owners_alone(seed: Seed) -> None:
    planted = plant(seed)
    found = [planted.folder, *planted.folder.rglob("*")]
    assert len(found) > 6
    assert not [path for path in found if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_the_start_asks_nothing_and_only_this_worktree_is_trusted(seed: Seed, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(seed.worktree)
    planted = plant(Seed(**{**seed.__dict__, "worktree": tmp_path / "link"}))
    state = read(planted.config / ".claude.json")
    assert state["hasCompletedOnboarding"] is True
    assert state["projects"] == {str(seed.worktree.resolve()): {"hasTrustDialogAccepted": True}}


def test_what_the_program_kept_stays_when_it_is_made_again(seed: Seed) -> None:
    planted = plant(seed)
    state = planted.config / ".claude.json"
    told = {**read(state), "numStartups": 7, "projects": {str(seed.worktree): {"lastCost": 2}, "/etc": {"x": 1}}}
    state.write_text(json.dumps(told))
    plant(seed)
    found = read(state)
    assert found["numStartups"] == 7
    assert found["projects"] == {str(seed.worktree): {"lastCost": 2, "hasTrustDialogAccepted": True}}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"projects": 5}', b'{"projects": {"x": []}}'])
def test_a_state_that_makes_no_sense_is_made_anew(seed: Seed, content: bytes) -> None:
    state = plant(seed).config / ".claude.json"
    state.write_bytes(content)
    plant(seed)
    assert read(state)["hasCompletedOnboarding"] is True


def test_the_users_own_folders_and_memory_are_there_but_no_settings(seed: Seed) -> None:
    own = seed.home / ".claude"
    for name in ("commands", "skills"):
        (own / name).mkdir(parents=True)
    (own / "CLAUDE.md").write_text("mine")
    (own / "settings.json").write_text("{}")
    config = plant(seed).config
    assert (config / "commands").resolve() == own / "commands"
    assert not (config / "agents").exists()
    assert (config / "user.md").read_text() == "mine"
    assert (config / "CLAUDE.md").read_text().startswith("@./user.md\n")
    assert not (config / "settings.json").exists()
    (own / "CLAUDE.md").unlink()
    assert "user.md" not in (plant(seed).config / "CLAUDE.md").read_text()


def test_the_repositorys_memory_is_text_and_mentions_no_file(seed: Seed) -> None:
    (seed.worktree / "CLAUDE.md").write_text("Run make.\n@/etc/passwd\n\x1b[31m")
    text = (plant(seed).config / "CLAUDE.md").read_text()
    assert "Run make.\n@ /etc/passwd" in text
    assert "\x1b" not in text


def test_a_memory_that_leads_out_of_the_worktree_is_left_out(seed: Seed, tmp_path: Path) -> None:
    (tmp_path / "private").write_text("PRIVATE")
    (seed.worktree / "CLAUDE.md").symlink_to(tmp_path / "private")
    (seed.worktree / ".claude").symlink_to(tmp_path)
    (tmp_path / "CLAUDE.md").write_text("PRIVATE")
    assert "PRIVATE" not in (plant(seed).config / "CLAUDE.md").read_text()


def test_a_memory_that_is_a_link_within_the_worktree_is_taken(seed: Seed) -> None:
    (seed.worktree / "AGENTS.md").write_text("for agents")
    (seed.worktree / "CLAUDE.md").symlink_to("AGENTS.md")
    assert "for agents" in (plant(seed).config / "CLAUDE.md").read_text()


def test_the_settings_tell_the_slot_and_refuse_other_sessions(seed: Seed) -> None:
    planted = plant(seed)
    found = read(planted.settings)
    assert found["crossSessionInbound"] == "refuse"
    assert found["disableAutoMode"] == "disable"
    assert "env" not in found
    assert set(found["permissions"]["deny"]) == {"SendMessage", "ListAgents"}
    commands = {event: one[0]["hooks"][0]["command"] for event, one in found["hooks"].items()}
    commands[STATUS_LINE] = found["statusLine"]["command"]
    assert set(commands) == {*HOOKS, STATUS_LINE}
    for event, command in commands.items():
        words = shlex.split(command)
        assert words[-4:] == [str(seed.socket), "3", str(planted.spool), event]
    assert all(HOOKS[event] > seconds for event, seconds in LONG.items())


def test_the_tools_are_shown_to_the_model_at_once(seed: Seed) -> None:
    assert read(plant(seed).servers)["mcpServers"]["hero"] == {
        "type": "stdio",
        "command": "hero_dev",
        "args": ["mcp", "--agent", "3"],
        "alwaysLoad": True,
    }
    assert read(plant(Seed(**{**seed.__dict__, "server": ()})).servers) == {"mcpServers": {}}


def test_a_link_in_the_folders_place_is_refused(seed: Seed, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    seed.folder.parent.mkdir()
    seed.folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HeroError, match="not a folder of this user"):
        plant(seed)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_link_in_a_files_place_is_replaced_and_not_followed(seed: Seed, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    Planted(seed.folder).folder.mkdir(parents=True)
    Planted(seed.folder).settings.symlink_to(precious)
    plant(seed)
    assert precious.read_text() == "precious"
