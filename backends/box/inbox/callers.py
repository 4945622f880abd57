"""Who asks, answers and is asked: the kernel's word for it, or on a rootless box the caller's own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backends.box.fleet import Fleet
from backends.box.links import Links
from backends.box.rights import Rights
from backends.box.team import Team
from backends.model.agents import Agent
from backends.model.errors import HeroError, unknown_name
from backends.rpc.dispatcher import Call
from backends.system_box import login_of

ADMINS = "@admins"
"""An addressee: whichever admin of the team is first."""

_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Caller:
    """A person, or with `agent` (its number) an agent in that person's slot."""

    login: str
    agent: str = ""
    admin: bool = False

    @property
    def name(self) -> str:
        """As items have it: a login, or `<slot>/<agent>`."""
        return f"{self.login}/{self.agent}" if self.agent else self.login

    def is_addressed(self, to: str) -> bool:
        """Whether what is addressed to `to` is this caller's to answer and to read."""
        return to == self.name or (to == ADMINS and self.admin and not self.agent)

    def may_see(self, sender: str, to: str) -> bool:
        """Whether an item is to or from this caller, or an agent of theirs."""
        return self.is_addressed(to) or self.login in (owner_of(sender), owner_of(to))


class Callers:
    """Tells callers from what is known of them, and knows whom an item may be addressed to."""

    def __init__(self, rights: Rights, links: Links, fleet: Fleet, team: Team):
        self._rights = rights
        self._links = links
        self._fleet = fleet
        self._team = team

    def caller(self, call: Call, *, user: str = "", agent: str = "") -> Caller:
        """Who `call` comes from. `agent`: a number, or `<slot>/<number>`. Raises HeroError: denied, usage."""
        slot, _, number = agent.rpartition("/")
        login = self._login(call, user or slot)
        if slot and slot != login:
            raise HeroError("denied", f"{login} does not speak for {agent[:100]!r}.", hint="Only for own agents.")
        if agent and not _NUMBER.fullmatch(number):
            raise HeroError("usage", f"{agent[:100]!r} is not the number of an agent.")
        return Caller(login, number, self._is_admin(call, login))

    def refuse_others_than_daemon(self, call: Call, by: Caller) -> None:
        """Raises HeroError `denied` unless `call` comes over the link of the daemon of `by`'s slot."""
        if not self._links.speaks_for(by.login, call.connection):
            raise HeroError("denied", f"Only the daemon of {by.login}'s slot says what its agents want to do.")

    def person(self, name: str) -> str:
        """`name` if a question may be addressed to it. Raises HeroError: not_found, usage."""
        if "/" in name:
            raise HeroError(
                "usage",
                f"Questions go to people; {name!r} is an agent.",
                hint=f"Tell it something: `hero_dev tell {name} …`, or ask {owner_of(name)}.",
            )
        if name in self._people():
            return name
        raise unknown_name("person", name, self._people())

    def anyone(self, name: str) -> str:
        """`name` if a message may be addressed to it, a person or an agent. Raises HeroError."""
        slot, _, number = name.partition("/")
        if not number:
            return self.person(name.rstrip("/"))
        status = self._fleet.slot(slot)
        if status is None:
            raise unknown_name("slot", slot, self._fleet.names())
        agents = {agent.id: agent for agent in status.agents}
        if status.stale and _NUMBER.fullmatch(number):
            return name
        if number not in agents:
            raise unknown_name(f"agent in {slot}'s slot", name, (agent.name for agent in agents.values()))
        _refuse_gone(agents[number])
        return name

    def _people(self) -> set[str]:
        return {*self._team.people, *self._team.admins, *self._fleet.names(), ADMINS}

    def _login(self, call: Call, named: str) -> str:
        own = login_of(call.peer.uid) if self._rights.system else self._linked(call)
        if own and named and named != own:
            raise HeroError(
                "denied", f"{own} does not speak for {named!r}.", hint="Everybody asks and answers as themselves."
            )
        if own:
            return own
        if not named or named == login_of(call.peer.uid):
            return login_of(call.peer.uid)
        if named in self._people() - {ADMINS}:
            return named
        raise unknown_name("slot", named, self._fleet.names())

    def _linked(self, call: Call) -> str:
        """The slot whose daemon calls; empty where it is anybody else of this box's one uid."""
        slots = (name for name in self._fleet.names() if self._links.speaks_for(name, call.connection))
        return next(slots, "")

    def _is_admin(self, call: Call, login: str) -> bool:
        if not self._rights.system and login != login_of(call.peer.uid):
            return login in self._team.admins
        return self._rights.is_admin(call.peer)


def owner_of(name: str) -> str:
    """The login that a person or an agent belongs to."""
    return name.partition("/")[0]


def agent_of(name: str) -> str:
    """The number of an agent; empty for a person."""
    return name.partition("/")[2]


def _refuse_gone(agent: Agent) -> None:
    if agent.state == "gone":
        raise HeroError(
            "conflict", f"{agent.name} has ended: nobody would read it.", hint=f"Tell {agent.slot} instead."
        )
