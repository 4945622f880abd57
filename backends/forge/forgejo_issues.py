"""Issues on a Forgejo or Gitea, read as hostile input; a comment is written once, even where an answer is lost."""

from __future__ import annotations

import contextlib
import secrets
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from backends.forge.forgejo_api import ForgejoApi
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_records import Record, Text, Time, User, read, read_all
from backends.forge.forgejo_repos import Repositories
from backends.forge.issues import (
    Comment,
    Issue,
    absent,
    check_newest,
    check_number,
    marked,
    shortened,
    unmarked,
)
from backends.model.errors import HeroError
from backends.model.names import check_repo
from backends.model.text import safe_line

_LABELS = 50


def _list(value: object) -> object:
    return value if isinstance(value, list) else []


class _Label(Record):
    name: Text = ""


class _Issue(Record):
    """`pull_request` is null for an issue; forges number both in one row and give both here."""

    number: int = Field(ge=1)
    title: Text = ""
    body: Text = ""
    state: Text = ""
    user: User | None = None
    labels: Annotated[tuple[_Label, ...], BeforeValidator(_list)] = ()
    comments: int = Field(default=0, ge=0)
    pull_request: Any = None


class _Comment(Record):
    id: int = Field(ge=1)
    body: Text = ""
    user: User | None = None
    created_at: Time


class _Seen(Record):
    html_url: Text = ""


class Issues:
    """Methods raise HeroError as `Forge` says."""

    def __init__(self, api: ForgejoApi, repositories: Repositories) -> None:
        self._api = api
        self._repositories = repositories

    async def addresses(self, repo: str) -> tuple[str, ...]:
        """Ours, and the one that the forge itself tells, which is people's where we reach it by another name."""
        base = self._api.site.base
        path = f"/repos/{check_repo(repo)}"
        answer = await self._api.find(path)
        told = read(_Seen, answer, self._api.site, f"GET {path}").html_url if answer is not None else ""
        other = told.removesuffix(f"/{repo}")
        return (base,) if other in ("", base, told) else (base, other)

    async def get(self, repo: str, number: int) -> Issue:
        path = f"{_path(repo)}/{check_number(number)}"
        answer = await self._api.find(path)
        if answer is None:
            await self._repositories.get(repo)
            raise absent(repo, number)
        raw = read(_Issue, answer, self._api.site, f"GET {path}")
        if raw.pull_request is not None:
            raise HeroError(
                "usage", f"{repo}#{number} is a pull request, not an issue.", hint="Name the issue that it is for."
            )
        return self._issue(repo, raw)

    async def comments(self, repo: str, number: int, newest: int) -> tuple[Comment, ...]:
        check_newest(newest)
        return (await self._all(repo, number))[-newest:]

    async def comment(self, repo: str, number: int, text: str, key: str) -> Comment:
        path = f"{_path(repo)}/{check_number(number)}/comments"
        mark = key or secrets.token_hex(8)
        body = {"body": marked(text, mark)}
        if key and (there := await self._under(repo, number, mark)):
            return there
        try:
            answer = await self._api.json("POST", path, body=body)
        except HeroError as error:
            if status_of(error) in (404, 500):
                await self.get(repo, number)
            if there := await self._taken_all_the_same(error, repo, number, mark):
                return there
            raise
        return self._comment(repo, number, read(_Comment, answer, self._api.site, f"POST {path}"))

    async def _taken_all_the_same(self, error: HeroError, repo: str, number: int, key: str) -> Comment | None:
        """The comment, where the forge took it and its answer was lost: it is never sent a second time blindly."""
        status = status_of(error)
        if status is not None and status < 500:
            return None
        with contextlib.suppress(HeroError):
            return await self._under(repo, number, key)
        return None

    async def _under(self, repo: str, number: int, key: str) -> Comment | None:
        found = await self._all(repo, number)
        return next((one for one in found if one.key == key), None)

    async def _all(self, repo: str, number: int) -> tuple[Comment, ...]:
        """The oldest first. The one list that forges give whole, however few are asked for."""
        path = f"{_path(repo)}/{check_number(number)}/comments"
        try:
            answer = await self._api.json("GET", path)
        except HeroError as error:
            # An issue that is not there is 404, or 500 with nothing said.
            if status_of(error) in (404, 500):
                await self.get(repo, number)
            raise
        if not isinstance(answer, list):
            raise self._api.site.no_forge(f"GET {path}", "there is no list in it")
        found = sorted(read_all(_Comment, answer), key=lambda raw: raw.id)
        return tuple(self._comment(repo, number, raw) for raw in found)

    def _issue(self, repo: str, raw: _Issue) -> Issue:
        return Issue(
            repo=repo,
            number=raw.number,
            title=safe_line(raw.title, 500),
            body=shortened(raw.body),
            state="closed" if raw.state == "closed" else "open",
            author=_login(raw.user),
            labels=tuple(safe_line(label.name, 100) for label in raw.labels[:_LABELS]),
            url=f"{self._api.site.base}/{repo}/issues/{raw.number}",
            comments_count=raw.comments,
        )

    def _comment(self, repo: str, number: int, raw: _Comment) -> Comment:
        body, key = unmarked(raw.body)
        url = f"{self._api.site.base}/{repo}/issues/{number}#issuecomment-{raw.id}"
        return Comment(str(raw.id), _login(raw.user), body, raw.created_at, url, key)


def _path(repo: str) -> str:
    return f"/repos/{check_repo(repo)}/issues"


def _login(user: User | None) -> str:
    return safe_line(user.login if user else "", 100)
