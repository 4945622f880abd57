"""On a system box the uid says who asks; on a rootless box there is one uid, and it may name the slot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.broker import rights as rights_module
from backends.broker.assignments import Assignments
from backends.broker.rights import Rights
from backends.model.errors import HeroError
from backends.rpc.sockets import Peer
from tests.backends.broker.made_broker import TEAM

LOGINS = {0: "root", 1000: "sara", 1001: "carol"}


@pytest.fixture
def assignments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assignments:
    monkeypatch.setattr(rights_module, "login_of", lambda uid: LOGINS.get(uid, str(uid)))
    (tmp_path / "team.toml").write_text(TEAM)
    return Assignments(tmp_path)


def peer(uid: int) -> Peer:
    return Peer(4711, uid, uid)


def test_on_a_system_box_everybody_asks_for_themselves(assignments: Assignments) -> None:
    rights = Rights(assignments, system=True)
    assert rights.slot(peer(1000), "").user == "sara"
    assert rights.slot(peer(1000), "sara").user == "sara"
    for uid in (0, 1001):
        with pytest.raises(HeroError, match="may not ask in another user's name"):
            rights.slot(peer(uid), "sara")


def test_on_a_system_box_root_and_admins_change_keys(assignments: Assignments) -> None:
    rights = Rights(assignments, system=True)
    assert [rights.admin(peer(uid)).login for uid in (0, 1001)] == ["root", "carol"]
    for uid in (1000, 4242):
        with pytest.raises(HeroError) as caught:
            rights.admin(peer(uid))
        assert caught.value.code == "denied"
        assert "carol" in caught.value.hint


def test_on_a_rootless_box_its_user_asks_for_any_slot_and_others_for_nothing(assignments: Assignments) -> None:
    rights, uid = Rights(assignments, system=False), os.geteuid()
    assert rights.slot(peer(uid), "sara").user == "sara"
    assert rights.admin(peer(uid)).uid == uid
    with pytest.raises(HeroError, match="another user's"):
        rights.slot(peer(uid + 1), "sara")
    with pytest.raises(HeroError, match="another user's"):
        rights.admin(peer(uid + 1))
    with pytest.raises(HeroError) as caught:
        rights.slot(peer(uid), "../sk-ant-pasted")
    assert "pasted" not in str(caught.value)
