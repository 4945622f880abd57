"""Changes of settings.toml that leave its comments, its order and everything else as they are."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.problems import InvalidFile
from backends.model.toml_edit import append_table, newline_of, remove_value, set_value, table_statements
from backends.model.toml_layout import lay_out
from backends.model.tomlfile import parse_plain
from backends.slot.files import write_atomically
from hero_tui.settings import Settings

Value = str | bool


def changed(text: str, name: str, value: Value | None, file: str) -> str:
    """`text` with the setting `name` being `value`, None for its default. Raises HeroError.

    A key map's entry is named `keys.<id>`.
    """
    before = parse_plain(Settings, text, file)
    id_ = name.removeprefix("keys.") if name.startswith("keys.") else ""
    path = ("keys", id_) if id_ else (name,)
    pair = next((one for one in lay_out(text).statements if one.kind == "pair" and one.path == path), None)
    if value is None:
        new = remove_value(text, path) if pair else text
    elif pair:
        new = text[: pair.value] + _literal(value) + text[pair.end :]
    elif id_:
        new = _with_key(text, id_, _literal(value))
    else:
        new = _with_setting(text, name, _literal(value))
    return _checked(new, _expected(before, name, id_, value), file)


def store(path: Path, text: str) -> None:
    """Write the file, whole or not at all; a link stays one, and its target is written. Raises HeroError."""
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    write_atomically(target, text.encode(), mode=mode)


def _expected(before: Settings, name: str, id_: str, value: Value | None) -> Settings:
    update: dict[str, Value | Mapping[str, str]] = {}
    if id_:
        keys = {one: keys for one, keys in before.keys.items() if one != id_}
        update["keys"] = keys | ({id_: str(value)} if value is not None else {})
    else:
        update[name] = Settings.model_fields[name].default if value is None else value
    return before.model_copy(update=update)


def _with_setting(text: str, name: str, literal: str) -> str:
    """A new line behind the file's other settings, before its first table."""
    newline = newline_of(text)
    line = f"{name} = {literal}{newline}"
    statements = lay_out(text).statements
    first = list(itertools.takewhile(lambda one: one.kind == "pair", statements))
    if first:
        end = text.find("\n", first[-1].end) + 1 or len(text)
        head = text[:end] if text[:end].endswith("\n") else text[:end] + newline
        return head + line + text[end:]
    if not statements:
        return text + ("" if not text or text.endswith("\n") else newline) + line
    start = text.rfind("\n", 0, statements[0].start) + 1
    return text[:start] + line + newline + text[start:]


def _with_key(text: str, id_: str, literal: str) -> str:
    """A new line in `[keys]`, which is made where there is none."""
    key = json.dumps(id_)
    if table_statements(text, ("keys",)):
        return set_value(text, ("keys",), key, literal)
    if any(one.path[:1] == ("keys",) for one in lay_out(text).statements):
        raise HeroError(
            "failed",
            "The keys of settings.toml are written in a line of their own form, which is left as it is.",
            hint="Write them as a table: a line `[keys]`, then a line for each.",
        )
    return append_table(text, f"[keys]\n{key} = {literal}\n", None)


def _literal(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False)


def _checked(text: str, expected: Settings, file: str) -> str:
    """`text`, once it is certain that it says what was meant."""
    try:
        said = parse_plain(Settings, text, file)
    except InvalidFile as error:
        raise HeroError("invalid_file", error.message) from None
    if said != expected:
        raise HeroError("internal", f"The edit of {file} would have said something else; nothing was written.")
    return text
