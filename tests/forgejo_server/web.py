"""Routes outside the API: downloads of assets, and git over HTTP by git's own `http-backend`."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from tests.forgejo_server import events
from tests.forgejo_server.api import ApiError, _account
from tests.forgejo_server.state import Account, Asset, Repository, World

_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def by_name(world: World) -> Any:
    """`/{owner}/{repo}/releases/download/{tag}/{name}`; a tag may have slashes."""

    async def endpoint(request: Request) -> Response:
        parts = request.path_params
        repo = _seen(world, request, f"{parts['owner']}/{parts['repo']}")
        tag, _, name = parts["rest"].rpartition("/")
        release = repo.release_of(tag) if repo else None
        if repo is None or release is None or release.draft:
            return PlainTextResponse("Not Found\n", 404)
        found = [one for one in release.assets if one.name == name]
        return _send(request, found[0]) if found else PlainTextResponse("Not Found\n", 404)

    return endpoint


def by_uuid(world: World) -> Any:
    """`/attachments/{uuid}`; it hides no draft from who knows its uuid."""

    async def endpoint(request: Request) -> Response:
        for repo in world.repositories.values():
            for release in repo.releases:
                for asset in release.assets:
                    if asset.uuid == request.path_params["uuid"] and _seen(world, request, repo.name):
                        return _send(request, asset)
        return PlainTextResponse("Not Found\n", 404)

    return endpoint


def _who(world: World, request: Request) -> Account | None:
    try:
        return _account(world, request)
    except ApiError:
        return None


def _seen(world: World, request: Request, name: str) -> Repository | None:
    repo = world.find(name)
    return repo if repo and repo.right(_who(world, request)) else None


def _send(request: Request, asset: Asset) -> Response:
    etag = f'"{asset.uuid}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    asset.downloads += 1
    start, end, status = 0, asset.size, 200
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    if wanted and request.headers.get("if-range", etag) == etag:
        start = int(wanted[1])
        end = min(int(wanted[2]) + 1, asset.size) if wanted[2] else asset.size
        if start >= asset.size:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{asset.size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{asset.size}"
    headers["Content-Length"] = str(end - start)
    return StreamingResponse(_part(asset, start, end), status, headers)


async def _part(asset: Asset, start: int, end: int) -> AsyncIterator[bytes]:
    with asset.path.open("rb") as file:
        file.seek(start)
        while start < end:
            part = await asyncio.to_thread(file.read, min(_CHUNK, end - start))
            start += len(part)
            yield part


def git(world: World) -> Any:
    """Smart HTTP, for reading and pushing."""

    async def endpoint(request: Request) -> Response:
        name = f"{request.path_params['owner']}/{request.path_params['repo']}"
        repo, who = world.find(name), _who(world, request)
        pushes = (
            "git-receive-pack" in request.url.path or request.query_params.get("service") == "git-receive-pack"
        )
        if who is None and (pushes or repo is None or repo.private):
            return PlainTextResponse("Unauthorized\n", 401, {"WWW-Authenticate": 'Basic realm="Gitea"'})
        may = repo.right(who) if repo else ""
        if repo is None or not may:
            return PlainTextResponse("Not found\n", 404)
        if pushes and may == "read":
            return PlainTextResponse("Forbidden\n", 403)
        if who and not who.scopes & {"all", "write:repository", *(() if pushes else ("read:repository",))}:
            return PlainTextResponse("Forbidden\n", 403)
        before = await run_in_threadpool(repo.refs) if pushes else {}
        answer = await _backend(world, repo, request, who)
        if pushes and request.method == "POST":
            await run_in_threadpool(_pushed, world, repo, before, who.login if who else "")
        return answer

    return endpoint


def _pushed(world: World, repo: Repository, before: dict[str, str], pusher: str) -> None:
    with world.lock:
        events.after_push(world, repo, before, pusher)


async def _backend(world: World, repo: Repository, request: Request, who: Account | None) -> Response:
    variables = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(world.folder / "repositories"),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repo.name}.git/{request.path_params['rest']}",
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "REMOTE_USER": who.login if who else "",
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
    }
    body = await request.body()
    process = await asyncio.create_subprocess_exec(
        "git", "http-backend", env=variables, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(body)
    head, _, content = out.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return Response(content, status, headers)
