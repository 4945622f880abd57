"""Has the forge know this box as an application, or forget it: there first, then its secret, then box.toml.

Whatever kills it in between, the next run finds the application that was made, has it give another secret, and
writes both anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from backends.box_files import read_boxfile
from backends.failpoints import failpoint
from backends.forge.forgejo_applications import applications_of
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_records import RawApplication
from backends.model.boxfile import BoxFile
from backends.model.boxfile_edit import set_oauth_client
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.text import safe_line
from backends.slot.files import write_atomically
from backends.system_box import has_web_secret
from hero_tui.web.place import CALLBACK, remove_secret, secret_path, state_of, write_secret


@dataclass(frozen=True)
class Registered:
    """What the forge knows now, or knew: `owner` is whose application it is there, `instead_of` the client id that
    box.toml had before."""

    action: Literal["made", "renewed", "removed"]
    name: str
    client: str
    redirect: str
    owner: str
    instead_of: str = ""


def application_name(boxfile: BoxFile) -> str:
    """What people read at the forge when it asks them whether they want to sign in."""
    return f"hero box {boxfile.name}"


def redirect_of(boxfile: BoxFile) -> str:
    """Where the forge sends browsers back to. Raises HeroError `usage` where the box does not say its address."""
    if boxfile.router.url:
        return f"{boxfile.router.url}{CALLBACK}"
    raise HeroError(
        "usage",
        "box.toml does not say by which address people reach this box, so the forge cannot send them back to it.",
        hint='Write it there: `[router]`, then `url = "https://box.example"`; for `hero_tui web` alone, what it'
        " listens at, like http://127.0.0.1:8800.",
    )


def check_may(box: BoxPaths, boxfile: BoxFile) -> None:
    """Raises HeroError where this box has no forge to be known at, or this user may not write what it gives."""
    if boxfile.forge.kind == "folder":
        raise HeroError(
            "usage",
            "This box's forge is a folder, where nobody can sign in.",
            hint="`hero_dev web passwd LOGIN` gives somebody a password.",
        )
    if boxfile.kind == "system" and os.geteuid() != 0:
        raise HeroError(
            "denied", f"Only root may write {box.config} and the secret.", hint="`sudo hero_dev web register`."
        )


async def register(box: BoxPaths, token: str) -> Registered:
    """Have the forge know the box by an application of whoever `token` belongs to, and the box its secret.

    Raises HeroError; the next run goes on from what was done by then.
    """
    with _alone(box) as boxfile:
        redirect = redirect_of(boxfile)
        set_oauth_client(_text(box), "x", "box.toml")  # before anything is made that could not be written down
        async with applications_of(boxfile.forge.url, token) as applications:
            with _denials(boxfile):
                owner = await applications.owner()
                mine = ours(await applications.all(), boxfile, redirect)
                found = await (
                    applications.renew(mine[0], redirect)
                    if mine
                    else applications.create(application_name(boxfile), redirect)
                )
        failpoint("web.register.at_forge")
        _keep(box, boxfile, found)
    before = boxfile.web.oauth_client
    return Registered(
        "renewed" if mine else "made",
        safe_line(found.name, 100),
        found.client_id,
        redirect,
        safe_line(owner, 64),
        before if before != found.client_id else "",
    )


async def unregister(box: BoxPaths, token: str) -> Registered | None:
    """Take the application away, its secret and its id; None where there was none of them. Raises HeroError.

    The secret goes first: while it is there, an application that this token does not find is somebody else's.
    """
    with _alone(box) as boxfile:
        known, path = boxfile.web.oauth_client, secret_path(box, boxfile)
        redirect = redirect_of(boxfile) if boxfile.router.url else ""
        async with applications_of(boxfile.forge.url, token) as applications:
            with _denials(boxfile):
                owner = await applications.owner()
                every = await applications.all()
                mine = [one for one in every if one.client_id == known or _is_named_so(one, boxfile, redirect)]
                if known and known not in {one.client_id for one in mine} and has_web_secret(path):
                    raise _not_theirs(known, owner)
                if not (mine or known or has_web_secret(path)):
                    return None
                await applications.check_may_change()
                remove_secret(path)
                failpoint("web.unregister.secret")
                for one in mine:
                    await applications.remove(one)
        failpoint("web.unregister.at_forge")
        _note_client(box, "")
        failpoint("web.unregister.noted")
    name, client = (mine[0].name, mine[0].client_id) if mine else ("", known)
    return Registered("removed", safe_line(name, 100), client, redirect, safe_line(owner, 64))


def ours(found: Sequence[RawApplication], boxfile: BoxFile, redirect: str) -> list[RawApplication]:
    """Those of `found` that are this box: the one that box.toml names first.

    One that was made by hand is taken over where it is for this box alone: another secret would lock others out.
    """
    known = boxfile.web.oauth_client
    mine = [
        one
        for one in found
        if _is_named_so(one, boxfile, redirect)
        or (one.client_id == known and (one.name == application_name(boxfile) or one.redirect_uris == (redirect,)))
    ]
    return sorted(mine, key=lambda one: (one.client_id != known, one.id))


def _is_named_so(one: RawApplication, boxfile: BoxFile, redirect: str) -> bool:
    return one.name == application_name(boxfile) and redirect in one.redirect_uris


@contextlib.contextmanager
def _alone(box: BoxPaths) -> Iterator[BoxFile]:
    """box.toml, while no other run is at work: of two secrets the forge knows only the last. Raises HeroError."""
    boxfile = read_boxfile(box)
    check_may(box, boxfile)
    folder = state_of(box, boxfile)
    try:
        if boxfile.kind != "system":
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise HeroError(
            "failed",
            f"{folder}, where the secret belongs, cannot be used: {error.strerror}.",
            hint="On a system box `deploy/bootstrap.sh` makes it.",
        ) from error
    try:
        _lock(handle)
        yield boxfile
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HeroError("busy", "Another `hero_dev web register` is at work.", hint="Wait for its end.") from None


@contextlib.contextmanager
def _denials(boxfile: BoxFile) -> Iterator[None]:
    """What to do about a token that the forge does not let do this."""
    try:
        yield
    except HeroError as error:
        if status_of(error) not in (401, 403):
            raise
        page = f"{boxfile.forge.url}/user/settings/applications"
        hint = f"Make a token with the scope `write:user` at {page}, and give it to `hero_dev web register`."
        raise HeroError("denied", error.message, hint=hint) from None


def _not_theirs(client: str, owner: str) -> HeroError:
    return HeroError(
        "not_found",
        f"{safe_line(owner, 64)} has no application {safe_line(client, 64)} at the forge; nothing was changed.",
        hint="Use a token of the one who registered it. Where it is gone there already, `hero_dev web secret"
        " --remove`, then this again.",
    )


def _keep(box: BoxPaths, boxfile: BoxFile, found: RawApplication) -> None:
    """Have the box what the forge gave. Raises HeroError."""
    try:
        write_secret(secret_path(box, boxfile), found.client_secret)
        failpoint("web.register.secret")
        _note_client(box, found.client_id)
        failpoint("web.register.noted")
    except HeroError as error:
        hint = "The forge has given a new secret: nobody can sign in until `hero_dev web register` has run again."
        raise HeroError(error.code, error.message, hint=f"{error.hint} {hint}".strip()) from error


def _note_client(box: BoxPaths, client: str) -> None:
    """Have box.toml say so, of the mode and owner that it had. Raises HeroError."""
    path = box.config.resolve()
    found = path.stat()
    owner = (found.st_uid, found.st_gid) if os.geteuid() == 0 else None
    text = set_oauth_client(_text(box), client, "box.toml")
    write_atomically(path, text.encode(), mode=found.st_mode & 0o777, owner=owner)


def _text(box: BoxPaths) -> str:
    # As bytes: line ends stay what they are.
    return box.config.read_bytes().decode("utf-8")
