"""How a person may write a key in settings.toml, and how the table writes it; what is no key is found out."""

from __future__ import annotations

import re
import string
import unicodedata

from textual.keys import Keys

from hero_tui.key import SHOWN

_OTHER = {"ins": "insert", "return": "enter", **{shown: key for key, shown in SHOWN.items() if len(shown) > 1}}
_SIGNS = {re.sub("[ -]", "_", unicodedata.name(sign).lower()): sign for sign in string.punctuation} | {
    "slash": "/",
    "backslash": "\\",
    "at": "@",
    "minus": "-",
    "plus": "+",
    "underscore": "_",
}
"""Unicode's names, and Textual's where it has others, which are the last."""
_NAMES = {sign: name for name, sign in _SIGNS.items()}
NAMED = frozenset(key.value for key in Keys if not key.value.startswith("<") and "+" not in key.value) | {"space"}
"""Keys that have a name and no sign."""
_WRITTEN = re.compile(r"((?:(?:ctrl|alt|shift|super|hyper|meta)[+-])*)(.+)", re.IGNORECASE)


def read_key(text: str) -> str:
    """The key as the table writes it (`Ctrl-D` is `ctrl+d`, `slash` is `/`); "" where there is no such key."""
    found = _WRITTEN.fullmatch(text)
    base = _base(found[2]) if found else ""
    if not found or not base:
        return ""
    held = sorted(set(re.findall("[a-z]+", found[1].lower())))
    if not held:
        return "comma" if base == "," else base
    if held == ["shift"] and len(base) == 1:  # a terminal sends what it types
        return base.upper() if base.isalpha() else ""
    return "+".join([*held, _NAMES.get(base, base.lower())])


def _base(name: str) -> str:
    """The key alone: its sign where it types one, else its name."""
    if len(name) == 1:
        return name if name.isprintable() and name != " " and not unicodedata.combining(name) else ""
    name = _OTHER.get(name.lower(), name.lower())
    return _SIGNS.get(name) or (name if name in NAMED else "")
