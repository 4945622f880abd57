"""A home's beginning: the skeleton, ~/hero, the link to its sockets, the manifest; what is there already stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from backends.team.as_user import steps

_SKELETON = Path("/etc/skel")


def make(home: str, sockets: str, fresh: bool) -> dict[str, Any]:
    """~/hero with its folders, and in a `fresh` home the skeleton of the machine."""
    with steps.home(home) as top:
        if fresh and _SKELETON.is_dir():
            _copy(_SKELETON, top)
        with steps.folder(top, "hero", "~/hero") as hero:
            with steps.folder(hero, "cfg", "~/hero/cfg"):
                pass
            with steps.folder(hero, "var", "~/hero/var") as var:
                steps.link(var, "sockets", sockets, "~/hero/var/sockets")
    return {}


def seed(home: str, manifest: str, token: str = "") -> dict[str, Any]:
    """Write the manifest, and before it the forge's token where one is given, unless they are there."""
    with (
        steps.home(home) as top,
        steps.folder(top, "hero", "~/hero") as hero,
        steps.folder(hero, "cfg", "~/hero/cfg") as cfg,
    ):
        if token and not steps.is_there(cfg, "forge_token"):
            steps.write_file(cfg, "forge_token", f"{token}\n".encode(), replace=False)
        there = steps.is_there(cfg, "dev_manifest.toml")
        if not there:
            steps.write_file(cfg, "dev_manifest.toml", manifest.encode(), replace=False)
    return {"written": not there}


def _copy(source: Path, target: int) -> None:
    """Plain files and folders of `source`, which is root's; names that are there stay."""
    for entry in sorted(source.iterdir()):
        if entry.is_symlink():
            continue
        if entry.is_dir():
            with steps.folder(target, entry.name, f"~/{entry.name}") as inner:
                _copy(entry, inner)
        elif entry.is_file() and os.access(entry, os.R_OK) and not steps.is_there(target, entry.name):
            steps.write_file(target, entry.name, entry.read_bytes(), replace=False)
