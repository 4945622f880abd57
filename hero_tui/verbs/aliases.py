"""`hero_dev aliases`: links by which the old names, `service_<svc>`, lead here."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Literal

from backends.model.errors import HeroError
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE, FAILED, NOTHING_TO_DO
from hero_tui.verbs.old_names import WHOLE_SLOT, names_of
from hero_tui.verbs.session import Session, box_client
from hero_tui.verbs.whole_fleet import CATALOGUE_ALONE

PROGRAM = "hero_dev"

Outcome = Literal["made", "there", "in_the_way"]


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("--dir", metavar="DIR", default="~/.local/bin", help="where (default: ~/.local/bin)")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Make them; never over a file that is no link of ours. Raises HeroError."""
    with box_client(session.where()) as client:
        catalogue = client.call("fleet.snapshot", CATALOGUE_ALONE)["catalogue"]
    names = [*dict.fromkeys(name for entry in catalogue for name in names_of(entry)), WHOLE_SLOT]
    folder, target = Path(asked.dir).expanduser().absolute(), program()
    found: dict[Outcome, list[str]] = {"made": [], "there": [], "in_the_way": []}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            found[link(folder / name, target)].append(name)
    except OSError as error:
        raise HeroError("failed", f"No links can be made in {folder}: {error.strerror or error}.") from error
    if session.json:
        session.answer({"dir": str(folder), "target": str(target), **{str(key): found[key] for key in found}})
    else:
        session.confirm(_told(folder, found))
    if found["in_the_way"]:
        return FAILED
    return DONE if found["made"] else NOTHING_TO_DO


def program() -> Path:
    """The `hero_dev` that is running, or would be. Raises HeroError where there is none."""
    beside = Path(sys.executable).with_name(PROGRAM)
    called = Path(sys.argv[0]).absolute()
    for path in (beside, called):
        if path.name == PROGRAM and path.is_file():
            return path
    from shutil import which

    if found := which(PROGRAM):
        return Path(found).absolute()
    raise HeroError(
        "not_found", "There is no program hero_dev that a link could lead to.", hint="Install it first."
    )


def link(path: Path, target: Path) -> Outcome:
    """Have `path` lead to `target`, unless something of somebody else is there. Raises OSError."""
    try:
        path.symlink_to(target)
        return "made"
    except FileExistsError:
        pass
    if not path.is_symlink() or path.readlink().name != PROGRAM:
        return "in_the_way"
    if path.readlink() == target:
        return "there"
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.symlink_to(target)
    fresh.replace(path)
    return "made"


def _told(folder: Path, found: dict[Outcome, list[str]]) -> list[str]:
    lines = [f"Made in {clean(folder)}: {', '.join(found['made'])}."] if found["made"] else []
    if found["there"]:
        lines.append(f"There already: {', '.join(found['there'])}.")
    lines += [f"{clean(folder / name)} is something else, and stays." for name in found["in_the_way"]]
    if str(folder) not in os.environ.get("PATH", "").split(os.pathsep):
        lines.append(f"{clean(folder)} is not in PATH.")
    return lines
