"""The box's copy of the team repo, from a real folder forge."""

from __future__ import annotations

import shutil

import pytest

from backends.box.team import Team
from tests.backends.box.conftest import TEAM_REPO, MadeBox, user_file


@pytest.fixture
async def team(box: MadeBox) -> Team:
    made = Team(box.forge, TEAM_REPO, box.paths.team)
    await made.load()
    return made


async def test_the_first_load_makes_the_checkout(team: Team) -> None:
    assert sorted(team.people) == ["alice", "mik", "thabet"]
    assert team.people["mik"].full_name == "Mik"
    assert team.trunk == "development"
    assert [entry.repo for entry in team.catalogue] == ["lhumina_code/hero_router"]
    assert team.problems == ()
    assert not await team.refresh()


async def test_a_push_is_taken_by_the_next_refresh(box: MadeBox, team: Team) -> None:
    made = box.push({"users/sara.toml": user_file("Sara"), "users/mik.toml": user_file("Mik", "enabled = false")})
    assert await team.refresh()
    assert sorted(team.people) == ["alice", "sara", "thabet"]
    assert team.commit == made


async def test_a_user_whose_file_breaks_stays_as_they_were(box: MadeBox, team: Team) -> None:
    box.push({"users/mik.toml": "schema = 1\nrole = \n"})
    assert await team.refresh()
    assert team.people["mik"].full_name == "Mik"
    assert "users/mik.toml" in team.problems[0]


async def test_logs_that_are_hidden_stay_so_when_the_file_breaks(box: MadeBox, team: Team) -> None:
    assert not team.hides_logs("mik")
    box.push({"users/mik.toml": user_file("Mik", "[peek]", 'logs = "none"')})
    await team.refresh()
    assert team.hides_logs("mik")
    box.push({"users/mik.toml": "broken"})
    await team.refresh()
    assert team.hides_logs("mik")
    fresh = Team(box.forge, TEAM_REPO, box.paths.team)
    await fresh.load()
    assert fresh.hides_logs("mik")
    assert not fresh.hides_logs("alice")


async def test_a_forge_that_is_gone_leaves_what_was_known_and_a_problem(box: MadeBox, team: Team) -> None:
    shutil.rmtree(box.paths.forge)
    assert await team.refresh()
    assert sorted(team.people) == ["alice", "mik", "thabet"]
    assert TEAM_REPO in team.problems[0]


async def test_a_damaged_checkout_is_made_anew(box: MadeBox, team: Team) -> None:
    shutil.rmtree(box.paths.team / ".git" / "objects")
    box.push({"users/sara.toml": user_file("Sara")})
    assert await team.refresh()
    assert "sara" in team.people
    assert team.problems == ()
