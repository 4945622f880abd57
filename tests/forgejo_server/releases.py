"""Routes of releases and their assets, with the traps of the real ones."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.forgejo_server import events
from tests.forgejo_server.api import ApiError, Ask, _account, _locked
from tests.forgejo_server.state import Asset, Release, Repository, World, moment

_TAG = re.compile(r"[^\x00-\x20~^:?*\[\\]+")


def show(ask: Ask, repo: Repository, release: Release) -> dict[str, Any]:
    base = f"{ask.world.root_url}/{repo.name}/releases"
    return {
        "id": release.id,
        "tag_name": release.tag,
        "target_commitish": release.target,
        "name": release.title,
        "body": release.body,
        "draft": release.draft,
        "prerelease": release.prerelease,
        "created_at": moment(release.created),
        "published_at": moment(release.created),
        "html_url": f"{base}/tag/{release.tag}",
        "author": {"login": release.author, "full_name": "", "is_admin": False},
        "assets": [show_asset(ask, repo, release, one) for one in release.assets],
    }


def show_asset(
    ask: Ask, repo: Repository, release: Release, asset: Asset, *, fresh: bool = False
) -> dict[str, Any]:
    twice = sum(one.name == asset.name for one in release.assets) > 1
    web = f"{ask.world.root_url}/{repo.name}/releases/download/{release.tag}/{asset.name}"
    uuid_url = f"{ask.world.root_url}/attachments/{asset.uuid}"
    told = {
        "id": asset.id,
        "name": asset.name,
        "size": asset.size,
        "download_count": asset.downloads,
        "created_at": moment(asset.created),
        "uuid": asset.uuid,
        "browser_download_url": uuid_url if fresh or twice else web,
    }
    return told | ({"type": "attachment"} if ask.world.flavour == "forgejo" else {})


def listed(ask: Ask) -> Response:
    repo = ask.repo()
    seen = [one for one in repo.releases if not one.hidden and (not one.draft or _writes(ask))]
    if ask.text("draft"):
        seen = [one for one in seen if one.draft == (ask.text("draft").lower() in ("true", "1"))]
    if ask.text("q") and ask.world.flavour == "forgejo":
        seen = [one for one in seen if ask.text("q").lower() in f"{one.tag} {one.title} {one.body}".lower()]
    seen.sort(key=lambda one: (int(one.created), one.id), reverse=True)
    return ask.page(seen, lambda one: show(ask, repo, one))


def _writes(ask: Ask) -> bool:
    return ask.account is not None and ask.account.writer


def by_tag(ask: Ask) -> Any:
    repo = ask.repo()
    found = repo.release_of(ask.part("tag"))
    if found is None or found.hidden or (found.draft and not _writes(ask)):
        raise ApiError(404, "The target couldn't be found.", errors=[])
    return show(ask, repo, found)


def _release(ask: Ask, repo: Repository) -> Release:
    number = int(ask.part("id"))
    for one in repo.releases:
        if one.id == number and not one.hidden and (not one.draft or _writes(ask)):
            return one
    raise ApiError(404, "The target couldn't be found.", errors=[])


def get(ask: Ask) -> Any:
    repo = ask.repo()
    return show(ask, repo, _release(ask, repo))


def create(ask: Ask) -> Any:
    repo = ask.repo()
    account = ask.need("repository")
    if not account.writer:
        raise ApiError(403, "user should have a permission to write to a repo")
    tag = ask.body.get("tag_name")
    if not isinstance(tag, str) or not _TAG.fullmatch(tag):
        raise ApiError(422, "[TagName]: Required")
    if not repo.refs("refs/heads/"):
        raise ApiError(422, "repo is empty")
    if repo.archived:
        raise ApiError(500, "")
    known, draft = repo.release_of(tag), bool(ask.body.get("draft"))
    if known and not known.hidden:
        raise ApiError(409, "Release is has no Tag")
    target = str(ask.body.get("target_commitish") or ("" if known else repo.default_branch))
    made = Release(
        id=next(ask.world.numbers),
        tag=tag,
        target=target,
        title=str(ask.body.get("name") or (tag if ask.world.flavour == "forgejo" else "")),
        body=str(ask.body.get("body") or ""),
        author=account.login,
        draft=draft,
    )
    if not draft:
        _make_tag(repo, made)
    if known:
        repo.releases.remove(known)
    repo.releases.append(made)
    if not draft:
        events.deliver(
            ask.world, repo, "release", {"action": "published", "release": show(ask, repo, made)}, "forge"
        )
    return 201, show(ask, repo, made)


def _make_tag(repo: Repository, release: Release) -> bool:
    """Make the release's git tag where there is none; whether it did. Raises ApiError 404, or as 500."""
    if f"refs/tags/{release.tag}" in repo.refs("refs/tags/"):
        return False
    sha = repo.find(release.target) if release.target else None
    if sha is None:
        raise ApiError(404 if release.target else 500, "")
    repo.git("update-ref", f"refs/tags/{release.tag}", sha)
    return True


def change(ask: Ask) -> Any:
    repo = ask.repo()
    ask.need("repository")
    release = _release(ask, repo)
    release.title = ask.body.get("name") or release.title
    release.body = ask.body.get("body") or release.body
    release.target = ask.body.get("target_commitish") or release.target
    action = "updated"
    if ask.body.get("draft") is False and release.draft:
        try:
            action = "published" if _make_tag(repo, release) else "updated"
        except ApiError:
            raise ApiError(500, "") from None
        release.draft = False
        release.created = time.time()
    if not release.draft:
        events.deliver(
            ask.world, repo, "release", {"action": action, "release": show(ask, repo, release)}, "forge"
        )
    return show(ask, repo, release)


def remove(ask: Ask) -> Any:
    repo = ask.repo()
    ask.need("repository")
    release = _release(ask, repo)
    release.hidden, release.assets = True, []
    if not release.draft:
        events.deliver(ask.world, repo, "release", {"action": "deleted", "release": show(ask, repo, release)}, "x")
    return 204, None


# -- assets ------------------------------------------------------------------------------------------


def assets(ask: Ask) -> Any:
    repo = ask.repo()
    release = _release(ask, repo)
    return [show_asset(ask, repo, release, one) for one in release.assets]


def remove_asset(ask: Ask) -> Any:
    repo = ask.repo()
    ask.need("repository")
    release = _release(ask, repo)
    asset = next((one for one in release.assets if one.id == int(ask.part("asset"))), None)
    if asset is None:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    release.assets.remove(asset)
    return 204, None


def upload(world: World) -> Any:
    """The route that takes an asset as a raw body, streamed to a file; it is there once it is whole."""

    async def endpoint(request: Request) -> Response:
        try:
            ask = Ask(world, request, _account(world, request), {})
            await run_in_threadpool(_locked, world, _check_upload, ask)
            name = request.query_params.get("name", "")
            if not name or request.headers.get("content-type") != "application/octet-stream":
                raise ApiError(400, "http: no such file")
            path, size = await _store(world, request.stream())
            return await run_in_threadpool(_locked, world, lambda one: _take(one, name, path, size), ask)
        except ApiError as error:
            return JSONResponse(error.body, error.status)

    return endpoint


def _check_upload(ask: Ask) -> Any:
    repo = ask.repo()
    ask.need("repository")
    _release(ask, repo)
    if ask.world.quota is not None and int(ask.request.headers.get("content-length", "0")) > ask.world.quota:
        raise ApiError(413, "quota exceeded", user_id=1, username="lhumina_code")
    return {}


async def _store(world: World, stream: AsyncIterator[bytes]) -> tuple[Path, int]:
    folder = world.folder / "attachments"
    folder.mkdir(exist_ok=True)
    path, size = folder / str(next(world.numbers)), 0
    with path.open("wb") as file:
        async for part in stream:
            file.write(part)
            size += len(part)
    return path, size


def _take(ask: Ask, name: str, path: Path, size: int) -> Any:
    repo = ask.repo()
    release = _release(ask, repo)
    made = Asset(next(ask.world.numbers), name, path, size)
    release.assets.append(made)
    return 201, show_asset(ask, repo, release, made, fresh=True)
