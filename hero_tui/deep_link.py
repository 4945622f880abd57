"""Where a cockpit begins: a place by name, on whose slot, on which service; what is not known is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.model.errors import HeroError, nearest, unknown_name

if TYPE_CHECKING:
    from hero_tui.app import HeroApp

LINKS = ("fleet", "slot", "logs", "builds", "releases", "agents", "inbox", "host", "team", "doctor")
"""Places that `hero_tui --screen` opens; whatever else there is needs more than a name."""

_OF_SERVICES = frozenset({"fleet", "slot", "logs", "builds", "releases"})


@dataclass(frozen=True)
class Link:
    """`slot` and `service` are "" where they were not named."""

    place: str = "fleet"
    slot: str = ""
    service: str = ""


HOME = Link()


def check_link(link: Link) -> Link:
    """`link`, if there is such a place. HeroError `usage` with the nearest, or for a service not its own."""
    if link.place not in LINKS:
        close = nearest(link.place, LINKS)
        hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(LINKS)}."
        raise HeroError("usage", f"There is no screen {link.place!r}.", hint=hint)
    if link.service and link.place not in _OF_SERVICES:
        shown = ", ".join(place for place in LINKS if place in _OF_SERVICES)
        raise HeroError("usage", f"{link.place} is not about one service.", hint=f"--service goes with {shown}.")
    return link


async def follow_link(app: HeroApp, link: Link) -> None:
    """Open it. Which services there are is known only once the box has answered; it is waited for, then."""
    if link.place == HOME.place and not link.service and link.slot in ("", app.where.user):
        return  # it begins there
    if link.place in _OF_SERVICES and (link.service or link.place in ("fleet", "releases")):
        await app.desk.known.wait()
    service = _known_service(app, link.service)
    user = link.slot or app.where.user
    match link.place:
        case "fleet":
            app.places.point(user, service or next(iter(app.desk.fleet.services()), ""))
        case "slot" | "logs" if not user:
            app.desk.tell("Which slot? Name one with --slot USER.", failed=True)
        case "slot":
            app.places.show_slot(user, service)
        case "logs":
            app.places.show_logs(user, (service,) if service else ())
        case "builds":
            app.places.show_builds(service)
        case "releases":
            _releases(app, service)
        case "team":
            app.places.show_team(link.slot)
        case _:
            app.places.go(link.place)


def _known_service(app: HeroApp, service: str) -> str:
    """`service` if the box knows it; else "", and the nearest is told."""
    services = app.desk.fleet.services()
    if service and service not in services:
        app.desk.tell(str(unknown_name("service", service, services)), failed=True)
        return ""
    return service


def _releases(app: HeroApp, service: str) -> None:
    """The releases are of a service: of the first one, where none was named."""
    services = app.desk.fleet.services()
    if services:
        app.places.show_releases(service or services[0])
    else:
        app.desk.tell("The catalogue names no services yet.", failed=True)
