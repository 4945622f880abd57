"""How a release lies in the folder forge: its names on disk and its `release.json`, read as hostile input."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from backends.forge.base import Asset, Release
from backends.model.errors import HeroError
from backends.model.field_types import Commit, Moment, Sha256
from backends.model.names import BadValue, check_branch, check_commit
from backends.model.paths import folder_name
from backends.model.text import safe_line, safe_text

RECORD_LIMIT = 4 << 20
"""Largest `release.json` in bytes; its body is what grows."""

_STAMP = "%Y%m%dT%H%M%S.%fZ"
_PUBLISHED = re.compile(r"([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)_(.+)", re.DOTALL)
_HASH_SUFFIX = re.compile(r"-[0-9a-f]{8}\Z")
_ASSET_LIMIT = 200


def check_tag(tag: str) -> str:
    """`tag` if git, a folder and a terminal can carry it; BadValue otherwise."""
    check_branch(_HASH_SUFFIX.sub("", tag))
    return tag


def check_asset_name(name: str) -> str:
    """`name` if it is one plain file name; BadValue otherwise."""
    plain = name.isprintable() and not re.search(r"[/\\]", name) and name[:1] not in ("", ".", "-")
    if not plain or len(name.encode()) > _ASSET_LIMIT:
        raise BadValue(
            name, f"a file name of at most {_ASSET_LIMIT} printable bytes, no `/`, not beginning with `.`, `-`"
        )
    return name


class AssetRecord(BaseModel):
    """One asset in `release.json`: size in bytes, sha256 in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(check_asset_name)]
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class ReleaseRecord(BaseModel):
    """The whole `release.json`. When it was published stands in the folder's name, not here."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: Literal[1] = Field(default=1, alias="schema")
    tag: Annotated[str, AfterValidator(check_tag)]
    commit: Commit
    title: str
    body: str
    author: str
    created_at: Moment
    assets: tuple[AssetRecord, ...] = ()

    def asset(self, name: str) -> AssetRecord | None:
        """The asset called `name`, if there is one."""
        return next((a for a in self.assets if a.name == name), None)

    def digests(self) -> dict[str, str]:
        """sha256 by asset name: what makes two releases of one commit the same."""
        return {a.name: a.sha256 for a in self.assets}


@dataclass(frozen=True, slots=True)
class Published:
    """One published release as its folder's name tells it, without opening anything."""

    path: Path
    tag: str
    published_at: datetime


def published_folder(tag: str, published_at: datetime) -> str:
    """The folder name of a release: sorts by publication, and says the tag."""
    return f"{published_at.astimezone(UTC).strftime(_STAMP)}_{folder_name(tag)}"


def published(releases: Path) -> list[Published]:
    """All published releases in the folder `releases`, the last published first. Raises OSError."""
    try:
        names = sorted((path.name for path in releases.iterdir()), reverse=True)
    except FileNotFoundError:
        return []
    return [found for name in names if (found := _published(releases, name))]


def _published(releases: Path, name: str) -> Published | None:
    match = _PUBLISHED.fullmatch(name)
    if not match:
        return None
    tag = unquote(match[2], errors="replace")
    if folder_name(tag) != match[2]:
        return None
    try:
        moment = datetime.fromisoformat(match[1])
    except ValueError:
        return None
    return Published(releases / name, tag, moment)


def release_id(tag: str, commit: str) -> str:
    """The id of the one draft, and later release, of `tag` at `commit`; also its draft's folder name."""
    return f"{folder_name(tag)}@{commit}"


def split_id(identifier: str) -> tuple[str, str]:
    """Tag and commit of a release id. Raises HeroError not_found for what is none."""
    quoted, _, commit = identifier.rpartition("@")
    tag = unquote(quoted, errors="replace")
    try:
        check_tag(tag)
        check_commit(commit)
    except BadValue:
        tag = ""
    if release_id(tag, commit) != identifier:
        raise no_draft(identifier)
    return tag, commit


def no_draft(identifier: str) -> HeroError:
    """The error for a draft that is not there."""
    return HeroError(
        "not_found",
        f"There is no draft release {safe_line(identifier, 300)!r}.",
        hint="It was deleted, or never made: begin again with a new draft.",
    )


def read_record(folder: Path, tag: str | None = None) -> ReleaseRecord:
    """The record of the release in `folder`, which must be of `tag`. Raises HeroError invalid_file."""
    try:
        with (folder / "release.json").open("rb") as file:
            content = file.read(RECORD_LIMIT + 1)
        if len(content) > RECORD_LIMIT:
            raise _damaged(folder, f"release.json is larger than {RECORD_LIMIT} bytes")
        record = ReleaseRecord.model_validate_json(content)
    except OSError as error:
        raise _damaged(folder, f"release.json cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _damaged(folder, f"release.json: {f'{place}: ' if place else ''}{first['msg']}") from error
    if tag is not None and record.tag != tag:
        raise _damaged(folder, f"release.json is of the tag {record.tag!r}")
    return record


def _damaged(folder: Path, why: str) -> HeroError:
    return HeroError(
        "invalid_file",
        f"The release in {safe_line(str(folder))} is damaged: {safe_line(why, 300)}.",
        hint="Remove that folder and publish the release again.",
        data={"path": str(folder)},
    )


def to_release(repo: str, folder: Path, record: ReleaseRecord, published_at: datetime | None) -> Release:
    """The port's value for the release in `folder`; None as `published_at` makes it a draft."""
    return Release(
        id=release_id(record.tag, record.commit),
        repo=repo,
        tag=record.tag,
        commit=record.commit,
        title=safe_line(record.title),
        body=safe_text(record.body),
        author=safe_line(record.author, 200),
        draft=published_at is None,
        created_at=record.created_at,
        published_at=published_at,
        assets=tuple(to_asset(folder, asset) for asset in record.assets),
        downloads=0,
    )


def to_asset(folder: Path, record: AssetRecord) -> Asset:
    """The port's value for one asset of the release in `folder`."""
    return Asset(record.name, record.size, record.sha256, (folder / "assets" / record.name).absolute().as_uri())
