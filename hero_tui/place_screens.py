"""One row a place of the cockpit: from its name, and what it is opened on, to its screen, imported when wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hero_tui.history import Visit
from screens.frame import HeroScreen

if TYPE_CHECKING:
    from hero_tui.app import HeroApp

Maker = Callable[["HeroApp", Visit], HeroScreen]


def _slot(app: HeroApp, visit: Visit) -> HeroScreen:
    from screens.slot import SlotScreen

    return SlotScreen(app.desk, visit.on[0], visit.first)


def _logs(app: HeroApp, visit: Visit) -> HeroScreen:
    from screens.logs import LogsScreen

    user, build, *services = visit.on
    return LogsScreen(app.desk, user, tuple(services), build)


def _builds(app: HeroApp, visit: Visit) -> HeroScreen:
    from screens.builds import BuildsScreen

    return BuildsScreen(app.desk, *visit.on)


def _releases(app: HeroApp, visit: Visit) -> HeroScreen:
    from screens.releases import ReleasesScreen

    return ReleasesScreen(app.desk, *visit.on)


def _agents(app: HeroApp, visit: Visit) -> HeroScreen:
    from screens.agents import AgentsScreen

    return AgentsScreen(app.desk, visit.first)


def _agent(app: HeroApp, visit: Visit) -> HeroScreen:
    from screens.agent import AgentScreen

    return AgentScreen(app.desk, *visit.on)


def _inbox(app: HeroApp, visit: Visit) -> HeroScreen:
    from screens.inbox import InboxScreen

    return InboxScreen(app.desk, visit.first)


def _host(app: HeroApp, visit: Visit) -> HeroScreen:
    from hero_tui.host_source import BoxHost
    from screens.host import HostScreen

    return HostScreen(app.desk, BoxHost(app.where))


def _team(app: HeroApp, visit: Visit) -> HeroScreen:
    from hero_tui.team_source import BoxTeam
    from screens.team import TeamScreen

    return TeamScreen(app.desk, BoxTeam(app.where), visit.first)


def _doctor(app: HeroApp, visit: Visit) -> HeroScreen:
    from hero_tui.doctor_source import BoxDoctor
    from screens.doctor import DoctorScreen

    return DoctorScreen(app.desk, BoxDoctor(app.where))


SCREENS: Mapping[str, Maker] = {
    "slot": _slot,
    "logs": _logs,
    "builds": _builds,
    "releases": _releases,
    "agents": _agents,
    "agent": _agent,
    "inbox": _inbox,
    "host": _host,
    "team": _team,
    "doctor": _doctor,
}
"""Every place but the fleet, which lies under all of them."""
