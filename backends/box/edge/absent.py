"""What people see where a service should be: whose it is, why it does not answer, and the verb that starts it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from backends.model.errors import nearest
from backends.model.state import CatalogueEntry, ServiceStatus, SlotStatus
from backends.model.text import safe_line

USER_HEADER, SERVICE_HEADER = "x-hero-user", "x-hero-service"
"""What the router tells of the request: a slot, and a service's name in addresses."""

SOON = 2
"""Seconds after which a page that may be out of date by then asks again."""

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_SHORT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")
_SHOWN = 12
"""Other services that a page names at most."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the box knows: its slots, and the services that a slot may bind."""

    box: str
    slots: Sequence[SlotStatus] = ()
    catalogue: Sequence[CatalogueEntry] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A service that there is: its address on this box, and how it is."""

    href: str
    name: str
    health: str


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `verb` is the command that helps; `again` is in seconds, 0 where asking again is no use."""

    status: int
    title: str
    sentences: tuple[str, ...] = ()
    verb: str = ""
    again: int = 0
    links: tuple[Link, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)


def answer(user: str, short: str, known: Known) -> Page:
    """The page about `short` of `user`; about all of the slot without `short`, of the box without both."""
    if (user and not _USER.fullmatch(user)) or (short and not _SHORT.fullmatch(short)):
        return Page(404, "There is nothing at this address.", links=_links(known.slots, known))
    if not user:
        return Page(200, f"What runs on {known.box}", links=_links(known.slots, known))
    slot = next((one for one in known.slots if one.slot == user), None)
    if slot is None:
        return _no_slot(user, known)
    if not short:
        return Page(200, f"What {user} runs on {known.box}", links=_links((slot,), known), facts={"user": user})
    entry = next((one for one in known.catalogue if one.short == short), None)
    if entry is None:
        return _no_service(slot, short, known)
    cell = next((one for one in slot.services if one.service == entry.name), None)
    return _not_bound(slot, entry, known) if cell is None else _not_there(slot, entry, cell)


def _no_slot(user: str, known: Known) -> Page:
    close = nearest(user, [one.slot for one in known.slots])
    slots = [one for one in known.slots if one.slot in close]
    meant = f"Did you mean {' or '.join(close)}?" if close else ""
    sentences = tuple(one for one in (meant,) if one)
    return Page(404, f"There is no slot called {user} on this box.", sentences, links=_links(slots, known))


def _no_service(slot: SlotStatus, short: str, known: Known) -> Page:
    close = nearest(short, [one.short for one in known.catalogue if one.short])
    meant = f"Did you mean {' or '.join(close)}?" if close else ""
    sentences = (meant,) if meant else ("services.toml of the team repo says which names there are.",)
    facts = {"user": slot.slot, "state": "unknown"}
    title = f"There is no service called {short} here."
    return Page(404, title, sentences, links=_links((slot,), known), facts=facts)


def _not_bound(slot: SlotStatus, entry: CatalogueEntry, known: Known) -> Page:
    return Page(
        404,
        f"{slot.slot} does not have {entry.name}.",
        (f"It is not bound in {slot.slot}'s slot, who can add it:",),
        verb=f"hero_dev bind {entry.name}",
        links=_links([one for one in known.slots if one.slot != slot.slot], known, only=entry.name),
        facts={"user": slot.slot, "service": entry.name, "state": "not bound"},
    )


def _not_there(slot: SlotStatus, entry: CatalogueEntry, cell: ServiceStatus) -> Page:
    """Why a service that is bound does not answer at its address."""
    name = entry.name
    start = f"hero_dev start {name}"
    why, verb, again = _reason(cell, start)
    sentences = [why]
    if slot.stale or not slot.online:
        sentences = [f"{slot.slot}'s slot is not connected to the box; the last that it told:", why]
        again = 0
    if verb:
        sentences.append(f"On the box {slot.slot} can run:")
    facts = {"user": slot.slot, "service": name, "state": cell.health}
    return Page(503, f"{slot.slot}'s {name} does not answer", tuple(sentences), verb, again, facts=facts)


def _reason(cell: ServiceStatus, start: str) -> tuple[str, str, int]:
    """A sentence, the verb that helps, and the seconds after which to ask again."""
    name = cell.service
    match cell.health:
        case "stopped" if not cell.enabled:
            return "It is stopped, and not enabled.", start, 0
        case "stopped":
            reason = safe_line(cell.reason, 200)
            return (f"It is stopped: {reason}." if reason else "It is stopped."), start, 0
        case "crashed":
            reason = safe_line(cell.reason, 200)
            return (f"It has crashed: {reason}." if reason else "It has crashed."), f"hero_dev logs {name}", 0
        case "starting":
            reason = f", {safe_line(cell.reason, 200)}" if cell.reason else ""
            return f"It is starting{reason}; this page looks again by itself.", "", SOON
    if not _has_page(cell):
        return "It runs, and has no page: it declares neither a `web` nor a `ui` socket.", "", 0
    return (
        "It runs, but did not take the router's connection. A program that sets its socket's mode itself has to "
        "leave its group `rw` (0660). This page looks again by itself.",
        f"hero_dev restart {name}",
        SOON,
    )


def _has_page(cell: ServiceStatus) -> bool:
    """Whether it has a socket that the router may use; what was never started is taken to have one."""
    return not cell.socket or cell.socket.endswith(("/web.sock", "/ui.sock"))


def _links(slots: Sequence[SlotStatus], known: Known, *, only: str = "") -> tuple[Link, ...]:
    """Every service of `slots` that has an address; with `only` that one of each."""
    shorts = {one.name: one.short for one in known.catalogue if one.short}
    found = [
        Link(f"/{slot.slot}/{shorts[cell.service]}/", f"{slot.slot} {cell.service}", cell.health)
        for slot in slots
        for cell in slot.services
        if cell.service in shorts and only in ("", cell.service) and _has_page(cell)
    ]
    return tuple(found) if not only else tuple(found[:_SHOWN])
