"""`hero_dev web`: the cockpit in the browser: how people sign in, their passwords, the box at the forge."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backends.model.errors import HeroError, unknown_name
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE, NOTHING_TO_DO
from hero_tui.verbs.parsing import one_of, refuse_beside
from hero_tui.verbs.session import Session
from hero_tui.verbs.standard_input import unseen_line

if TYPE_CHECKING:
    from backends.client.locate import Where
    from backends.model.boxfile import BoxFile

ACTIONS = ("status", "register", "passwd", "secret")


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument(
        "action", metavar="status|register|passwd|secret", nargs="?", default="status", type=one_of(*ACTIONS),
        help="status (default); register: have the forge know this box, by a token on standard input; passwd: a "
        "person's password, where the forge is a folder; secret: the forge's, by hand; both on standard input",
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
    if asked.action == "register":
        from hero_tui.verbs import web_register

        return web_register.run(session, where, boxfile, remove=asked.remove)
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
            hint="`hero_dev web register` has the forge know of the box.",
        )
    people = sorted(read_team(where.box.team)[0].users)
    kept = passwords.read(where.box.web / passwords.FILE)
    if not login:
        raise HeroError("usage", "Whose password?", hint=f"`hero_dev web passwd LOGIN`, of {', '.join(people)}.")
    if login not in people and not (asked.remove and login in kept):
        raise unknown_name("person in the team repo", login, people)
    if asked.remove and login not in kept:
        return NOTHING_TO_DO
    typed = "" if asked.remove else unseen_line(f"Password of {login}", twice=True)
    if not asked.remove and not typed:
        raise HeroError("usage", "There is no password on standard input.", hint="--remove takes one away.")
    passwords.set_password(where.box.web, login, typed)
    note_on_box(where, "", "web.passwd", login, done=True, detail="removed" if asked.remove else "set")
    return _confirm(session, f"{login} {'has no password any more' if asked.remove else 'has a new password'}.")


def _secret(session: Session, where: Where, boxfile: BoxFile, *, remove: bool) -> int:
    from hero_tui.verbs.noting import note_on_box
    from hero_tui.web.place import remove_secret, secret_path, write_secret

    path = secret_path(where.box, boxfile)
    typed = "" if remove else unseen_line("The application's secret", twice=True)
    if not remove and not (typed.isascii() and typed.isprintable() and typed):
        raise HeroError("usage", "What came on standard input is no secret of an application (it is not shown).")
    if remove and not path.exists():
        return NOTHING_TO_DO
    if remove:
        remove_secret(path)
    else:
        write_secret(path, typed)
    note_on_box(where, "", "web.secret", str(path), done=True, detail="removed" if remove else "set")
    return _confirm(session, f"{path} is {'gone' if remove else 'written'}; restart hero_webd.")


def _status(session: Session, where: Where, boxfile: BoxFile) -> int:
    from backends.system_box import has_web_secret
    from hero_tui.web import passwords
    from hero_tui.web.place import secret_path

    by_forge = boxfile.forge.kind != "folder"
    secret = has_web_secret(secret_path(where.box, boxfile)) if by_forge else None
    named = [] if by_forge else sorted(passwords.read(where.box.web / passwords.FILE))
    address = f"{boxfile.router.url}/admin/" if boxfile.router.url else ""
    told = {
        "address": address,
        "sign_in": "forge" if by_forge else "password",
        "oauth_client": boxfile.web.oauth_client,
        "secret": secret,
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
        known = _known(boxfile.web.oauth_client, secret)
        lines.append(f"sign in   at {clean(boxfile.forge.url)} ({known})")
    else:
        lines.append(f"sign in   by password: {', '.join(named) or 'nobody has one; `hero_dev web passwd LOGIN`'}")
    session.show([*lines, f"tabs      {boxfile.web.tabs} at most, {boxfile.web.tabs_each} a person"])
    return DONE


def _known(client: str, secret: bool | None) -> str:
    """Whether the forge knows the box, as far as the box knows."""
    if not client:
        return "not known there yet: `hero_dev web register`"
    if secret is False:
        return "known there, but no secret is here: `hero_dev web register`; a public application needs none"
    return "known there"


def _confirm(session: Session, sentence: str) -> int:
    session.confirm([sentence])
    return DONE
