"""What all routes of the test server share: who asks, with which scopes, errors in the server's shapes, pages."""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.forgejo_server.state import Account, Repository, World


class ApiError(Exception):
    """An answer that ends the handling."""

    def __init__(self, status: int, message: str = "", **more: Any):
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "url": "http://forge/api/swagger", **more}


@dataclass
class Ask:
    """One request: the world, who asks (None: nobody), the parsed parameters."""

    world: World
    request: Request
    account: Account | None
    body: dict[str, Any]

    def text(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default)

    def part(self, name: str) -> str:
        return str(self.request.path_params[name])

    def need(self, category: str) -> Account:
        """Whoever asks, with the scope that the method needs. Raises ApiError 401, 403."""
        if self.account is None:
            raise ApiError(401, "token is required")
        level = "read" if self.request.method in ("GET", "HEAD") else "write"
        scopes = self.account.scopes
        good = {"all", f"write:{category}"} | ({f"read:{category}"} if level == "read" else set())
        if not scopes & good:
            raise ApiError(403, f"token does not have at least one of required scope(s): [{level}:{category}]")
        return self.account

    def allow(self, category: str) -> None:
        """Anybody may read what is public; a token needs the scope all the same."""
        if self.account is not None or self.request.method not in ("GET", "HEAD"):
            self.need(category)

    def repo(self, *, write: bool = False, admin: bool = False, category: str = "repository") -> Repository:
        """The repository of the path, as the caller sees it with a scope of `category`. Raises ApiError.

        Who is no writer of everything may do what they are a collaborator for, and sees no other private one.
        """
        self.allow(category)
        found = self.world.find(f"{self.part('owner')}/{self.part('repo')}")
        may = found.right(self.account) if found else ""
        if found is None or not may:
            raise ApiError(404, "The target couldn't be found.", errors=[])
        if write or admin:
            self.need(category)
            if may == "read":
                raise ApiError(403, "user should have a permission to write to a repo")
            if admin and may != "admin":
                raise ApiError(403, "user should be an owner or a collaborator with admin write of a repository")
        if write and found.archived:
            raise ApiError(423, f"Repo is archived: {found.name}")
        return found

    def page(self, items: Sequence[Any], show: Callable[[Any], Any], *, inside: str = "") -> Response:
        """One page of a list, with the headers of one. The limit is clamped without a word."""
        limit = min(_number(self.text("limit"), 30), self.world.page_limit) or 30
        page = max(1, _number(self.text("page"), 1))
        part = [show(one) for one in items[(page - 1) * limit : page * limit]]
        headers = {"X-Total-Count": str(len(items))}
        if page * limit < len(items):
            headers["Link"] = f'<{self.world.root_url}/api/v1{self.request.url.path}?page={page + 1}>; rel="next"'
        return JSONResponse({"ok": True, inside: part} if inside else part, headers=headers)


def _number(text: str, default: int) -> int:
    return int(text) if text.isdigit() else default


Handler = Callable[[Ask], Any]


def route(world: World, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A starlette endpoint of `handler`, which runs in a thread with the world locked."""

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        try:
            ask = Ask(world, request, _account(world, request), _body(await request.body()))
            return await run_in_threadpool(_locked, world, handler, ask)
        except ApiError as error:
            return JSONResponse(error.body, error.status)

    return endpoint


def _locked(world: World, handler: Handler, ask: Ask) -> Response:
    with world.lock:
        answer = handler(ask)
    if isinstance(answer, Response):
        return answer
    status, body = answer if isinstance(answer, tuple) else (200, answer)
    return Response(status_code=status) if body is None else JSONResponse(body, status)


def _body(content: bytes) -> dict[str, Any]:
    if not content:
        return {}
    try:
        found = json.loads(content)
    except ValueError:
        raise ApiError(422, "Invalid JSON") from None
    if not isinstance(found, dict):
        raise ApiError(422, "json: cannot unmarshal")
    return found


def _account(world: World, request: Request) -> Account | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, ValueError):
            raise ApiError(401, "invalid username, password or token") from None
        value = user if password in ("", "x-oauth-basic") else password
    elif scheme.lower() not in ("token", "bearer"):
        return None
    if value not in world.accounts:
        # As the real one does: the token that was sent is in the message.
        raise ApiError(401, f"access token does not exist [sha: {value}]")
    return world.accounts[value]
