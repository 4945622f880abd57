"""Machine edits of box.toml's text that change nothing but what they mean to."""

from __future__ import annotations

import json

from backends.model.boxfile import BoxFile
from backends.model.errors import HeroError
from backends.model.toml_edit import append_table, remove_value, set_value, table_statements
from backends.model.toml_layout import KeyPath, lay_out
from backends.model.tomlfile import parse

_TABLE: KeyPath = ("web",)
_KEY = "oauth_client"


def set_oauth_client(text: str, client: str, file: str) -> str:
    """`text` with `[web] oauth_client` being `client`, "" for none; comments and order stay.

    Raises InvalidFile if `text` is not valid, HeroError `failed` where `[web]` is written in a form of its own.
    """
    before = parse(BoxFile, text, file)
    if before.web.oauth_client == client:
        return text
    after = before.model_copy(update={"web": before.web.model_copy(update={_KEY: client})})
    new = _edited(text, client)
    if parse(BoxFile, new, file) != after:
        raise HeroError("internal", f"The edit of {file} would have said something else; nothing was written.")
    return new


def _edited(text: str, client: str) -> str:
    literal = json.dumps(client)  # of printable ASCII, JSON's string is TOML's
    statements = lay_out(text).statements
    pair = next((one for one in statements if one.kind == "pair" and one.path == (*_TABLE, _KEY)), None)
    if pair:
        return text[: pair.value] + literal + text[pair.end :] if client else remove_value(text, pair.path)
    if table_statements(text, _TABLE):
        return set_value(text, _TABLE, _KEY, literal)
    if any(one.path[:1] == _TABLE for one in statements):
        raise HeroError(
            "failed",
            "`web` of box.toml is written in a line of its own form, which is left as it is.",
            hint="Write it as a table: a line `[web]`, then a line for each setting.",
        )
    return append_table(text, f"[web]\n{_KEY} = {literal}\n", None)
