"""What the terminal at hand can take: Unicode, colours, movement; and what the settings make of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from screens.widgets.glyphs import UNICODE, glyphs_for

if TYPE_CHECKING:
    from hero_tui.settings import Settings


_COLOURLESS = ("vt1", "vt2", "vt3", "vt4")
"""How terminals are called that have one colour: what is told by the ground alone is not seen there."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the terminal: whether it draws Unicode, whether colours are welcome, whether it is near."""

    unicode: bool = True
    colours: bool = True
    near: bool = False


@dataclass(frozen=True, slots=True)
class Manners:
    """How the cockpit behaves on it."""

    ascii: bool = False
    colourless: bool = False
    animated: bool = False


def facts_of(environment: Mapping[str, str], encoding: str) -> Facts:
    """What the environment and the encoding of standard error, to which Textual draws, tell of the terminal."""
    term = environment.get("TERM", "")
    utf8 = encoding.lower().replace("-", "") == "utf8"
    far = any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "MOSH_KEY"))
    return Facts(
        unicode=utf8 and glyphs_for(environment) is UNICODE,
        colours=not environment.get("NO_COLOR") and not term.startswith(_COLOURLESS),
        near=not far and "TMUX" not in environment,
    )


def manners_of(facts: Facts, settings: Settings) -> Manners:
    """What follows from the terminal, unless the settings say otherwise."""
    return Manners(
        ascii=settings.glyphs == "ascii" or (settings.glyphs == "auto" and not facts.unicode),
        colourless=settings.colours == "none" or not facts.colours,
        animated=settings.animations == "on" or (settings.animations == "auto" and facts.near),
    )


def refusal(environment: Mapping[str, str]) -> str:
    """Why no cockpit can be shown on this terminal; "" where one can."""
    term = environment.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        return f"This terminal (TERM={term or 'is not set'}) cannot place text on a screen."
    return ""
