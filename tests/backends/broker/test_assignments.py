"""Who may use which key, by the team repo as it is at this moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.broker.assignments import Assignments
from tests.backends.broker.made_broker import ONE, TEAM, TWO, user_file


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "users").mkdir()
    (tmp_path / "team.toml").write_text(TEAM)
    return tmp_path


def test_a_change_of_the_file_counts_at_once(checkout: Path) -> None:
    assignments, path = Assignments(checkout), checkout / "users" / "sara.toml"
    assert assignments.of("sara").why_not == "sara is not on the team: users/sara.toml is not there."
    path.write_text(user_file(ONE, TWO))
    assert assignments.of("sara").names == (ONE, TWO)
    path.write_text(user_file(TWO))
    assert assignments.of("sara").names == (TWO,)
    path.write_text(user_file(TWO, assigned=False))
    assert "No org key is assigned" in assignments.of("sara").why_not
    path.write_text(user_file(TWO, enabled=False))
    assert "is disabled" in assignments.of("sara").why_not
    path.unlink()
    assert not assignments.of("sara").names


def test_a_checkout_that_is_replaced_whole_counts_at_once(checkout: Path) -> None:
    assignments = Assignments(checkout / "now")
    for names in ((ONE,), (TWO,)):
        fresh = checkout / "fresh"
        (fresh / "users").mkdir(parents=True)
        (fresh / "users" / "sara.toml").write_text(user_file(*names))
        if (checkout / "now").exists():
            (checkout / "now").rename(checkout / "old")
        fresh.rename(checkout / "now")
        assert assignments.of("sara").names == names


def test_a_file_that_breaks_leaves_in_force_what_it_said(checkout: Path) -> None:
    assignments, path = Assignments(checkout), checkout / "users" / "sara.toml"
    path.write_text(user_file(ONE))
    assert assignments.of("sara").names == (ONE,)
    path.write_text("schema = ")
    assert assignments.of("sara").names == (ONE,)
    assert Assignments(checkout).of("sara").why_not.endswith("users/sara.toml cannot be used.")


@pytest.mark.parametrize(
    "login", ["", "../team", "root", "SARA", "a" * 40, "x\x1b[31m", "sk-ant-api03-pasted-key-of-the-org"]
)
def test_a_name_that_the_team_repo_cannot_have_gets_nothing_and_is_not_shown(checkout: Path, login: str) -> None:
    found = Assignments(checkout).of(login)
    assert (found.login, found.names) == ("", ())
    assert not login or login not in found.why_not


def test_a_link_is_nobodys_file(checkout: Path) -> None:
    (checkout / "elsewhere.toml").write_text(user_file(ONE))
    (checkout / "users" / "sara.toml").symlink_to(checkout / "elsewhere.toml")
    assert not Assignments(checkout).of("sara").names


def test_admins_and_everybody_who_has_a_key(checkout: Path) -> None:
    (checkout / "users" / "sara.toml").write_text(user_file(ONE, TWO))
    (checkout / "users" / "bob.toml").write_text(user_file())
    assignments = Assignments(checkout)
    assert assignments.admins == ("carol",)
    assert assignments.everybody() == {"sara": (ONE, TWO)}
    assert Assignments(checkout / "nowhere").admins == ()
