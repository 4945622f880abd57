"""`hero_dev web register`: the forge knows this box, and people sign in to the cockpit in the browser by it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backends.forge.credential import read_token
from backends.model.errors import HeroError
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE, NOTHING_TO_DO
from hero_tui.verbs.noting import note_on_box
from hero_tui.verbs.standard_input import unseen_line
from hero_tui.web.place import secret_path
from hero_tui.web.registration import Registered, check_may, redirect_of, register, unregister

if TYPE_CHECKING:
    from backends.client.locate import Where
    from backends.model.boxfile import BoxFile
    from hero_tui.verbs.session import Session


def run(session: Session, where: Where, boxfile: BoxFile, *, remove: bool) -> int:
    """Register the box, or `remove` it at the forge. Raises HeroError, which shows neither token nor secret."""
    check_may(where.box, boxfile)
    if not remove:
        redirect_of(boxfile)
    token = _token(where, boxfile)
    found = asyncio.run(unregister(where.box, token) if remove else register(where.box, token))
    if found is None:
        return NOTHING_TO_DO
    note_on_box(where, "", "web.register", found.client, done=True, detail=f"{found.action}, of {found.owner}")
    written = [] if remove else [str(where.box.config), str(secret_path(where.box, boxfile))]
    restart = "systemctl restart hero_webd" if boxfile.kind == "system" else ""
    if session.json:
        session.answer(
            {
                "action": found.action,
                "forge": boxfile.forge.url,
                "owner": found.owner,
                "name": found.name,
                "oauth_client": found.client,
                "redirect": found.redirect,
                "instead_of": found.instead_of,
                "written": written,
                "restart": restart,
            }
        )
    else:
        session.confirm([*_told(found, boxfile, written), f"  Now: {restart or 'start `hero_tui web` again'}"])
    return DONE


def _told(found: Registered, boxfile: BoxFile, written: list[str]) -> list[str]:
    forge, name = clean(boxfile.forge.url), clean(found.name)
    if found.action == "removed":
        there = f"The application “{name}” of {clean(found.owner)} is gone at {forge}" if name else "It is gone"
        return [f"{there}, and so are its id and secret here."]
    done = "has another secret" if found.action == "renewed" else "is made"
    lines = [
        f"The application “{name}” of {clean(found.owner)} {done} at {forge}.",
        f"  It sends people back to {clean(found.redirect)}; written: {', '.join(map(clean, written))}.",
    ]
    if found.instead_of:
        lines.append(f"  box.toml named {clean(found.instead_of)} before, which this box does not use any more.")
    return lines


def _token(where: Where, boxfile: BoxFile) -> str:
    """The one that is typed, else the box's own. Raises HeroError."""
    page = f"{boxfile.forge.url}/user/settings/applications"
    own = where.box.forge_token
    other = "; empty: the box's own" if own.exists() else ""
    typed = unseen_line(f"A token with the scope write:user, from {clean(page)}{other}").strip()
    if typed:
        return typed
    if own.exists():
        return read_token(own)
    raise HeroError(
        "usage",
        "There is no token on standard input, and the box has none of its own.",
        hint=f"Make one with the scope `write:user` at {page}; the application will be its owner's.",
    )
