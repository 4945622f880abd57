"""Keys of a person's own: laid over those of the table, or told why they cannot be, before anything takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from backends.model.errors import nearest
from backends.model.text import safe_line
from hero_tui.key import Key, shown_key
from hero_tui.keys import TABLE, WIDGETS_DIFFER, duplicates, is_forbidden

_GUESSED = 20
"""Mistakes for which what was meant is looked for: it takes a while for each."""
_SHOWN = 40
"""Characters of what a person wrote that are told."""
_TYPES = ("comma", "space")
"""Keys with a name that type something, as those of one sign do."""


def keymap(table: Iterable[Key]) -> dict[str, str]:
    """What to lay over the bindings that app and widgets declare: a person's own keys, and `WIDGETS_DIFFER`.

    And what shares a key with those, as it is: of a key that one action leaves or gets, Textual forgets the rest.
    """
    default = {entry.id: entry.keys for entry in TABLE}
    others = {one.id: one for one in table}
    laid: dict[str, str] = {}
    touched = [one for one in others.values() if one.keys != default[one.id] or one.id in WIDGETS_DIFFER]
    while touched:
        laid |= {one.id: others.pop(one.id).keys for one in touched}
        keys = {
            (_owner(one), key) for one in touched for key in (*one.keys.split(","), *default[one.id].split(","))
        }
        touched = [
            one for one in others.values() if any((_owner(one), key) in keys for key in one.keys.split(","))
        ]
    return laid


def _owner(entry: Key) -> str:
    """Who declares the binding: the app of what it does itself, else the widgets of the context."""
    return "app" if entry.action else f"widgets {entry.context}"


def overridden(
    overrides: Mapping[str, str], places: Mapping[str, str] | None = None
) -> tuple[tuple[Key, ...], list[str]]:
    """The table with a person's own keys, and a sentence for each one that cannot be taken.

    `places` tells where an id stands (file, line, column). All are taken together, so that two may trade keys.
    """
    if not overrides:
        return TABLE, []
    from hero_tui.key_names import read_key  # no start without keys of one's own waits for it

    table, default, problems = {entry.id: entry for entry in TABLE}, {entry.id: entry.keys for entry in TABLE}, []

    def told(id_: str, sentence: str) -> None:
        problems.append(f"{(places or {}).get(id_, 'keys')}: {sentence}")

    for id_, written in overrides.items():
        read = {part.strip(): read_key(part.strip()) for part in written.split(",") if part.strip()}
        if problem := _problem(id_, read, table, guess=len(problems) < _GUESSED):
            told(id_, problem)
        else:
            table[id_] = replace(table[id_], keys=",".join(dict.fromkeys(read.values())))
    while clash := _clash(table, default):  # one that is taken back may clash with another in its turn
        place, key, own, other = clash
        told(own, f"{shown_key(key)} cannot be {own}: it is {other} already, on {place}.")
        table[own] = replace(table[own], keys=default[own])
    return tuple(table.values()), problems


def _clash(table: Mapping[str, Key], default: Mapping[str, str]) -> tuple[str, str, str, str] | None:
    """Place, key, the action that a person gave it and that must give way, and the one that has it."""
    for place, key, ids in duplicates(table.values()):
        own = [one for one in ids if table[one].keys != default[one]]
        if own:
            return place, key, own[-1], next(one for one in ids if one != own[-1])
    return None


def _problem(id_: str, read: Mapping[str, str], table: Mapping[str, Key], *, guess: bool) -> str:
    """Why the action cannot have these keys, each under what was written; "" where it can."""
    if id_ not in table:
        return f"there is no action {safe_line(id_, _SHOWN)!r}{_meant(id_, table, guess)}"
    if not read:
        return f"{id_} names no key; a comma is written `comma`."
    for written, key in read.items():
        told = safe_line(written, _SHOWN)
        if not key:
            from hero_tui.key_names import NAMED

            return f"{told!r} is no key, so it cannot be {id_}{_meant(written, NAMED, guess)}"
        if is_forbidden(key):
            return f"{told} cannot be {id_}: it belongs to tmux or to the terminal."
        if id_ == "app.interrupt" and (len(key) == 1 or key in _TYPES):
            return f"{told} cannot be {id_}, which is heard while one types, too."
    return ""


def _meant(written: str, known: Iterable[str], guess: bool) -> str:
    """The end of a sentence about something that is not known."""
    close = nearest(written[:_SHOWN], known, 1) if guess else []
    return f"; did you mean {close[0]}?" if close else "."
