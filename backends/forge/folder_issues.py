"""Issues of a folder forge: a file each in `<org>/<name>.issues/`, so that a box without a server has some."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backends.forge.folder_files import disk_errors, in_thread, locked, write_atomically
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
from backends.model.field_types import Moment
from backends.model.text import safe_line
from backends.system_box import login_of

FILE_LIMIT = 8 << 20
"""Largest file of an issue in bytes."""

_FOLDER = ".issues"


class _CommentRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    author: str
    body: str
    created_at: Moment


class _IssueRecord(BaseModel):
    """The whole file; its number is its name. A comment's id is its place, from 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: Annotated[Literal[1], Field(alias="schema")] = 1
    title: str
    body: str = ""
    state: Literal["open", "closed"] = "open"
    author: str = ""
    labels: tuple[str, ...] = ()
    comments: tuple[_CommentRecord, ...] = ()


class FolderIssues:
    """The part of a FolderForge that speaks of issues."""

    root: Path

    async def _git_dir(self, repo: str) -> Path:
        raise NotImplementedError

    async def addresses(self, repo: str) -> tuple[str, ...]:
        return ()

    async def create_issue(self, repo: str, title: str, body: str = "", labels: Sequence[str] = ()) -> Issue:
        """A new issue of whoever calls. Raises HeroError."""
        await self._git_dir(repo)
        record = _IssueRecord(
            title=safe_line(title, 500), body=shortened(body), author=_me(), labels=tuple(labels)
        )
        number = await in_thread(_create, self._issues(repo), record)
        return _issue(repo, number, record)

    async def issue(self, repo: str, number: int) -> Issue:
        await self._git_dir(repo)
        return _issue(repo, number, await in_thread(_read, self._issues(repo), repo, check_number(number)))

    async def comments(self, repo: str, number: int, *, newest: int = 50) -> tuple[Comment, ...]:
        check_newest(newest)
        await self._git_dir(repo)
        record = await in_thread(_read, self._issues(repo), repo, check_number(number))
        return _comments(record)[-newest:]

    async def comment(self, repo: str, number: int, text: str, *, key: str = "") -> Comment:
        await self._git_dir(repo)
        mark = key or secrets.token_hex(8)
        added = _CommentRecord(author=_me(), body=marked(text, mark), created_at=datetime.now(UTC))
        return await in_thread(_add, self._issues(repo), repo, check_number(number), added)

    def _issues(self, repo: str) -> Path:
        return self.root / f"{repo}{_FOLDER}"


def _create(folder: Path, record: _IssueRecord) -> int:
    with disk_errors("write an issue"):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".lock"):
            numbers = [
                int(path.stem) for path in folder.glob("*.json") if path.stem.isascii() and path.stem.isdigit()
            ]
            number = max(numbers, default=0) + 1
            _write(folder, number, record)
    return number


def _add(folder: Path, repo: str, number: int, added: _CommentRecord) -> Comment:
    """The comment, or the one that is there under the same key."""
    _read(folder, repo, number)
    with disk_errors("write a comment"), locked(folder / ".lock"):
        record = _read(folder, repo, number)
        key = unmarked(added.body)[1]
        if there := next((one for one in _comments(record) if one.key == key), None):
            return there
        changed = record.model_copy(update={"comments": (*record.comments, added)})
        _write(folder, number, changed)
    return _comments(changed)[-1]


def _write(folder: Path, number: int, record: _IssueRecord) -> None:
    content = record.model_dump_json(by_alias=True, indent=2).encode()
    if len(content) > FILE_LIMIT:
        raise HeroError("usage", f"The issue {number} has grown too large.", hint="Begin another one.")
    write_atomically(folder / f"{number}.json", content)


def _read(folder: Path, repo: str, number: int) -> _IssueRecord:
    path = folder / f"{number}.json"
    try:
        with disk_errors(f"read the issue {number}"), path.open("rb") as file:
            return _IssueRecord.model_validate_json(file.read(FILE_LIMIT + 1))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise HeroError(
            "invalid_file",
            f"The issue {number} of {repo} is damaged: {safe_line(str(path))}{f' at `{place}`' if place else ''}.",
            hint="Mend that file, or move it away.",
        ) from None
    except HeroError as error:
        raise error if os.path.lexists(path) else absent(repo, number) from None


def _issue(repo: str, number: int, record: _IssueRecord) -> Issue:
    return Issue(
        repo=repo,
        number=number,
        title=safe_line(record.title, 500),
        body=shortened(record.body),
        state=record.state,
        author=safe_line(record.author, 100),
        labels=tuple(safe_line(label, 100) for label in record.labels),
        url="",
        comments_count=len(record.comments),
    )


def _comments(record: _IssueRecord) -> tuple[Comment, ...]:
    found = []
    for number, one in enumerate(record.comments, 1):
        body, key = unmarked(one.body)
        found.append(Comment(str(number), safe_line(one.author, 100), body, one.created_at, "", key))
    return tuple(found)


def _me() -> str:
    return login_of(os.geteuid())
