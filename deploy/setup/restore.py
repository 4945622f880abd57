"""The step that puts a backup of the box's state in place, before anything of the new box has one of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tarfile
import tomllib
import zlib
from pathlib import Path

from deploy.setup.machine import write_file
from deploy.setup.options import Options
from deploy.setup.places import ROOT
from deploy.setup.step import Step, Stopped

FORMAT = 1
TARGETS = {
    "team_sync/state.json": (ROOT / "team_sync" / "state.json", "root"),
    "var/events.sqlite": (ROOT / "var" / "events.sqlite", "hero"),
}
"""What of a backup goes where, and whose it is; the rest is there to be read by people."""
MARK = ROOT / "team_sync" / ".restored"


def restore(options: Options) -> Step:
    """What `--restore` names; nothing without it."""
    return Step("restore", lambda: _missing(options), lambda: _restore(options))


def _missing(options: Options) -> list[str]:
    if options.restore is None or _mark(options.restore) == _marked():
        return []
    content = _read(options.restore)
    used = [str(path) for path, _ in TARGETS.values() if path.exists()]
    if used:
        raise Stopped(f"this box has a state of its own already ({', '.join(used)}): a backup is for a new one")
    return [f"restore {name} ({len(content[name])} bytes)" for name in TARGETS if name in content]


def _restore(options: Options) -> None:
    assert options.restore is not None
    content = _read(options.restore)
    for name, (path, owner) in TARGETS.items():
        if name in content:
            write_file(path, content[name], 0o600, owner, owner)
    write_file(MARK, _mark(options.restore).encode(), 0o600)
    if _was_registered(content.get("box.toml", b"")):
        print("restore: people signed in by the forge: once all is done, `hero_dev web register`", file=sys.stderr)


def _was_registered(config: bytes) -> bool:
    """Whether the forge knew the old box, whose secret is in no backup."""
    try:
        return bool(tomllib.loads(config.decode("utf-8"))["web"]["oauth_client"])
    except (ValueError, KeyError, TypeError):
        return False


def _mark(backup: Path) -> str:
    try:
        with backup.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise Stopped(f"{backup} cannot be read: {error.strerror}") from None


def _marked() -> str:
    with contextlib.suppress(OSError):
        return MARK.read_text(encoding="ascii")
    return ""


def _read(backup: Path) -> dict[str, bytes]:
    """The files of a backup by name, each of the digest that its index tells. Raises Stopped."""
    content: dict[str, bytes] = {}
    try:
        with tarfile.open(backup) as archive:
            for member in archive:
                if (
                    not member.isreg()
                    or os.path.normpath(member.name) != member.name
                    or member.name.startswith(("/", ".."))
                ):
                    raise Stopped(f"{backup} is no backup of a box: it holds {member.name!r}")
                part = archive.extractfile(member)
                assert part is not None
                content[member.name] = part.read()
        index = json.loads(content["backup.json"])
        digests = dict(index["files"])
    except (OSError, EOFError, tarfile.TarError, zlib.error, KeyError, ValueError, TypeError) as error:
        raise Stopped(f"{backup} is no backup of a box, or damaged: {error}") from None
    if index.get("format") != FORMAT:
        raise Stopped(f"{backup} is of format {index.get('format')!r}, and this software reads {FORMAT}")
    for name, digest in digests.items():
        if hashlib.sha256(content.get(name, b"")).hexdigest() != digest:
            raise Stopped(f"{backup} is damaged: {name} does not match its digest")
    return content
