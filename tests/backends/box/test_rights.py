"""Who may do what on a box, told by uids that the kernel gives."""

from __future__ import annotations

import os

import pytest

from backends.box.rights import Rights
from backends.model.calls import METHODS
from backends.model.errors import HeroError
from backends.rpc.sockets import Peer
from backends.system_box import WEB_USER, login_of

STRANGER = Peer(1, 4_000_000_000, 4_000_000_000)
ME = Peer(1, os.geteuid(), os.getegid())
ROOT = Peer(1, 0, 0)


def rights(*admins: str, system: bool = True) -> Rights:
    return Rights(system=system, admins=lambda: admins)


def denied(call: object, *arguments: object) -> HeroError:
    with pytest.raises(HeroError) as caught:
        call(*arguments)  # type: ignore[operator]
    assert caught.value.code == "denied"
    return caught.value


def test_a_teammate_may_not_have_ones_slot_build_but_an_admin_may() -> None:
    denied(rights().owner_or_admin, STRANGER, "mik")
    assert rights(str(STRANGER.uid)).owner_or_admin(STRANGER, "mik") == str(STRANGER.uid)
    assert rights().owner_or_admin(STRANGER, str(STRANGER.uid)) == str(STRANGER.uid)


def test_who_runs_the_box_may_have_every_slot_build() -> None:
    assert rights().owner_or_admin(ME, "mik") == login_of(os.geteuid())


def test_only_admins_change_the_box_and_who_they_are_is_told() -> None:
    assert "thabet (team.toml)" in denied(rights("thabet").admin, STRANGER, "install webhooks").hint
    assert rights(str(STRANGER.uid)).admin(STRANGER, "install webhooks") == str(STRANGER.uid)
    assert rights().admin(ROOT, "install webhooks") == "root"


def test_on_a_system_box_each_slot_speaks_for_itself() -> None:
    assert "may not report as mik" in denied(rights().speaks_for, STRANGER, "mik").message
    denied(rights().speaks_for, ME, "nobody_of_that_name")
    rights().speaks_for(STRANGER, str(STRANGER.uid))
    rights(system=False).speaks_for(ME, "mik")


def test_the_reconcilers_word_is_taken_from_root_alone() -> None:
    rights().root(ROOT, "tell that")
    denied(rights().root, STRANGER, "tell that")
    denied(rights(system=False).root, STRANGER, "tell that")
    rights(system=False).root(ME, "tell that")


def test_on_a_system_box_only_the_broker_tells_what_it_was_asked_for() -> None:
    assert "what the broker did" in denied(rights().broker, STRANGER).message
    denied(rights().broker, ROOT)
    rights(system=False).broker(ME)


def test_the_cockpit_in_the_browser_may_only_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.box.rights.login_of", lambda uid: WEB_USER if uid == STRANGER.uid else str(uid))
    changing = [method.name for method in METHODS if method.mutates]
    assert "build.cancel" in changing
    for name in changing:
        assert "may only look" in denied(rights().refuse_change, STRANGER, name).message
        rights().refuse_change(ME, name)
    for name in ("fleet.snapshot", "peek.logs", "events.subscribe", "no.such.call"):
        rights().refuse_change(STRANGER, name)
