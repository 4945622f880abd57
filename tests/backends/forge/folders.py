"""What the tests of the folder forge share: a clock, a published release and where it lies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from backends.forge.base import Release
from backends.forge.folder import FolderForge
from tests.backends.forge.contract import (
    REPO,
    a_file,
    draft,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


async def published(forge: FolderForge, head: str, tag: str, content: bytes = b"archive") -> Release:
    made = await draft(forge, tag, head)
    await forge.upload_asset(REPO, made.id, a_file(forge.root.parent, content))
    return await forge.publish(REPO, made.id)


def folder_of(releases: Path, tag: str) -> Path:
    return next(releases.glob(f"*_{tag}"))
