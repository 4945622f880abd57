"""`hero_dev web`: the cockpit in the browser: how people sign in, their passwords, the secret from the forge."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from backends.model.errors import HeroError, unknown_name
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE, NOTHING_TO_DO
from hero_tui.verbs.parsing import one_of, refuse_beside
from hero_tui.verbs.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from backends.client.locate import Where
    from backends.model.boxfile import BoxFile

ACTIONS = ("status", "passwd", "secret")
_LIMIT = 4096


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument(
        "action", metavar="status|passwd|secret", nargs="?", default="status", type=one_of(*ACTIONS),
        help="status (default); passwd: a person's password, where the forge is a folder; secret: what the forge "
        "gave with the client id; both by standard input",
    )  # fmt: skip
    parser.add_argument("login", metavar="LOGIN", nargs="?", default="", help="passwd: whose")
    parser.add_argument("--remove", action="store_true", help="take it away")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it. Raises HeroError."""
    from backends.box_files import read_boxfile

    where = session.where()
    boxfile = read_boxfile(where.box)
    if asked.action == "passwd":
        return _passwd(session, where, boxfile, asked)
    refuse_beside(asked, f"web {asked.action}", {"login": "LOGIN"})
    if asked.action == "secret":
        return _secret(session, where, boxfile, remove=asked.remove)
    refuse_beside(asked, "web status", {"remove": "--remove"})
    return _status(session, where, boxfile)


def _passwd(session: Session, where: Where, boxfile: BoxFile, asked: argparse.Namespace) -> int:
    from backends.box_files import read_team
    from hero_tui.verbs.noting import note_on_box
    from hero_tui.web import passwords

    login: str = asked.login
    if boxfile.forge.kind != "folder":
        raise HeroError(
            "usage",
            f"People sign in at {clean(boxfile.forge.url)}; this box keeps no passwords.",
            hint="docs/web.md tells how the forge learns of the box.",
        )
    people = sorted(read_team(where.box.team)[0].users)
    kept = passwords.read(where.box.web / passwords.FILE)
    if not login:
        raise HeroError("usage", "Whose password?", hint=f"`hero_dev web passwd LOGIN`, of {', '.join(people)}.")
    if login not in people and not (asked.remove and login in kept):
        raise unknown_name("person in the team repo", login, people)
    if asked.remove and login not in kept:
        return NOTHING_TO_DO
    typed = "" if asked.remove else _typed(f"Password of {login}")
    if not asked.remove and not typed:
        raise HeroError("usage", "There is no password on standard input.", hint="--remove takes one away.")
    passwords.set_password(where.box.web, login, typed)
    note_on_box(where, "", "web.passwd", login, done=True, detail="removed" if asked.remove else "set")
    return _confirm(session, f"{login} {'has no password any more' if asked.remove else 'has a new password'}.")


def _secret(session: Session, where: Where, boxfile: BoxFile, *, remove: bool) -> int:
    from backends.slot.files import write_atomically
    from hero_tui.verbs.noting import note_on_box
    from hero_tui.web.place import secret_path

    path = secret_path(where.box, boxfile)
    typed = "" if remove else _typed("The application's secret")
    if not remove and not (typed.isascii() and typed.isprintable() and typed):
        raise HeroError("usage", "What came on standard input is no secret of an application (it is not shown).")
    if remove and not path.exists():
        return NOTHING_TO_DO
    if remove:
        path.unlink()
    else:
        write_atomically(path, f"{typed}\n".encode(), mode=0o600)
        _give_to_owner_of(path.parent, path)
    note_on_box(where, "", "web.secret", str(path), done=True, detail="removed" if remove else "set")
    return _confirm(session, f"{path} is {'gone' if remove else 'written'}; restart hero_webd.")


def _status(session: Session, where: Where, boxfile: BoxFile) -> int:
    from hero_tui.web import passwords

    by_forge = boxfile.forge.kind != "folder"
    named = [] if by_forge else sorted(passwords.read(where.box.web / passwords.FILE))
    address = f"{boxfile.router.url}/admin/" if boxfile.router.url else ""
    told = {
        "address": address,
        "sign_in": "forge" if by_forge else "password",
        "oauth_client": boxfile.web.oauth_client,
        "passwords": named,
        "roles": list(boxfile.web.roles),
        "tabs": boxfile.web.tabs,
        "tabs_each": boxfile.web.tabs_each,
    }
    if session.json:
        session.answer(told)
        return DONE
    who = f"people with the role {', '.join(boxfile.web.roles)}" if boxfile.web.roles else "everybody of the team"
    lines = [f"address   {clean(address) or 'as `hero_tui web` tells'}", f"for       {who}"]
    if by_forge:
        known = "known there" if boxfile.web.oauth_client else "not known there yet: docs/web.md"
        lines.append(f"sign in   at {clean(boxfile.forge.url)} ({known})")
    else:
        lines.append(f"sign in   by password: {', '.join(named) or 'nobody has one; `hero_dev web passwd LOGIN`'}")
    session.show([*lines, f"tabs      {boxfile.web.tabs} at most, {boxfile.web.tabs_each} a person"])
    return DONE


def _give_to_owner_of(folder: Path, path: Path) -> None:
    """Root writes it, and the daemon, whose folder it is, reads it."""
    import os

    if os.geteuid() == 0:
        found = folder.stat()
        os.chown(path, found.st_uid, found.st_gid)


def _typed(question: str) -> str:
    """One line of standard input; at a terminal it is not shown. Raises HeroError."""
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():
        from getpass import getpass

        typed = getpass(f"{question} (it is not shown): ")
        if getpass("Once more: ") != typed:
            raise HeroError("usage", "The two differ; nothing was changed.")
        return typed
    return sys.stdin.readline(_LIMIT).rstrip("\r\n")


def _confirm(session: Session, sentence: str) -> int:
    session.confirm([sentence])
    return DONE
