"""Something of the box seen through by its events, whatever becomes of the box's daemon meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.verbs.session import box_client

_PATIENCE_SECONDS = 20.0
_AGAIN_SECONDS = 0.2

T = TypeVar("T")


def through_restarts(where: Where, client: SyncClient, listen: Callable[[SyncClient], T]) -> T:
    """What `listen` comes back with; it is given `client`, which has subscribed to events, or the next one.

    A box's daemon that goes away is asked again once it is back. Raises HeroError.
    """
    own = client
    try:
        while True:
            try:
                return listen(own)
            except HeroError as error:
                if error.code != "unreachable":
                    raise
            if own is not client:
                own.close()
            own = _subscribed_again(where)
    finally:
        if own is not client:
            own.close()


def _subscribed_again(where: Where) -> SyncClient:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            client = box_client(where)
            client.call("events.subscribe")
            return client
        except HeroError as error:
            if error.code != "unreachable" or time.monotonic() > deadline:
                raise
        time.sleep(_AGAIN_SECONDS)  # the one that was killed may still hold its socket
