"""Machine edits of a manifest's text that change nothing but what they mean to.

They splice the text at the places that toml_layout finds. tomlkit's document does not do: it writes `[[bind]]`
tables that stand between `[state.x]` ones back in another order, and a binding takes the comments after it along.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from backends.model.errors import HeroError
from backends.model.manifest import Binding, ClaudeChoice, InstalledState, Manifest
from backends.model.names import check_service
from backends.model.toml_edit import (
    append_table,
    remove_lines_but_comments,
    remove_table,
    remove_value,
    set_value,
    table_statements,
)
from backends.model.toml_layout import KeyPath, Statement, lay_out
from backends.model.tomlfile import parse

FILE = "dev_manifest.toml"

Scalar = str | bool | datetime
Preference = Literal["auto", "personal", "org"]

_DEFAULTS: dict[str, Scalar] = {"auto_rebuild": False, "publish": False, "enabled": True}
"""The values of a binding that a new line says only where they differ."""


def set_binding(text: str, binding: Binding, file: str = FILE) -> str:
    """`text` with `binding` in place of its service's, or appended. Raises InvalidFile if `text` is not valid."""
    old = parse(Manifest, text, file)
    text = _with_headers(text, old)
    place = _place_of(old, binding.service)
    if place is None:
        bindings = [*old.bind, binding]
        new = _append(text, "bind", render_binding(binding))
    else:
        bindings = [*old.bind[:place], binding, *old.bind[place + 1 :]]
        new = _update(text, ("bind", place), _values(old.bind[place]), _values(binding))
    return _checked(new, old.model_copy(update={"bind": bindings}), file)


def remove_binding(text: str, service: str, file: str = FILE) -> str:
    """`text` without the binding of `service` (unchanged if there is none); whole-line comments stay."""
    old = parse(Manifest, text, file)
    place = _place_of(old, service)
    if place is None:
        return text
    bindings = [one for one in old.bind if one.service != service]
    new = remove_table(_with_headers(text, old), ("bind", place))
    return _checked(new, old.model_copy(update={"bind": bindings}), file)


def set_state(text: str, service: str, state: InstalledState, file: str = FILE) -> str:
    """`text` with `[state.<service>]` saying `state`. Raises InvalidFile if `text` is not valid."""
    check_service(service)
    old = parse(Manifest, text, file)
    text = _with_headers(text, old)
    before = old.state.get(service)
    if before is None:
        new = _append(text, "state", _render_state(service, state))
    else:
        new = _update(text, ("state", service), _values(before), _values(state))
    return _checked(new, old.model_copy(update={"state": {**old.state, service: state}}), file)


def remove_state(text: str, service: str, file: str = FILE) -> str:
    """`text` without `[state.<service>]` (unchanged if there is none); whole-line comments stay."""
    old = parse(Manifest, text, file)
    if service not in old.state:
        return text
    states = {name: state for name, state in old.state.items() if name != service}
    new = remove_table(_with_headers(text, old), ("state", service))
    return _checked(new, old.model_copy(update={"state": states}), file)


def set_preference(text: str, preference: Preference, file: str = FILE) -> str:
    """`text` with the credential that the user prefers for agents. Raises InvalidFile if `text` is not valid."""
    old = parse(Manifest, text, file)
    statements = lay_out(text).statements
    pairs = {one.path: one for one in statements if one.kind == "pair"}
    if pair := pairs.get(("claude", "preference")):
        new = text[: pair.value] + _literal(preference) + text[pair.end :]
    elif table_statements(text, ("claude",)):
        new = set_value(text, ("claude",), "preference", _literal(preference))
    else:
        if inline := pairs.get(("claude",)):
            text = remove_lines_but_comments(text, inline)
        first = list(itertools.takewhile(lambda one: one.kind == "pair", lay_out(text).statements))
        section = _render("[claude]", {"preference": preference})
        new = append_table(text, section, first[-1] if first else None)
    return _checked(new, old.model_copy(update={"claude": ClaudeChoice(preference=preference)}), file)


def render_binding(binding: Binding) -> str:
    """`binding` as a `[[bind]]` table, without the keys that have their default."""
    values = {key: value for key, value in _values(binding).items() if value != _DEFAULTS.get(key)}
    return _render("[[bind]]", values)


def _render_state(service: str, state: InstalledState) -> str:
    return _render(f"[state.{service}]", _values(state))


def _render(header: str, values: Mapping[str, Scalar]) -> str:
    return "\n".join([header, *(f"{key} = {_literal(value)}" for key, value in values.items())]) + "\n"


def _values(table: Binding | InstalledState) -> dict[str, Scalar]:
    return table.model_dump(by_alias=True, exclude_none=True)


def _literal(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    # Every text of a manifest is printable (names.py), and of such text JSON's string is TOML's.
    return json.dumps(value, ensure_ascii=False)


def _place_of(manifest: Manifest, service: str) -> int | None:
    return next((place for place, one in enumerate(manifest.bind) if one.service == service), None)


def _append(text: str, kind: str, section: str) -> str:
    """`section` behind the last table of its kind; a first binding goes before the first state."""
    statements = lay_out(text).statements
    headers = [one for one in statements if one.kind != "pair"]
    if same := [one for one in headers if one.path[0] == kind and len(one.path) == 2]:
        return append_table(text, section, table_statements(text, same[-1].path)[-1])
    state = next((one for one in headers if one.path[0] == "state"), None)
    before = statements[statements.index(state) - 1] if kind == "bind" and state else None
    return append_table(text, section, before)


def _update(text: str, table: KeyPath, old: Mapping[str, Scalar], new: Mapping[str, Scalar]) -> str:
    """The table's values as `new` has them; a value that stays is not rewritten."""
    written = {one.path[-1] for one in table_statements(text, table) if one.kind == "pair"}
    for key, value in new.items():
        changed = old.get(key) != value if key in written else value != _DEFAULTS.get(key)
        if changed:
            text = set_value(text, table, key, _literal(value))
    for key in old:
        if key in written and key not in new:
            text = remove_value(text, (*table, key))
    return text


def _with_headers(text: str, manifest: Manifest) -> str:
    """`text` with bindings and states that are written inline or dotted turned into tables with headers."""
    odd = _without_header(text)
    if not odd:
        return text
    for statement in reversed(odd):
        text = remove_lines_but_comments(text, statement)
    if any(statement.path[0] == "bind" for statement in odd):
        for binding in manifest.bind:
            text = _append(text, "bind", render_binding(binding))
    states = [statement.path for statement in odd if statement.path[0] == "state"]
    for service, state in manifest.state.items():
        if any(path == ("state",) or path[1] == service for path in states):
            text = _append(text, "state", _render_state(service, state))
    return text


def _without_header(text: str) -> list[Statement]:
    """The pairs that say something of a binding or state outside of a `[[bind]]` or `[state.x]`."""
    found = []
    header: KeyPath = ()
    for statement in lay_out(text).statements:
        if statement.kind != "pair":
            header = statement.path
        elif statement.path[0] in ("bind", "state") and len(header) < 2:
            found.append(statement)
    return found


def _checked(text: str, expected: Manifest, file: str) -> str:
    """`text`, once it is certain that it says `expected`: a manifest on disk always parses."""
    if parse(Manifest, text, file) != expected:
        raise HeroError("internal", f"The edit of {file} would have said something else; nothing was written.")
    return text
