"""`hero_dev box init`, and the box that an `install` makes on a machine that has none."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backends.client.locate import boxes_folder, default_box
from backends.model.errors import HeroError
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.session import Session
from hero_tui.verbs.standard_input import unseen_line

if TYPE_CHECKING:
    from hero_tui.box_init import NewBox


def init(session: Session, asked: argparse.Namespace) -> int:
    """Make the box that is asked for. Raises HeroError."""
    if not asked.place:
        raise HeroError(
            "usage", "Where should the box be?", hint="`hero_dev box init DIR --forge URL`, or a name for DIR."
        )
    if bool(asked.forge) == asked.folder_forge:
        raise HeroError(
            "usage", "Which forge is it for?", hint="Give --forge URL, or --folder-forge for a folder."
        )
    if asked.token_stdin and asked.token_file:
        raise HeroError("usage", "--token-stdin and --token-file exclude each other.")
    if asked.folder_forge and (asked.token_stdin or asked.token_file):
        raise HeroError("usage", "A folder forge needs no token.")
    root = _folder(asked.place)
    from hero_tui.box_init import TEAM_REPO, NewBox, box_name

    new = NewBox(
        root=root,
        name=asked.name or box_name(root.name),
        slot=_slot(session),
        forge=asked.forge or "",
        team_repo=asked.team_repo or TEAM_REPO,
        token=_token(asked.token_file, stdin=asked.token_stdin),
        hook_url=asked.hook_url or "",
        listen=asked.listen or "",
    )
    return _made(session, new, asked.place)


def ensure_box(session: Session) -> None:
    """On a machine without any box, where HERO_FORGE_URL names the team's forge, make the default one for it.

    HERO_FORGE_TOKEN_FILE holds the token, HERO_TEAM_REPO may name another team repo. Raises HeroError.
    """
    forge = os.environ.get("HERO_FORGE_URL", "")
    if not forge or session.box or os.environ.get("HERO_BOX"):
        return
    try:
        session.where()
    except HeroError as error:
        if error.code != "not_found" or (default_box() / "box.toml").exists():
            raise
    else:
        return
    from hero_tui.box_init import TEAM_REPO, NewBox, init_box

    new = NewBox(
        root=default_box(),
        name="hero",
        slot=_slot(session),
        forge=forge,
        team_repo=os.environ.get("HERO_TEAM_REPO") or TEAM_REPO,
        token=_token(os.environ.get("HERO_FORGE_TOKEN_FILE") or None, stdin=False),
    )
    init_box(new)
    if not session.quiet:
        from hero_tui.render.text import clean

        told = f"hero_dev: there was no box; made one for {clean(forge)} in {clean(new.root)}, slot {new.slot}."
        print(told, file=sys.stderr)


def _made(session: Session, new: NewBox, place: str) -> int:
    from hero_tui.box_init import init_box
    from hero_tui.render.text import clean, wrap

    notes = init_box(new)
    if session.json:
        told = {"box": str(new.root), "name": new.name, "slot": new.slot, "forge": new.forge}
        session.answer({**told, "team_repo": new.team_repo, "notes": notes})
        return DONE
    terminal = session.terminal()
    session.confirm(
        [f"{terminal.paint(terminal.signs.good, 'good')} {clean(new.root)} is a box, with a slot of {new.slot}."]
    )
    sign = terminal.paint(terminal.signs.health["unhealthy"], "warn")
    session.show([line for note in notes for line in wrap(f"{sign} {clean(note, 2000)}", terminal.width, "  ")])
    named = "" if new.root == default_box() else f" --box {place}"
    session.confirm([f"  `hero_dev{named} box up` starts its daemons."])
    return DONE


def _folder(place: str) -> Path:
    """The folder of DIR, or of a NAME among this user's boxes."""
    if "/" in place or place in (".", "..", "~"):
        return Path(place).expanduser().resolve()
    return boxes_folder() / place


def _slot(session: Session) -> str:
    from hero_tui.box_init import slot_name

    if named := session.slot or os.environ.get("HERO_SLOT", ""):
        return named
    try:
        return slot_name(getpass.getuser())
    except (OSError, KeyError):
        return slot_name("")


def _token(file: str | None, *, stdin: bool) -> str:
    """The forge's token; "" without one. Raises HeroError, which does not show it."""
    if file:
        from backends.forge.credential import read_token

        return read_token(Path(file).expanduser())
    if not stdin:
        return ""
    from backends.forge.forgejo_redact import check_token

    return check_token(unseen_line("The forge's token").strip())
