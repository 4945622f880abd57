"""Who a caller is: on a system box the kernel's word, on a rootless one the caller's own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from backends.box.fleet import Fleet, Person
from backends.box.inbox.callers import Callers
from backends.box.links import Links
from backends.box.rights import Rights
from backends.box.team import Team
from backends.model.box_calls import ReportParams
from backends.model.errors import HeroError
from backends.model.state import SlotStatus
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import Call
from backends.rpc.sockets import Peer
from backends.system_box import login_of
from tests.backends.box.inbox.agents_slot import NOW, agent

ME = login_of(os.geteuid())
STRANGER = 4_000_000_000


@dataclass
class Known:
    people: dict[str, Person] = field(default_factory=lambda: {"alice": Person("", ""), "mik": Person("", "")})
    admins: tuple[str, ...] = ("mik", str(STRANGER))


def callers(*, system: bool) -> Callers:
    team = cast(Team, Known())
    fleet = Fleet("dev")
    fleet.expect(team.people, NOW)
    agents = (agent("alice", "3"), agent("alice", "5", state="gone"))
    fleet.apply(ReportParams(slot="alice", status=SlotStatus(box="", slot="", agents=agents, seen_at=NOW)), NOW)
    return Callers(Rights(system=system, admins=lambda: team.admins), Links(lambda _, __: None), fleet, team)


def call(uid: int) -> Call:
    return Call(Peer(1, uid, uid), cast(Connection, SimpleNamespace()))


def refused(run: Any, *words: Any, **more: Any) -> HeroError:
    with pytest.raises(HeroError) as caught:
        run(*words, **more)
    return caught.value


def test_on_a_system_box_a_uid_is_one_login_and_its_agents_are_its_own() -> None:
    known = callers(system=True)
    login = str(STRANGER)
    assert known.caller(call(STRANGER)).name == login
    assert known.caller(call(STRANGER), agent="3").name == f"{login}/3"
    assert known.caller(call(STRANGER), user=login, agent=f"{login}/3").name == f"{login}/3"
    assert refused(known.caller, call(STRANGER), user="alice").code == "denied"
    assert refused(known.caller, call(STRANGER), agent="alice/3").code == "denied"
    assert refused(known.caller, call(0), agent="alice/3").code == "denied"


def test_admins_are_those_of_the_team_repo_whatever_they_call_themselves() -> None:
    known = callers(system=True)
    assert known.caller(call(STRANGER)).admin
    assert not known.caller(call(STRANGER - 1)).admin
    assert not known.caller(call(STRANGER), agent="3").is_addressed("@admins")
    assert callers(system=False).caller(call(os.geteuid()), user="mik").admin
    assert not callers(system=False).caller(call(os.geteuid()), user="alice").admin


def test_on_a_rootless_box_a_caller_names_a_slot_that_there_is() -> None:
    known = callers(system=False)
    assert known.caller(call(os.geteuid()), user="alice").name == "alice"
    assert known.caller(call(os.geteuid()), agent="alice/3").name == "alice/3"
    assert known.caller(call(os.geteuid())).name == ME
    assert "`alice`" in refused(known.caller, call(os.geteuid()), user="alicee").hint
    assert refused(known.caller, call(os.geteuid()), user="@admins").code == "not_found"
    assert refused(known.caller, call(os.geteuid()), user="mik", agent="alice/3").code == "denied"


@pytest.mark.parametrize("number", ["", "../3", "a b", "3\n", "x" * 41, "alice/", "alice/3/4"])
def test_what_is_no_number_of_an_agent_is_refused(number: str) -> None:
    known = callers(system=False)
    if number:
        assert refused(known.caller, call(os.geteuid()), user="alice", agent=number).code in ("usage", "denied")


def test_a_message_may_go_to_anybody_who_would_read_it() -> None:
    known = callers(system=False)
    assert [known.anyone(name) for name in ("mik", "@admins", "alice/3", "mik/9")] == [
        "mik",
        "@admins",
        "alice/3",
        "mik/9",
    ]
    assert "has ended" in refused(known.anyone, "alice/5").message
    assert refused(known.anyone, "alice/4").code == "not_found"
    assert refused(known.anyone, "mik/../x").code == "not_found"
    assert refused(known.anyone, "nobody/3").code == "not_found"
    assert refused(known.person, "alice/3").code == "usage"
