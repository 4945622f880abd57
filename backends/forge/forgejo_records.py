"""What a Forgejo or Gitea tells, read as hostile input, and turned into the port's own values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from backends.forge.base import Asset, Branch, Change, CommitStatus, Hook, Release, StatusState
from backends.forge.folder_records import check_asset_name
from backends.forge.forgejo_api import part
from backends.forge.forgejo_errors import Site
from backends.model.field_types import Commit, Moment
from backends.model.names import BadValue
from backends.model.text import safe_line, safe_text

_UUID = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f-]{7,63}")
_EPOCH = datetime.fromtimestamp(0, UTC)
_STATES: dict[str, StatusState] = {
    "pending": "pending",
    "success": "success",
    "failure": "failure",
    "error": "error",
    "warning": "warning",
}

R = TypeVar("R", bound="Record")


def _or(empty: object) -> BeforeValidator:
    """Go writes null for what is empty."""
    return BeforeValidator(lambda value: empty if value is None else value)


def _uuid(value: object) -> str:
    return value if isinstance(value, str) and _UUID.fullmatch(value) else ""


Text = Annotated[str, _or("")]
Time = Annotated[Moment, _or(_EPOCH)]


class Record(BaseModel):
    """Something that the forge tells; what we do not know is left aside."""


class User(Record):
    login: Text = ""
    full_name: Text = ""
    is_admin: bool = False


class RawAsset(Record):
    """`uuid` is "" where it is none; `type` "external" is a link to elsewhere (Forgejo)."""

    id: int
    name: str
    size: Annotated[int, _or(0)] = Field(default=0, ge=0)
    download_count: Annotated[int, _or(0)] = 0
    uuid: Annotated[str, BeforeValidator(_uuid)] = ""
    type: Text = "attachment"


class RawRelease(Record):
    id: int
    tag_name: str
    target_commitish: Text = ""
    name: Text = ""
    body: Text = ""
    draft: bool = False
    created_at: Time = _EPOCH
    published_at: Time = _EPOCH
    author: User | None = None
    assets: Annotated[tuple[RawAsset, ...], _or(())] = ()

    def named(self, name: str) -> list[RawAsset]:
        """The assets called exactly `name`, the oldest first: names are not unique."""
        return sorted((asset for asset in self.assets if asset.name == name), key=lambda asset: asset.id)


class Signature(Record):
    name: Text = ""
    date: Time = _EPOCH


class BranchCommit(Record):
    id: Commit
    message: Text = ""
    timestamp: Time = _EPOCH
    author: Signature | None = None


class RawBranch(Record):
    name: str
    commit: BranchCommit


class CommitBody(Record):
    message: Text = ""
    author: Signature | None = None
    committer: Signature | None = None


class RawCommit(Record):
    sha: Commit
    commit: CommitBody = CommitBody()


class RawStatus(Record):
    id: int = 0
    context: Text = ""
    status: Text = ""
    description: Text = ""
    target_url: Text = ""
    created_at: Time = _EPOCH


class RawHook(Record):
    id: int
    type: Text = ""
    config: Annotated[dict[str, Any], _or({})] = {}
    events: Annotated[tuple[str, ...], _or(())] = ()
    active: bool = False


class RawApplication(Record):
    """`client_secret` is told only where it was just made."""

    id: int = Field(ge=1, lt=1 << 63)
    name: Annotated[str, _or("")] = Field(default="", max_length=500)
    client_id: str = Field(pattern=r"^[\x21-\x7e]{1,200}$")
    client_secret: Annotated[str, _or("")] = Field(default="", max_length=500, repr=False)
    skip_secondary_authorization: Annotated[bool, _or(False)] = False
    redirect_uris: Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], _or(())] = Field(
        default=(), max_length=100
    )


class RawRepository(Record):
    """What changes of a repository when something happens in it."""

    full_name: str
    private: bool = False
    empty: bool = False
    archived: bool = False
    default_branch: Text = ""
    updated_at: Time = _EPOCH
    release_counter: Annotated[int, _or(0)] = 0
    branch_count: Annotated[int, _or(0)] = 0


class Head(Record):
    ref: Text = ""
    sha: Text = ""


class RawPull(Record):
    number: int
    state: Text = ""
    merged: Annotated[bool, _or(False)] = False
    mergeable: Annotated[bool, _or(False)] = False
    head: Head = Head()
    base: Head = Head()


def read(kind: type[R], answer: object, site: Site, request: str) -> R:
    """`answer` as a `kind`. Raises HeroError failed where it is none."""
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise site.no_forge(request, f"`{where or kind.__name__}` is missing or wrong") from None


def read_all(kind: type[R], answers: Iterable[object]) -> list[R]:
    """Those of `answers` that are a `kind`; damaged ones are left out."""
    found = []
    for answer in answers:
        try:
            found.append(kind.model_validate(answer))
        except ValidationError:
            continue
    return found


def to_branch(raw: RawBranch) -> Branch:
    return Branch(
        name=raw.name,
        commit=raw.commit.id,
        author=safe_line(raw.commit.author.name if raw.commit.author else "", 200),
        committed_at=raw.commit.timestamp,
        subject=_subject(raw.commit.message),
    )


def to_change(raw: RawCommit) -> Change:
    committer = raw.commit.committer or raw.commit.author
    return Change(
        commit=raw.sha,
        author=safe_line(raw.commit.author.name if raw.commit.author else "", 200),
        committed_at=committer.date if committer else _EPOCH,
        subject=_subject(raw.commit.message),
    )


def to_status(raw: RawStatus) -> CommitStatus:
    """A state that nobody knows counts as pending: it says neither yes nor no."""
    return CommitStatus(
        context=safe_line(raw.context, 300),
        state=_STATES.get(raw.status, "pending"),
        description=safe_line(raw.description, 500),
        url=safe_line(raw.target_url, 1000),
        created_at=raw.created_at,
    )


def to_hook(raw: RawHook) -> Hook:
    url = raw.config.get("url")
    return Hook(
        str(raw.id), safe_line(url if isinstance(url, str) else "", 1000), tuple(sorted(raw.events)), raw.active
    )


def asset_url(base: str, repo: str, release: RawRelease, asset: RawAsset) -> str:
    """Where `asset` is downloaded, at the forge's address as we know it; the forge itself may know another one."""
    if asset.uuid and (release.draft or len(release.named(asset.name)) > 1):
        return f"{base}/attachments/{asset.uuid}"
    return f"{base}/{repo}/releases/download/{part(release.tag_name)}/{part(asset.name)}"


def to_asset(base: str, repo: str, release: RawRelease, asset: RawAsset, sha256: str | None) -> Asset:
    return Asset(
        name=asset.name,
        size=asset.size,
        sha256=sha256,
        url=asset_url(base, repo, release, asset),
        downloads=asset.download_count,
    )


def to_release(base: str, repo: str, raw: RawRelease, commit: str, digest: Callable[[str], str | None]) -> Release:
    """`digest` gives the SHA-256 of an asset by its uuid, where we computed it.

    A file whose name is no plain name is left out.
    """
    return Release(
        id=str(raw.id),
        repo=repo,
        tag=raw.tag_name,
        commit=commit,
        title=safe_line(raw.name or raw.tag_name, 500),
        body=safe_text(raw.body),
        author=safe_line(raw.author.full_name or raw.author.login if raw.author else "", 200),
        draft=raw.draft,
        created_at=raw.created_at,
        published_at=None if raw.draft else raw.published_at,
        assets=tuple(to_asset(base, repo, raw, a, digest(a.uuid)) for a in raw.assets if _is_plain(a.name)),
        downloads=sum(asset.download_count for asset in raw.assets),
        url=f"{base}/{repo}/releases/tag/{part(raw.tag_name)}",
    )


def _is_plain(name: str) -> bool:
    try:
        check_asset_name(name)
    except BadValue:
        return False
    return True


def _subject(message: str) -> str:
    return safe_line(message.lstrip().partition("\n")[0].strip(), 500)
