"""The command line's way to the broker of the org's keys, started where it is not and systemd does not do that."""

from __future__ import annotations

from backends.broker_place import broker_place
from backends.client.locate import Where
from backends.client.start import START_SECONDS
from backends.model.errors import HeroError
from backends.rpc.spawn import ensure_daemon
from backends.rpc.sync_client import SyncClient


def connect_broker(where: Where) -> SyncClient:
    """A connection to the broker of the box. Raises HeroError `unreachable`, `denied`."""
    place = broker_place(where.box)
    try:
        return SyncClient(place.socket)
    except HeroError as error:
        if error.code != "unreachable":
            raise
    if not place.argv:
        raise HeroError(
            "unreachable",
            "The broker of the org's Claude keys does not answer.",
            hint="`systemctl status hero_aibroker` tells why; as root, `restart` starts it again.",
        )
    ensure_daemon(place.socket, list(place.argv), log=place.log, timeout=START_SECONDS)
    return SyncClient(place.socket)
