"""A theme's TOML file: read, completed from the theme that it is based on, and checked name by name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from textual.color import Color, ColorParseError

BASE = (
    "primary",
    "secondary",
    "accent",
    "warning",
    "error",
    "success",
    "foreground",
    "background",
    "surface",
    "panel",
)
"""The colours that Textual derives others from."""
SECTIONS = ("base", "domain", "furniture")
HEAD = ("title", "dark", "ansi", "extends")
_STYLES = frozenset({"block-cursor-text-style"})
"""Names of furniture whose value is a text style, and no colour."""
_SIZE_LIMIT = 64 * 1024
_ALPHA = re.compile(r"\s+\d{1,3}%$")


class ThemeProblem(Exception):
    """What is wrong with a theme's file, where (file:line:column), and what was probably meant."""


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """One theme. `domain` has the cockpit's own words (`health-crashed`), `furniture` Textual's."""

    name: str
    title: str
    dark: bool
    ansi: bool
    base: Mapping[str, str]
    domain: Mapping[str, str]
    furniture: Mapping[str, str]


def read_theme(path: Path, *, base: Callable[[str], ThemeFile] | None = None) -> ThemeFile:
    """The theme in `path`. With `base`, it may be of a few lines: the rest is that of the theme it `extends`.

    Raises ThemeProblem.
    """
    text, data = _load(path)
    problem = _Problems(path, text)
    problem.check_names("", data, (*HEAD, *SECTIONS))
    dark, ansi = problem.flag(data, "dark", True), problem.flag(data, "ansi", False)
    ground = _ground(data, dark, ansi, base, problem)
    sections = {section: problem.section(data, section, ground) for section in SECTIONS}
    if ground is None:
        problem.complete(sections["base"])
    title = data.get("title", path.stem)
    if not isinstance(title, str):
        raise problem.at("title", "is no text")
    colours = {name: MappingProxyType(one) for name, one in sections.items()}
    return ThemeFile(path.stem, title, dark, ansi, **colours)


def _load(path: Path) -> tuple[str, dict[str, object]]:
    try:
        if path.stat().st_size > _SIZE_LIMIT:
            raise ThemeProblem(f"{path.name} is longer than a theme can be.")
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ThemeProblem(f"{path.name} is no theme: {error}.") from None


def _ground(
    data: Mapping[str, object],
    dark: bool,
    ansi: bool,
    base: Callable[[str], ThemeFile] | None,
    problem: _Problems,
) -> ThemeFile | None:
    """The theme that gives what the file does not say."""
    if base is None:
        return None
    usual = "hero-ansi" if ansi else "hero-dark" if dark else "hero-light"
    name = data.get("extends", usual)
    try:
        return base(str(name))
    except ThemeProblem:
        raise problem.at("extends", f"names {name!r}, which is no theme of the cockpit") from None


class _Problems:
    """Says what is wrong with one file, with the line where the name stands."""

    def __init__(self, path: Path, text: str) -> None:
        self._file = path.name
        self._lines = text.splitlines()

    def at(self, name: str, what: str, section: str = "") -> ThemeProblem:
        """The error about `name`, which stands in `section`."""
        line, column = self._place(name, section)
        return ThemeProblem(f"{self._file}:{line}:{column} {name}: {what}.")

    def _place(self, name: str, section: str) -> tuple[int, int]:
        wanted = re.compile(rf"\s*(?:\[\s*)?[\"']?{re.escape(name)}[\"']?\s*[=\].]")
        inside = not section
        for number, line in enumerate(self._lines, start=1):
            if line.lstrip().startswith("[") and section:
                inside = line.strip().strip("[]").strip() == section
            if inside and wanted.match(line):
                return number, len(line) - len(line.lstrip()) + 1
        return 1, 1

    def check_names(self, section: str, data: Mapping[str, object], known: tuple[str, ...]) -> None:
        """Raises ThemeProblem for the first name that is not known."""
        for name in data:
            if name not in known:
                close = get_close_matches(name, known, 1, 0.5)
                raise self.at(name, "is not known" + (f"; did you mean {close[0]}?" if close else ""), section)

    def flag(self, data: Mapping[str, object], name: str, usual: bool) -> bool:
        """A yes or no of the head."""
        value = data.get(name, usual)
        if not isinstance(value, bool):
            raise self.at(name, "is neither true nor false")
        return value

    def section(self, data: Mapping[str, object], section: str, ground: ThemeFile | None) -> dict[str, str]:
        """The colours of a section, laid over those of `ground`. Only there every name is known."""
        given = data.get(section, {})
        if not isinstance(given, dict):
            raise self.at(section, "is no table")
        colours: dict[str, str] = dict(getattr(ground, section)) if ground else {}
        if section == "base":
            self.check_names(section, given, BASE)
        elif ground:
            self.check_names(section, given, tuple(colours))
        for name, value in given.items():
            colours[name] = self._colour(name, value, section)
        return colours

    def _colour(self, name: str, value: object, section: str) -> str:
        if not isinstance(value, str):
            raise self.at(name, "is no text in quotes", section)
        if name in _STYLES:
            return value
        try:
            Color.parse(_ALPHA.sub("", value))
        except ColorParseError:
            raise self.at(name, f"{value!r} is no colour; write #rrggbb or ansi_red", section) from None
        return value

    def complete(self, base: Mapping[str, str]) -> None:
        """Raises ThemeProblem where a theme that stands alone leaves a colour out."""
        if missing := [name for name in BASE if name not in base]:
            raise self.at("base", f"lacks {', '.join(missing)}")
