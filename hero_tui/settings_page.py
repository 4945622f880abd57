"""Writes the page of the settings from their schema: `python -m hero_tui.settings_page > docs/settings.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args

from hero_tui.settings import Settings
from styles import themes
from styles.theme_file import BASE

_HEAD = """# Settings

This page is made from the schema of the settings (`python -m hero_tui.settings_page`).

`hero_tui --settings`, or `,` in the cockpit, opens a form. It writes `~/.config/hero/settings.toml`
(`$XDG_CONFIG_HOME/hero`), and leaves comments and all else there as they are. The file may be edited by hand
just as well: the cockpit takes changes of it, and of themes, as soon as they are saved. What is wrong with it
is told with line and column; then nothing of it is taken, and what was in force stays. A cockpit that starts on
a wrong file takes what is right of it. The file, and a theme, may be links into a folder that you keep elsewhere.

```toml
theme = "hero-light"
density = "compact"

[keys]
"cell.restart" = "f5"
```
"""

_THEMES = """## Themes

| theme | |
| --- | --- |
{themes}

A theme of your own is a file in `~/.config/hero/themes`, called as the theme: `mine.toml` is `theme = "mine"`.
It needs to say only what is other than in the theme that it `extends`; one called like a theme of the cockpit
takes its place.

```toml
title = "Mine"
dark = true
extends = "hero-dark"

[base]
primary = "#ffb000"

[domain]
health-crashed = "#ff4060"
drift-behind = "ansi_bright_blue"
```

Colours are `#rrggbb` or one of the terminal's sixteen (`ansi_red`, `ansi_bright_blue`); with `ansi = true` the
terminal's own ground stays. A name that is not known is told, with its line and the one that was probably
meant.

`[base]`: {base}.

`[domain]`: {domain}.

`[furniture]`: {furniture}.

Every text of the cockpit's own themes has a contrast of at least 4.5 to 1 (WCAG AA) on every ground that it
stands on, 7 to 1 on black in `hero-contrast`. In `hero-colour-blind` all states of health, drift and builds can
be told apart by people who see no red, no green or no blue; in every theme each state has a sign of its own as
well.

## Poor terminals

`NO_COLOR` in the environment, a terminal of one colour (`TERM=vt100`), or `colours = "none"`: no colours at all,
but bold, underline, and reverse for the cursor. A locale without UTF-8 (`LANG=C`), the Linux console, or
`glyphs = "ascii"`: every sign and frame in ASCII. A terminal that cannot place text (`TERM=dumb`) is refused with
what to use instead. Over SSH and mosh nothing glides.
"""


def text() -> str:
    """The page as docs/settings.md holds it."""
    ground = themes.built_in(themes.DEFAULT)
    names = "\n".join(f"| `{name}` | {_told(name)} |" for name in themes.NAMES)
    tail = _THEMES.format(
        themes=names, base=_listed(BASE), domain=_listed(ground.domain), furniture=_listed(ground.furniture)
    )
    return "\n".join([_HEAD, "## What can be set\n", *_settings(), "", tail])


def _settings() -> Iterator[str]:
    yield "| setting | values | default | |"
    yield "| --- | --- | --- | --- |"
    for name, field in Settings.model_fields.items():
        values = ", ".join(f"`{one}`" for one in _values(name))
        default = "" if name == "keys" else f"`{str(field.default).lower()}`"
        yield f"| `{name}` | {values} | {default} | {field.description} |"


def _values(name: str) -> tuple[str, ...]:
    match name:
        case "theme":
            return themes.NAMES
        case "keys":
            return ('"id" = "keys"',)
    return tuple(get_args(Settings.model_fields[name].annotation)) or ("true", "false")


def _told(name: str) -> str:
    first = (themes.FOLDER / f"{name}.toml").read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    print(text(), end="")
