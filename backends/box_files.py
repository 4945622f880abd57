"""Reads what the whole box shares: box.toml and its checkout of the team repo."""

from __future__ import annotations

from pathlib import Path

from backends.model.boxfile import BoxFile
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.problems import Problem
from backends.model.team import TeamRepo, load_team
from backends.model.tomlfile import parse

FILE_LIMIT = 1 << 20
"""Bytes of a file of the team repo; a larger one is cut, and then does not parse."""

_PATTERNS = ("*.toml", "users/*.toml", "manifest_templates/*.toml")


def read_team(checkout: Path) -> tuple[TeamRepo, tuple[Problem, ...]]:
    """The team repo in `checkout` and what is wrong with its files; an empty one where there is no checkout."""
    files = {}
    for pattern in _PATTERNS:
        for path in sorted(checkout.glob(pattern)):
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as content:
                text = content.read(FILE_LIMIT).decode("utf-8", "replace")
            files[path.relative_to(checkout).as_posix()] = text
    return load_team(files)


def read_boxfile(box: BoxPaths) -> BoxFile:
    """The box's own file. Raises HeroError `not_found` where the folder is no box, InvalidFile."""
    try:
        text = box.config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HeroError(
            "not_found",
            f"{box.root} is not a box: its box.toml cannot be read.",
            hint="`hero_tui demo` makes one; `--box DIR` or HERO_BOX names another.",
        ) from error
    return parse(BoxFile, text, str(box.config))
