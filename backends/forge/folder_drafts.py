"""How a release comes to be in a folder: draft, assets, one rename; blocking, to be run in a thread."""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from backends.durable import sync_folder
from backends.failpoints import failpoint
from backends.forge.base import Asset, Release
from backends.forge.folder_files import write_atomically
from backends.forge.folder_records import (
    AssetRecord,
    Published,
    ReleaseRecord,
    no_draft,
    published,
    published_folder,
    read_record,
    release_id,
    split_id,
    to_asset,
    to_release,
)
from backends.forge.folder_releases import FolderReleases, asset_problem
from backends.model.errors import HeroError
from backends.model.text import safe_line


def create_draft(at: FolderReleases, record: ReleaseRecord) -> Release:
    """The draft of the record's tag and commit: the one that is there, else a new one."""
    folder = at.drafts / release_id(record.tag, record.commit)
    with at.changing(f"make a draft of {record.tag}"):
        if found := at.find(record.tag):
            raise at.conflict(found, "is published already")
        with contextlib.suppress(HeroError):  # none there, or a damaged one that is begun again
            return to_release(at.repo, folder, read_record(folder, record.tag), None)
        _discard(at, folder)
        fresh = at.drafts / f".new-{secrets.token_hex(8)}"
        try:
            (fresh / "assets").mkdir(parents=True)
            _write(fresh, record)
            fresh.rename(folder)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        sync_folder(at.drafts)
    return to_release(at.repo, folder, record, None)


def begin_upload(at: FolderReleases, identifier: str) -> BinaryIO:
    """A new file for an asset that is coming in. Keep it open until it is taken: it is locked meanwhile,
    and by that lock known from the remains of a killed upload, which go now."""
    tag, _ = split_id(identifier)
    with at.changing(f"take in a file for {tag}"):
        if not (at.drafts / identifier).is_dir() and not at.find(tag):
            raise no_draft(identifier)
        for left in at.uploads.iterdir():
            # One that somebody else's upload was is gone as soon as that is over.
            with contextlib.suppress(BlockingIOError, FileNotFoundError), left.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
        fresh = (at.uploads / secrets.token_hex(8)).open("xb")
        fcntl.flock(fresh, fcntl.LOCK_EX)
    return fresh


def take_asset(at: FolderReleases, identifier: str, upload: Path, asset: AssetRecord) -> Asset:
    """Move the complete, synced file `upload` into the draft; not moved if the same is there already."""
    tag, commit = split_id(identifier)
    folder = at.drafts / identifier
    with at.changing(f"add {asset.name} to {tag}"):
        if not folder.is_dir():
            return _same_published(at, tag, commit, asset)
        record = read_record(folder, tag)
        old = record.asset(asset.name)
        if old and old.sha256 == asset.sha256:
            return to_asset(folder, old)
        others = tuple(a for a in record.assets if a.name != asset.name)
        if old:
            # What a record lists is complete, also when we are killed between these steps.
            _write(folder, record.model_copy(update={"assets": others}))
        upload.rename(folder / "assets" / asset.name)
        sync_folder(folder / "assets")
        failpoint("forge.upload.moved")
        _write(folder, record.model_copy(update={"assets": (*others, asset)}))
    return to_asset(folder, asset)


def _same_published(at: FolderReleases, tag: str, commit: str, asset: AssetRecord) -> Asset:
    found = at.find(tag)
    if not found:
        raise no_draft(release_id(tag, commit))
    record = read_record(found.path, tag)
    old = record.asset(asset.name)
    if record.commit == commit and old and old.sha256 == asset.sha256:
        return to_asset(found.path, old)
    raise at.conflict(found, f"is published already, and not with this {asset.name}")


def publish(at: FolderReleases, identifier: str, now: datetime) -> Release:
    """Make the draft a release by one rename, at `now` or just after the newest release, if that is later."""
    tag, commit = split_id(identifier)
    folder = at.drafts / identifier
    with at.changing(f"publish {tag}"):
        there = published(at.root)
        found = next((p for p in there if p.tag == tag), None)
        if not folder.is_dir():
            return _published_before(at, found, commit, identifier)
        record = read_record(folder, tag)
        if found:
            return _give_way(at, found, record, folder)
        _check_assets(folder, record)
        moment = max(now, there[0].published_at + timedelta(microseconds=1)) if there else now
        final = at.root / published_folder(tag, moment)
        sync_folder(folder / "assets")
        sync_folder(folder)
        failpoint("forge.publish.before")
        folder.rename(final)
        failpoint("forge.publish.after")
        sync_folder(at.root)
        sync_folder(at.drafts)
    return to_release(at.repo, final, record, moment)


def _published_before(at: FolderReleases, found: Published | None, commit: str, identifier: str) -> Release:
    if not found:
        raise no_draft(identifier)
    record = read_record(found.path, found.tag)
    if record.commit != commit:
        raise at.conflict(found, "is published already, at another commit")
    return to_release(at.repo, found.path, record, found.published_at)


def _give_way(at: FolderReleases, found: Published, ours: ReleaseRecord, folder: Path) -> Release:
    theirs = read_record(found.path, found.tag)
    if (theirs.commit, theirs.digests()) != (ours.commit, ours.digests()):
        raise at.conflict(found, "is published already, with other contents")
    _discard(at, folder)
    return to_release(at.repo, found.path, theirs, found.published_at)


def _check_assets(folder: Path, record: ReleaseRecord) -> None:
    for asset in record.assets:
        if message := asset_problem(folder, asset):
            raise HeroError(
                "verification",
                f"Cannot publish {record.tag}: {message}.",
                hint="Delete the draft and upload its files again.",
            )
    for file in (folder / "assets").iterdir():
        if not record.asset(file.name):
            file.unlink()


def delete_draft(at: FolderReleases, identifier: str) -> None:
    """Remove the draft, at once for every reader."""
    tag, commit = split_id(identifier)
    with at.changing(f"delete the draft of {safe_line(tag, 200)}"):
        found = at.find(tag)
        if found and found.path.is_dir() and not (at.drafts / identifier).is_dir():
            if read_record(found.path, tag).commit == commit:
                raise at.conflict(found, "is published, so it cannot be deleted")
            return
        _discard(at, at.drafts / identifier)


def _write(folder: Path, record: ReleaseRecord) -> None:
    write_atomically(folder / "release.json", record.model_dump_json(by_alias=True, indent=1).encode() + b"\n")


def _discard(at: FolderReleases, folder: Path) -> None:
    if not folder.is_dir():
        return
    grave = at.drafts / f".old-{secrets.token_hex(8)}"
    folder.rename(grave)
    shutil.rmtree(grave, ignore_errors=True)
