"""`hero_dev box backup`: the state of the box into one file."""

from __future__ import annotations

from pathlib import Path

from backends.box_files import read_boxfile
from backends.client.locate import Where
from backends.model.errors import HeroError
from hero_tui.box_backup import backup_box
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.session import Session


def backup(session: Session, where: Where, file: str | None) -> int:
    """Write it to `file`. Raises HeroError."""
    if not file:
        raise HeroError("usage", "Back up into which file?", hint="`hero_dev box backup FILE`.")
    made = backup_box(where.box, read_boxfile(where.box).name, Path(file).expanduser().absolute())
    if session.json:
        session.answer({"file": str(made.path), "size": made.size, "files": list(made.files)})
        return DONE
    session.confirm(
        [
            f"{clean(str(made.path))}: {made.size:,} bytes, with {', '.join(made.files)}.",
            "  No key and no token is in it. `deploy/bootstrap.sh --restore FILE` begins a new machine with it.",
        ]
    )
    return DONE
