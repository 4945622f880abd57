"""A small fleet in every state that a page has to tell of."""

from __future__ import annotations

from datetime import UTC, datetime

from backends.box.edge.absent import Known
from backends.model.state import CatalogueEntry, Health, ServiceStatus, SlotStatus

CATALOGUE = tuple(
    CatalogueEntry(name=f"hero_{short}", repo=f"org/hero_{short}", short=short)
    for short in ("slides", "db", "web", "chat", "mail", "api")
)


def cell(
    short: str, health: Health, reason: str = "", *, socket: str = "web", enabled: bool = True
) -> ServiceStatus:
    """One service of a slot."""
    return ServiceStatus(
        service=f"hero_{short}",
        repo=f"org/hero_{short}",
        branch="development",
        source="release",
        health=health,
        reason=reason,
        enabled=enabled,
        socket=f"/home/alice/hero/var/sockets/hero_{short}/{socket}.sock",
        last_log="SECRET",
    )


def slot(name: str, *cells: ServiceStatus, online: bool = True) -> SlotStatus:
    return SlotStatus(
        box="dev", slot=name, services=cells, online=online, stale=not online, seen_at=datetime.now(UTC)
    )


def known() -> Known:
    alice = slot(
        "alice",
        cell("slides", "stopped"),
        cell("web", "crashed", "exit 3; given up after 3 restarts"),
        cell("chat", "starting", "started again after exit 3"),
        cell("db", "healthy", socket="rpc"),
        cell("mail", "healthy"),
    )
    return Known("dev", (alice, slot("bob", cell("api", "healthy"), online=False)), CATALOGUE)
