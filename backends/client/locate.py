"""Which box and which slot a client means."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from pathlib import Path

from backends.model.errors import HeroError, unknown_name
from backends.model.paths import SYSTEM_ROOT, BoxPaths, SlotPaths


@dataclass(frozen=True)
class Where:
    """A box, and the user whose slot is meant ("" while none is chosen)."""

    box: BoxPaths
    user: str = ""

    def slot(self, user: str = "") -> SlotPaths:
        """The paths of `user`'s slot, or of the chosen one. Raises HeroError for one that is not there."""
        name = user or self.user
        if name and "/" not in name and _has_slot(self.box, name):
            return self.box.slot(name)
        if not name:
            raise HeroError(
                "usage",
                "Which slot? This login has none on the box.",
                hint=f"Name one with --slot: {', '.join(self.users())}.",
            )
        raise unknown_name("slot", name, self.users())

    def users(self) -> list[str]:
        """Everybody who has a slot, sorted."""
        homes = self.box.homes
        if not homes.is_dir():
            return []
        if is_system(self.box):
            return sorted(file.stem for file in self.box.team.glob("users/*.toml") if _is_there(homes / file.stem))
        return sorted(home.name for home in homes.iterdir())


def locate(box: str = "", slot: str = "") -> Where:
    """The box by name or folder, else HERO_BOX, else around the working directory, else the default one.

    The default one is the machine's system box, or else this user's demo.
    The slot by name, else HERO_SLOT, else the home that the working directory is in, else this login's, else the
    only one that there is.
    Raises HeroError `not_found` with what to do.
    """
    root = _find_box(box or os.environ.get("HERO_BOX", ""))
    where = Where(BoxPaths(root))
    user = slot or os.environ.get("HERO_SLOT", "") or _user_of_folder(where.box) or _own_slot(where)
    if slot:
        where.slot(slot)
    return Where(where.box, user)


def is_system(box: BoxPaths) -> bool:
    """Whether `box` is a system box: its homes are the machine's, and this user sees into one of them only."""
    return box.homes.is_symlink()


def boxes_folder() -> Path:
    """Where named boxes of this user lie."""
    data = os.environ.get("XDG_DATA_HOME", "")
    base = Path(data) if data.startswith("/") else Path.home() / ".local" / "share"
    return base / "hero" / "boxes"


def default_box() -> Path:
    """The box that is meant when nothing else says which."""
    return SYSTEM_ROOT if _is_box(SYSTEM_ROOT) else boxes_folder() / "demo"


def _find_box(name: str) -> Path:
    if name.startswith("ssh://"):
        raise HeroError(
            "usage", f"{name} cannot be reached: this version opens boxes of this machine only.", hint=""
        )
    if name:
        named = boxes_folder() / name
        root = named if "/" not in name and _is_box(named) else Path(name).expanduser()
        if _is_box(root):
            return root.resolve()
        known = [path.parent.name for path in boxes_folder().glob("*/box.toml")]
        if "/" not in name:
            raise unknown_name("box", name, known)
        raise HeroError(
            "not_found",
            f"{root} is not a box: it has no box.toml.",
            hint=f"`hero_dev box init {root}` makes one there; `hero_tui demo --dir {root}` makes one to try.",
        )
    for folder in (Path.cwd(), *Path.cwd().parents):
        if _is_box(folder):
            return folder
    if _is_box(default_box()):
        return default_box().resolve()
    raise HeroError(
        "not_found",
        "There is no box here yet.",
        hint="`hero_tui demo` makes a whole one in a minute; --box DIR or HERO_BOX names another.",
    )


def _is_box(folder: Path) -> bool:
    return (folder / "box.toml").is_file()


def _user_of_folder(box: BoxPaths) -> str:
    here = Path.cwd()
    homes = box.homes.resolve()
    if here.is_relative_to(homes) and here != homes:
        user = here.relative_to(homes).parts[0]
        return user if _has_slot(box, user) else ""
    return ""


def _own_slot(where: Where) -> str:
    try:
        login = getpass.getuser()
    except (OSError, KeyError):
        login = ""
    if login and "/" not in login and _has_slot(where.box, login):
        return login
    users = where.users()
    return users[0] if len(users) == 1 and not is_system(where.box) else ""


def _is_there(home: Path) -> bool:
    """Whether somebody has this home; so too for a daemon that sees no homes at all."""
    try:
        return home.exists()
    except PermissionError:
        return True


def _has_slot(box: BoxPaths, user: str) -> bool:
    """Whether `user` has a slot there; so too where it cannot be seen, because the home is that user's alone."""
    try:
        return box.slot(user).root.is_dir()
    except PermissionError:
        return True
    except OSError:  # a name that no folder can have
        return False
