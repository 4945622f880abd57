"""Routes of webhooks, with the traps of the real ones."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from tests.forgejo_server.api import ApiError, Ask
from tests.forgejo_server.state import Hook, Repository


def _hook(hook: Hook) -> dict[str, Any]:
    config = {name: value for name, value in hook.config.items() if name != "secret"}
    return {
        "id": hook.id,
        "type": hook.kind,
        "config": config,
        "events": hook.events,
        "active": hook.active,
        "branch_filter": hook.branch_filter,
        "authorization_header": hook.authorization,
    }


def listed(ask: Ask) -> Response:
    return ask.page(ask.repo(admin=True).hooks, _hook)


def create(ask: Ask) -> Any:
    repo = ask.repo(admin=True)
    kind, config = ask.body.get("type"), ask.body.get("config")
    kinds = ("gitea", "gogs", "slack") + (("forgejo",) if ask.world.flavour == "forgejo" else ())
    if kind not in kinds:
        raise ApiError(422, f"Invalid hook type: {kind}")
    if not isinstance(config, dict) or not config.get("url") or not config.get("content_type"):
        raise ApiError(422, "Missing config option: url")
    known = {"push", "create", "delete", "release", "pull_request", "issues"}
    made = Hook(
        id=next(ask.world.numbers),
        kind=str(kind),
        config={str(name): str(value) for name, value in config.items()},
        events=[one for one in ask.body.get("events") or ["push"] if one in known],
        active=bool(ask.body.get("active", False)),
        branch_filter=str(ask.body.get("branch_filter") or ""),
        authorization=str(ask.body.get("authorization_header") or ""),
    )
    repo.hooks.append(made)
    return 201, _hook(made)


def _one_hook(ask: Ask, repo: Repository) -> Hook:
    found = next((one for one in repo.hooks if one.id == int(ask.part("id"))), None)
    if found is None:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    return found


def change(ask: Ask) -> Any:
    """The secret is ignored, and what is left out is reset."""
    hook = _one_hook(ask, ask.repo(admin=True))
    config = ask.body.get("config") or {}
    hook.config |= {name: str(config[name]) for name in ("url", "content_type") if name in config}
    hook.events = list(ask.body.get("events") or ["push"])
    hook.branch_filter = str(ask.body.get("branch_filter") or "")
    hook.authorization = str(ask.body.get("authorization_header") or "")
    hook.active = bool(ask.body.get("active", hook.active))
    return _hook(hook)


def remove(ask: Ask) -> Any:
    repo = ask.repo(admin=True)
    repo.hooks.remove(_one_hook(ask, repo))
    return 204, None
