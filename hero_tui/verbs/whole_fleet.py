"""The whole fleet for a verb, page by page: a large one is more than a message may hold."""

from __future__ import annotations

from typing import Any

from backends.rpc.sync_client import SyncClient

PAGE = 100
"""Slots in one message; most boxes are one page."""
CATALOGUE_ALONE = {"limit": 1}
"""What asks for the catalogue, with as few slots as there can be."""


def whole_fleet(client: SyncClient) -> dict[str, Any]:
    """All pages as one `fleet.snapshot`; its `seq` is the first page's. Raises HeroError."""
    page: dict[str, Any] = client.call("fleet.snapshot", {"limit": PAGE})
    fleet = {**page, "slots": list(page["slots"]), "more": False}
    while page.get("more") and page["slots"]:
        page = client.call("fleet.snapshot", {"after": page["slots"][-1]["slot"], "limit": PAGE})
        fleet["slots"] += page["slots"]
    return fleet
