"""Makes a rootless box for a forge that is there, or with an empty one of its own: whole, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from backends.box.edge.serve import parse_listen
from backends.box_files import read_team
from backends.forge.base import Forge
from backends.forge.folder import FolderForge
from backends.forge.git import git
from backends.forge.open import open_forge
from backends.model.boxfile import BoxFile, render_boxfile
from backends.model.errors import HeroError
from backends.model.names import check_login, check_repo
from backends.model.paths import BoxPaths
from backends.model.tomlfile import InvalidFile, parse
from hero_tui.demo_box.histories import write_files

TEAM_REPO = "lhumina_code/hero_team"
FALLBACK_SLOT = "developer"
"""The slot of somebody whose login can have none, like root."""

CLONE_SECONDS = 300.0
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class NewBox:
    """What is to be made. `forge` is the address of a Forgejo or Gitea; "": a folder in the box is its forge."""

    root: Path
    name: str
    slot: str
    forge: str = ""
    team_repo: str = TEAM_REPO
    token: str = field(default="", repr=False)
    hook_url: str = ""
    listen: str = ""


def init_box(new: NewBox) -> list[str]:
    """Make the box; returns what a person should know of it, a sentence each.

    Raises HeroError, and then nothing is left: `conflict` for a folder that is a box or holds something else,
    `usage`, and what the forge answers where the team repo cannot be read.
    """
    text = _checked(new)
    parents = [folder for folder in new.root.parents if not folder.exists()]
    stage = new.root.with_name(f".{new.root.name}.{secrets.token_hex(4)}.new")
    try:
        stage.mkdir(parents=True)
        notes = asyncio.run(_fill(BoxPaths(stage), new, text))
        stage.rename(new.root)
    except BaseException as error:
        shutil.rmtree(stage, ignore_errors=True)
        for folder in parents:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise HeroError("failed", f"{new.root} cannot be made: {error.strerror or error}.") from error
        raise
    return notes


def slot_name(login: str) -> str:
    """The slot of `login`, or FALLBACK_SLOT where that can have none."""
    try:
        return check_login(login)
    except HeroError:
        return FALLBACK_SLOT


def box_name(folder: str) -> str:
    """A name for a box in a folder that is called so."""
    return re.sub(r"[^a-z0-9.-]+", "-", folder.lower()).strip(".-")[:63].strip(".-") or "box"


def _checked(new: NewBox) -> str:
    """The text of `box.toml`. Raises HeroError where the box cannot be made so, or not there."""
    if (new.root / "box.toml").exists():
        raise HeroError(
            "conflict",
            f"{new.root} is a box already.",
            hint="`hero_dev box up` starts it; --box or HERO_BOX names it.",
        )
    if new.root.exists() and not (new.root.is_dir() and not any(new.root.iterdir())):
        raise HeroError("conflict", f"{new.root} is not an empty folder.", hint="Name a new one.")
    if not _NAME.fullmatch(new.name):
        raise HeroError(
            "usage",
            f"{new.name!r} cannot be a box's name: a-z, 0-9, and `.` or `-` in between.",
            hint="Choose --name.",
        )
    check_login(new.slot)
    check_repo(new.team_repo)
    parse_listen(new.listen)
    text = _boxfile(new)
    try:
        parse(BoxFile, text, "box.toml")
    except InvalidFile as error:
        raise HeroError("usage", error.message, hint="So box.toml would be refused.") from None
    return text


def _boxfile(new: NewBox) -> str:
    text = render_boxfile(new.name, datetime.now(UTC), new.team_repo)
    if new.forge:
        text += f'\n[forge]\nkind = "forgejo"\nurl = {_quoted(new.forge.rstrip("/"))}\n'
    edge = {"listen": new.listen, "url": new.hook_url}
    if any(edge.values()):
        text += "\n[edge]\n" + "".join(f"{key} = {_quoted(value)}\n" for key, value in edge.items() if value)
    return text


def _quoted(text: str) -> str:
    """`text` as a TOML string. Raises HeroError `usage` for what an address cannot hold."""
    if not text.isprintable() or '"' in text or "\\" in text:
        raise HeroError("usage", "An address may hold no quotes, backslashes or control characters.")
    return f'"{text}"'


async def _fill(box: BoxPaths, new: NewBox, text: str) -> list[str]:
    box.slot(new.slot).manifest.parent.mkdir(parents=True)
    if new.token:
        box.forge_token.parent.mkdir(mode=0o700)
        _write(box.forge_token, f"{new.token}\n")
    notes = await (_team_of_forge if new.forge else _team_of_folder)(box, new, text)
    _write(box.config, text, 0o644)
    return notes


async def _team_of_forge(box: BoxPaths, new: NewBox, text: str) -> list[str]:
    """Clone the team repo, which shows that all of the way there works; what the token or the team repo lacks."""
    forge = open_forge(box, parse(BoxFile, text, "box.toml").forge, (box.forge_token,))
    try:
        url = await _team_address(forge, new)
        clone = ("clone", "--quiet", "--", url, str(box.team))
        await git(*clone, cwd=box.root, env=forge.git_environment(), timeout=CLONE_SECONDS)
        return [*await _lacks(forge, new), *_team_notes(box, new)]
    finally:
        await forge.aclose()


async def _team_address(forge: Forge, new: NewBox) -> str:
    try:
        return await forge.clone_url(new.team_repo)
    except HeroError as error:
        if error.code != "not_found" or new.token:
            raise
        hint = f"{error.hint} Without a token only what is public is seen: --token-stdin or --token-file."
        raise HeroError(error.code, error.message, hint=hint) from None


async def _lacks(forge: Forge, new: NewBox) -> list[str]:
    """What the token may not do."""
    from backends.forge.forgejo import Forgejo

    if not new.token:
        return ["Without a token only what is public can be read, and nothing published."]
    return await forge.check(new.team_repo) if isinstance(forge, Forgejo) else []


def _team_notes(box: BoxPaths, new: NewBox) -> list[str]:
    """What is wrong with the team repo, or does not know of the slot."""
    team, problems = read_team(box.team)
    notes = [f"{new.team_repo}: {problem}" for problem in problems]
    if not team.catalogue.services:
        notes.append(f"{new.team_repo} has no services.toml with a service: there is nothing to bind yet.")
    if new.slot not in team.users and not team.is_stopped(new.slot):
        notes.append(f"{new.team_repo} has no users/{new.slot}.toml: the slot works, but nobody else keeps it up.")
    return notes


async def _team_of_folder(box: BoxPaths, new: NewBox, _: str) -> list[str]:
    """A team repo with one user and no services."""
    repository = await FolderForge(box.forge).create_repository(new.team_repo)
    files = {
        "team.toml": f'schema = 1\nname = "{new.name}"\nbox = "{new.name}"\n\n[forge]\nkind = "folder"\n',
        "services.toml": "schema = 1\n",
        f"users/{new.slot}.toml": f'schema = 1\nfull_name = "{new.slot}"\nrole = "developer"\n',
        "manifest_templates/developer.toml": "schema = 1\n",
    }
    await write_files(repository, files, "The team", int(time.time()))
    return [f"{new.team_repo} in {new.root / 'forge'} has no services yet: services.toml names them."]


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
