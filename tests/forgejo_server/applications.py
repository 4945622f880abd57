"""Routes of a user's OAuth2 applications, as Gitea 1.26 answers them: a secret only where it was just made."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from tests.forgejo_server.api import ApiError, Ask, Handler
from tests.forgejo_server.oauth import Application, OAuth

_PATH = "/user/applications/oauth2"


def table(oauth: OAuth) -> tuple[tuple[str, str, Handler], ...]:
    """Method, path and handler of each route."""

    def of(handler: Callable[[OAuth, Ask], Any]) -> Handler:
        return lambda ask: handler(oauth, ask)

    return (
        ("GET", _PATH, of(_listed)),
        ("POST", _PATH, of(_create)),
        ("GET", f"{_PATH}/{{id:int}}", of(_get)),
        ("PATCH", f"{_PATH}/{{id:int}}", of(_change)),
        ("DELETE", f"{_PATH}/{{id:int}}", of(_remove)),
    )


def _told(one: Application, secret: str = "") -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "client_id": one.client,
        "client_secret": secret,
        "confidential_client": not one.public,
        "skip_secondary_authorization": one.skips_consent,
        "redirect_uris": list(one.redirects) or None,
        "created": "2026-11-20T10:00:00Z",
    }


def _listed(oauth: OAuth, ask: Ask) -> Response:
    """The newest first."""
    owner = ask.need("user").login
    return ask.page([one for one in reversed(oauth.applications.values()) if one.owner == owner], _told)


def _asked(ask: Ask, one: Application) -> Application:
    """`one` as the body has it, with another secret. What is left out is false, as in every PATCH of it."""
    for field, shown in (("name", "Name"), ("redirect_uris", "RedirectURIs")):
        if not ask.body.get(field):
            raise ApiError(422, f"[{shown}]: Required")
    return replace(
        one,
        name=ask.body["name"],
        redirects=tuple(ask.body["redirect_uris"]),
        public=not ask.body.get("confidential_client"),
        skips_consent=bool(ask.body.get("skip_secondary_authorization")),
        secret=f"gto_{secrets.token_hex(26)}",
    )


def _create(oauth: OAuth, ask: Ask) -> Any:
    made = Application(str(uuid.uuid4()), "", (), next(ask.world.numbers), owner=ask.need("user").login)
    made = oauth.applications[made.client] = _asked(ask, made)
    return 201, _told(made, made.secret)


def _one(oauth: OAuth, ask: Ask) -> Application:
    ask.need("user")
    found = next((one for one in oauth.applications.values() if one.id == int(ask.part("id"))), None)
    if found is None:
        raise ApiError(404, "not found", errors=None)
    return found


def _mine(oauth: OAuth, ask: Ask) -> Application:
    found = _one(oauth, ask)
    if found.owner != ask.need("user").login:
        raise ApiError(404, "not found", errors=None)
    return found


def _get(oauth: OAuth, ask: Ask) -> Any:
    return _told(_mine(oauth, ask))


def _change(oauth: OAuth, ask: Ask) -> Any:
    found = _one(oauth, ask)
    if found.owner != ask.need("user").login:
        raise ApiError(500)  # "UID mismatch", which it keeps to itself
    changed = oauth.applications[found.client] = _asked(ask, found)
    return _told(changed, changed.secret)


def _remove(oauth: OAuth, ask: Ask) -> Any:
    del oauth.applications[_mine(oauth, ask).client]
    return 204, None
