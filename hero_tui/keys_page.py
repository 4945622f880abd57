"""Writes the page of the actions, keys and commands: `python -m hero_tui.keys_page > docs/keys.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hero_tui import commands, verb_lines
from hero_tui.key import Key
from hero_tui.keys import FORBIDDEN, PLACES, TABLE
from hero_tui.verbs import VERBS

_HEAD = """# Keys and actions

This page is made from the cockpit's table of actions (`python -m hero_tui.keys_page`); footer, help (`?`),
palette (`ctrl-p`), the form of the settings and the `:` line are made from the same.

A key of your own goes into [settings.toml](settings.md) by the action's id, or into the form (`,` in the
cockpit):

```toml
[keys]
"cell.restart" = "f5"
"grid.down" = "w,down"
```

A key is written as it is shown here: a sign, or a name (`space`, `comma`, `enter`, `pgdn`, `f5`, `slash`), with
`ctrl-`, `shift-` or `alt-` before it; there are no sequences of keys. What is no key is told, with the one that
was probably meant.

All of them are taken together, so two actions may trade their keys. One that another action of the same place
has, and one that tmux or the terminal needs, is refused with the file's line and both names; the key that was
in force stays. Those never come: {forbidden}, and alt with a letter.

**radius** is how far a slip reaches, and so how the action is asked for, wherever it is done. low: not at all, as
a key takes it back, or because you write or choose first. medium, what one person cannot have back: a `y`, on a
dialog that stands on Cancel. high, what is gone for good or what others use: its name, typed. In somebody else's
slot it is one step more. policy: what an agent wants, as `policy.toml` says of it. What **changes** something is
not offered in a read-only cockpit (`--read-only`, `:readonly`), and refused there before it is sent. Lists are
gone through with the same keys everywhere.
"""

_COMMANDS = """## The `:` line

`tab` completes, `up` brings earlier lines back. The cockpit's own commands act on my slot:

{own}

Every verb of `hero_dev` ([cli.md](cli.md)) can be given there, too: it runs in the background, and what it
prints stays in a pane until it is dismissed (`R` brings it back). `:!logs hero_db` is the verb where the
cockpit has a command of the same name; so is any line with options. Verbs that talk with a person open a
terminal of their own. In a read-only cockpit only those that look are there: {looks}.
"""


def text() -> str:
    """The page as docs/keys.md holds it."""
    forbidden = ", ".join(f"`{key}`" for key in sorted(FORBIDDEN))
    own = "\n".join(_table(("command", "", "changes"), _own_commands()))
    looks = ", ".join(f"`{verb}`" for verb in VERBS if verb in verb_lines.LOOKS)
    sections = "\n".join(_sections())
    return "\n".join([_HEAD.format(forbidden=forbidden), sections, _COMMANDS.format(own=own, looks=looks)])


def _own_commands() -> Iterator[tuple[str, ...]]:
    for one in commands.COMMANDS:
        yield f"`{commands.usage(one)}`", one.help, "" if one.read_only else "yes"


def _sections() -> Iterator[str]:
    contexts = dict.fromkeys(entry.context for entry in TABLE)
    for context in contexts:
        places = [place for place, live in PLACES.items() if context in live]
        title = "Everywhere" if context == "any" else f"{context[:1].upper()}{context[1:]}"
        yield f"## {title}\n"
        if context != "any" and places != [context]:
            yield f"On {', '.join(places)}.\n"
        rows = [_row(entry) for entry in TABLE if entry.context == context]
        yield from _table(("key", "action", "does", "radius", "changes", "`hero_dev`"), rows)
        yield ""


def _row(entry: Key) -> tuple[str, ...]:
    keys = " ".join(f"`{key.strip()}`" for key in entry.all_shown.split(", "))
    verb = f"`{entry.verb}`" if entry.verb else ""
    return keys, f"`{entry.id}`", entry.help, entry.radius, "" if entry.read_only else "yes", verb


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


if __name__ == "__main__":
    print(text(), end="")
