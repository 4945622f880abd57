"""Webhooks of a repository on a Forgejo or Gitea: seen, made active and signed, removed."""

from __future__ import annotations

from backends.forge.base import Hook
from backends.forge.forgejo_api import ForgejoApi
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_records import RawHook, read, read_all, to_hook
from backends.forge.forgejo_repos import Repositories
from backends.model.errors import HeroError
from backends.model.names import check_repo

EVENTS = ("push", "create", "delete", "release")
_KINDS = ("forgejo", "gitea")
"""What a hook may be called; the first one that the forge knows is taken."""


class Hooks:
    """Webhooks. A secret is only ever sent when a hook is made, so changing it means another hook."""

    def __init__(self, api: ForgejoApi, repositories: Repositories) -> None:
        self._api = api
        self._repositories = repositories

    async def all(self, repo: str) -> tuple[Hook, ...]:
        path = f"/repos/{check_repo(repo)}/hooks"
        try:
            found = [raw async for raw in self._api.every(path)]
        except HeroError as error:
            if status_of(error) == 404:
                await self._repositories.get(repo)
            raise
        return tuple(to_hook(raw) for raw in read_all(RawHook, found) if raw.type in _KINDS)

    async def create(self, repo: str, url: str, secret: str) -> Hook:
        path = f"/repos/{check_repo(repo)}/hooks"
        body = {
            "config": {"url": url, "content_type": "json", "secret": secret},
            "events": list(EVENTS),
            "active": True,
        }
        refused: HeroError | None = None
        for kind in _KINDS:
            try:
                answer = await self._api.json("POST", path, body={"type": kind, **body})
            except HeroError as error:
                if status_of(error) == 404:
                    await self._repositories.get(repo)
                if status_of(error) != 422:
                    raise
                refused = error
                continue
            return to_hook(read(RawHook, answer, self._api.site, f"POST {path}"))
        raise refused or AssertionError("there is a kind")

    async def delete(self, repo: str, hook_id: str) -> None:
        check_repo(repo)
        if not (hook_id.isascii() and hook_id.isdigit()):
            return
        try:
            await self._api.json("DELETE", f"/repos/{repo}/hooks/{hook_id}")
        except HeroError as error:
            if status_of(error) != 404:
                raise
            await self._repositories.get(repo)
