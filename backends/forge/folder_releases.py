"""The releases of one repository in a folder, as readers see them; blocking, to be run in a thread."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backends.forge.base import Page, Release
from backends.forge.folder_files import disk_errors, locked
from backends.forge.folder_records import (
    AssetRecord,
    Published,
    published,
    read_record,
    release_id,
    split_id,
    to_release,
)
from backends.model.errors import HeroError, unknown_name
from backends.model.release import parse_tag
from backends.model.text import safe_line


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the forge folder that is left out of every answer, and why."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class FolderReleases:
    """The releases of `repo` in the folder `root`: `<time>_<tag>/`, and `.drafts/<id>/` before that.

    Each holds `release.json` and `assets/`. `.uploads/` takes what is not complete yet; who changes
    anything holds `.lock`. Methods raise HeroError as `Forge` says.
    """

    repo: str
    root: Path

    @property
    def drafts(self) -> Path:
        return self.root / ".drafts"

    @property
    def uploads(self) -> Path:
        return self.root / ".uploads"

    @contextlib.contextmanager
    def changing(self, what: str) -> Iterator[None]:
        """Be the only one that changes these releases; OSErrors say that it was to `what`."""
        with disk_errors(what):
            self.drafts.mkdir(parents=True, exist_ok=True)
            self.uploads.mkdir(exist_ok=True)
            with locked(self.root / ".lock"):
                yield

    def page(self, branch: str | None, page: int, limit: int, *, drafts: bool) -> Page[Release]:
        """One page of the list; opens no release of any other page."""
        start, end = (page - 1) * limit, page * limit
        with disk_errors(f"list the releases of {self.repo}"):
            before = self._draft_list(branch) if drafts else []
            names = self._named(branch)
        shown = names[max(0, start - len(before)) : max(0, end - len(before))]
        found = [release for name in shown if (release := self._readable(name))]
        return Page(tuple(before[start:end] + found), page + 1 if end < len(before) + len(names) else None)

    def latest(self, branch: str) -> Release | None:
        """The release of `branch` that was published last and can be read."""
        with disk_errors(f"list the releases of {self.repo}"):
            names = self._named(branch)
        return next((release for name in names if (release := self._readable(name))), None)

    def get(self, tag: str) -> Release:
        """The published release called `tag`."""
        found = self._published(tag)
        return to_release(self.repo, found.path, read_record(found.path, tag), found.published_at)

    def asset_path(self, tag: str, name: str) -> Path:
        """Where the published asset lies."""
        found = self._published(tag)
        record = read_record(found.path, tag)
        if not record.asset(name):
            raise unknown_name("asset", safe_line(name, 200), [a.name for a in record.assets])
        return found.path / "assets" / name

    def find(self, tag: str) -> Published | None:
        """The published release called `tag`, unopened."""
        return next((p for p in published(self.root) if p.tag == tag), None)

    def _published(self, tag: str) -> Published:
        with disk_errors(f"look for the release {safe_line(tag, 200)}"):
            found = self.find(tag)
            if not found:
                raise unknown_name("release", safe_line(tag, 200), [p.tag for p in published(self.root)])
        return found

    def _named(self, branch: str | None) -> list[Published]:
        return [p for p in published(self.root) if branch is None or _is_of(p.tag, branch)]

    def _readable(self, found: Published) -> Release | None:
        try:
            return to_release(self.repo, found.path, read_record(found.path, found.tag), found.published_at)
        except HeroError:
            return None  # `problems` reports it

    def _draft_list(self, branch: str | None) -> list[Release]:
        found = []
        for folder in self._draft_folders():
            with contextlib.suppress(HeroError):  # `problems` reports it
                tag, _ = split_id(folder.name)
                if branch is None or _is_of(tag, branch):
                    found.append(to_release(self.repo, folder, read_record(folder, tag), None))
        return sorted(found, key=lambda release: release.created_at, reverse=True)

    def _draft_folders(self) -> list[Path]:
        if not self.drafts.is_dir():
            return []
        return sorted(folder for folder in self.drafts.iterdir() if not folder.name.startswith("."))

    def conflict(self, found: Published, what: str) -> HeroError:
        """The error for the published release that stands in the way."""
        commit = ""
        with contextlib.suppress(HeroError):
            commit = read_record(found.path, found.tag).commit
        return HeroError(
            "conflict",
            f"{self.repo}: the release {found.tag} {what}.",
            hint="A published release never changes: commit something, and publish that.",
            data={
                "tag": found.tag,
                "commit": commit,
                "id": release_id(found.tag, commit),
                "published_at": found.published_at.isoformat(),
            },
        )

    def problems(self) -> list[Problem]:
        """Everything that the other methods leave out, with the reason. Raises HeroError if it cannot look."""
        with disk_errors(f"look through the releases of {self.repo}"):
            if not self.root.is_dir():
                return []
            known = published(self.root)
            named = {p.path.name for p in known}
            found = [
                Problem(path, "is no release: its name is not `<time>_<tag>`")
                for path in sorted(self.root.iterdir())
                if path.name not in named and not path.name.startswith(".")
            ]
            for release in known:
                found += _folder_problems(release.path, release.tag)
            for folder in self._draft_folders():
                found += _draft_problems(folder)
        return found


def _is_of(tag: str, branch: str) -> bool:
    return tag.startswith(f"{branch}-") and parse_tag(tag, branch) is not None


def asset_problem(folder: Path, asset: AssetRecord) -> str:
    """What is wrong with the asset's file in the release `folder`, without reading it; "" if nothing."""
    try:
        size = os.lstat(folder / "assets" / asset.name).st_size
    except OSError as error:
        return f"its asset {asset.name} cannot be read ({error.strerror})"
    return "" if size == asset.size else f"its asset {asset.name} has {size} bytes instead of {asset.size}"


def _folder_problems(folder: Path, tag: str) -> list[Problem]:
    try:
        record = read_record(folder, tag)
    except HeroError as error:
        return [Problem(folder, error.message)]
    return [Problem(folder, message) for asset in record.assets if (message := asset_problem(folder, asset))]


def _draft_problems(folder: Path) -> list[Problem]:
    try:
        tag, _ = split_id(folder.name)
    except HeroError:
        return [Problem(folder, "is no draft: its name is not `<tag>@<commit>`")]
    return _folder_problems(folder, tag)
