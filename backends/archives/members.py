"""The names and links that an archive may hold: everything stays below its own top, in plain text."""

from __future__ import annotations

from backends.model.errors import HeroError
from backends.model.names import BadValue, check_relative_path
from backends.model.text import safe_line

DESCRIPTION = "hero_service.toml"
PROVENANCE = "provenance.json"
FOLDERS = frozenset({"bin", "share"})
TOP_FILES = frozenset({DESCRIPTION, PROVENANCE})

MAX_NAME = 1024
"""Longest member name, in bytes."""
MAX_DEPTH = 64
"""Most folders above one member; deeper trees cannot be removed by the standard library."""


def refused(reason: str, *, member: str = "") -> HeroError:
    """The error for an archive that must not be installed, because of `reason` at `member`."""
    where = f" (member {safe_line(member, 200)!r})" if member else ""
    return HeroError(
        "verification",
        f"The archive is refused: {reason}{where}.",
        hint="Nothing was installed. Build and publish it again with `hero_dev rebuild --publish`.",
        data={"reason": reason, "member": safe_line(member, 200)},
    )


def member_name(raw: str) -> str:
    """The name below the archive's top that `raw` means, "" for the top itself.

    Raises HeroError("verification") for a name that leads elsewhere, is not plain text, or stands
    outside `bin/`, `share/` and the two files that describe the archive.
    """
    name = raw.removeprefix("./").removesuffix("/")
    if name in ("", "."):
        return ""
    if raw.startswith("/"):
        raise refused("an absolute name", member=raw)
    parts = name.split("/")
    if ".." in parts:
        raise refused("a name that leads out of the archive", member=raw)
    try:
        check_relative_path(name)
    except BadValue as error:
        raise refused("a name with an empty part, a backslash or control characters", member=raw) from error
    if len(parts) > MAX_DEPTH or len(name.encode("utf-8", "surrogateescape")) > MAX_NAME:
        raise refused("a name that is too long or too deep", member=raw)
    if parts[0] not in FOLDERS and name not in TOP_FILES:
        raise refused("only bin/, share/, hero_service.toml and provenance.json belong at its top", member=raw)
    return name


def check_kind(name: str, kind: str) -> None:
    """Refuse a top-level `name` of the wrong `kind` ("file", "folder" or "link")."""
    expected = "folder" if name in FOLDERS else "file" if name in TOP_FILES else kind
    if kind != expected:
        raise refused(f"{name} must be a {expected}, but is a {kind}", member=name)


def check_link(name: str, target: str) -> None:
    """Refuse the symlink `name` unless its `target` cannot leave the archive's own tree.

    `..` is allowed only at the start, where it climbs real folders: after a folder that may itself be a
    link it would climb from wherever that link leads.
    """
    if target.startswith("/") or not target:
        raise refused("a link with an absolute or empty target", member=name)
    if not target.isprintable() or len(target) > MAX_NAME:
        raise refused("control characters in a link's target, or too long a one", member=name)
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    if climbs > name.count("/") or ".." in parts[climbs:]:
        raise refused("a link that leads out of the archive", member=name)
