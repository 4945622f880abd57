"""The one table of actions: what each does, where, how it is explained; bindings, footer, help, docs are of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hero_tui.agent_keys import AGENT_KEYS, AGENT_PLACES
from hero_tui.build_keys import BUILD_KEYS
from hero_tui.form_keys import FORM_KEYS, FORM_PLACES
from hero_tui.host_keys import HOST_KEYS, HOST_PLACES
from hero_tui.key import Key as Key
from hero_tui.key import Radius
from hero_tui.key import shown_key as shown_key
from hero_tui.log_keys import LOG_KEYS, LOG_PLACES
from hero_tui.team_keys import TEAM_KEYS, TEAM_PLACES
from hero_tui.tray_keys import TRAY_KEYS, TRAY_PLACES

_LOOKING = frozenset({"logs", "url", "copy", "builds", "manifest"})
"""Verbs on a cell that change nothing."""


def _verb(
    name: str, keys: str, label: str, help: str, hint: int = 0, *, verb: str = "", radius: Radius = "low"
) -> Key:
    action, looks = f"app.verb('{name}')", name in _LOOKING
    return Key(f"cell.{name}", keys, label, "cell", help, action, hint, radius=radius, read_only=looks, verb=verb)


TABLE: tuple[Key, ...] = (
    Key("app.command", ":", "command", "any", "Type a command, with completion", "app.ask('command')", -2),
    Key("app.palette", "ctrl+p", "palette", "any", "Find any action, slot or service", "app.ask('palette')"),
    Key("app.help", "?", "help", "any", "Show the keys that work here", "app.ask('help')", -1),
    Key("app.fleet", "1", "fleet", "any", "The fleet: everybody's services", "app.place('fleet')"),
    Key("app.slot", "2", "slot", "any", "The slot under the cursor", "app.place('slot')"),
    Key("app.logs", "3", "logs", "any", "The logs of what is under the cursor", "app.place('logs')"),
    Key("app.builds", "4", "builds", "any", "Builds that run, wait and ended", "app.place('builds')"),
    Key("app.releases", "5", "releases", "any", "What is published of the service", "app.place('releases')"),
    Key("app.agents", "6", "agents", "any", "Everybody's agents", "app.place('agents')"),
    Key("app.inbox", "7", "inbox", "any", "Questions and messages for me", "app.place('inbox')"),
    Key("app.peek", "u", "peek", "any", "Look into somebody's slot, read-only", "app.ask('peek')", 70),
    Key("app.refresh", "ctrl+r", "refresh", "any", "Ask the box for everything again", "app.refresh_fleet"),
    Key("app.back", "escape,q", "back", "any", "Clear a filter or result, or go back", "app.back"),
    Key("app.interrupt", "ctrl+c", "quit", "any", "Twice: quit. So does :q", "app.interrupt"),
    Key("app.theme", "T", "theme", "any", "The next theme: dark, light, high contrast…", "app.next_theme"),
    Key(
        "app.jump",
        ";",
        "jump",
        "any",
        "Letters on all that can be clicked: press them to go there",
        "app.ask('jump')",
    ),
    Key(
        "app.settings",
        "comma",
        "settings",
        "any",
        "Theme, keys and all other settings, in a form",
        "app.ask('settings')",
    ),
    Key("app.tray", "%", "begun here", "any", "What this cockpit began, running and ended", "app.tray"),
    Key("app.results", "R", "results", "any", "What the commands of the `:` line printed", "app.ask('results')"),
    _verb("logs", "l", "logs", "Follow the logs, of all that is marked", 10, verb="logs SERVICE -f"),
    _verb(
        "switch",
        "s",
        "switch",
        "Run another branch, release or build",
        20,
        verb="switch SERVICE BRANCH",
    ),
    _verb("restart", "r", "restart", "Restart the service, or start it", 30, verb="restart SERVICE"),
    _verb("build", "b", "build", "Build the worktree and run the result", 40, verb="rebuild SERVICE"),
    _verb("pull", "P", "pull", "Run the newest release of the branch", 50, verb="pull SERVICE"),
    _verb("stop", "x", "stop", "Stop the service", 55, verb="stop SERVICE", radius="medium"),
    _verb("cancel", "X", "cancel", "Cancel what runs on the service", verb="cancel"),
    _verb("url", "o", "URL", "Copy its URL, or a curl command"),
    _verb("copy", "c", "copy", "Copy hash, tag, branch, socket…"),
    _verb("builds", "B", "builds", "Its builds, in every slot", verb="builds"),
    _verb("agent", "a", "agent", "Start an agent in my slot, for this service", 57, verb="agent"),
    _verb("attach", "A", "attach", "The window of an agent on this branch", verb="agent-attach ID"),
    _verb("answer", "i", "answer", "Answer what waits for me", verb="answer ID TEXT"),
    _verb("manifest", "y", "manifest", "Read the slot's manifest"),
    _verb("edit", "e", "edit", "Edit the manifest in $EDITOR"),
    _verb("shell", "S", "shell", "A shell in the worktree"),
    Key("cell.mark", "space", "mark", "cell", "Mark for merged logs, bulk actions", "screen.mark"),
    Key("cell.describe", "d", "details", "cell", "Show or hide the details", "screen.describe", 80),
    Key(
        "cell.filter",
        "/",
        "filter",
        "cell",
        "By name; /!without, /-f letters",
        "screen.filter",
        60,
    ),
    Key("cell.faults", "!", "faults", "cell", "Only what is broken", "screen.faults", 65),
    Key("fleet.next_fault", "n", "next fault", "fleet", "The next broken service", "screen.next_fault(1)"),
    Key("fleet.previous_fault", "N", "previous fault", "fleet", "The one before", "screen.next_fault(-1)"),
    Key("fleet.waiting", "@", "waiting", "fleet", "Only what waits for a person", "screen.waiting"),
    Key("fleet.mine", ".", "mine", "fleet", "Only my slot and the integration slot", "screen.mine"),
    *BUILD_KEYS,
    Key("grid.select", "enter", "open", "grid", "Open it; on integration: releases", "", 1),
    Key("grid.density", "z", "density", "grid", "Full, compact, heat, or automatic", "", 75),
    Key("grid.sort", "O", "sort", "grid", "By name, by trouble, by what agents wait for"),
    Key("grid.group", "V", "group", "grid", "Group by box, role or state, or not"),
    Key("grid.fold", "tab", "fold", "grid", "Hide or show the rows of a group"),
    Key("grid.fold_all", "shift+tab", "fold all", "grid", "Hide the rows of all groups, or show them"),
    Key("grid.down", "j,down", "down", "grid", "Next user"),
    Key("grid.up", "k,up", "up", "grid", "Previous user"),
    Key("grid.left", "H,left", "left", "grid", "Previous service"),
    Key("grid.right", "L,right", "right", "grid", "Next service"),
    Key("grid.top", "g", "top", "grid", "First user"),
    Key("grid.bottom", "G", "bottom", "grid", "Last user"),
    Key("grid.first", "home", "first", "grid", "First service"),
    Key("grid.last", "end", "last", "grid", "Last service"),
    Key("grid.half_down", "ctrl+d", "half page down", "grid", "Half a page down"),
    Key("grid.half_up", "ctrl+u", "half page up", "grid", "Half a page up"),
    Key("grid.page_down", "pagedown", "page down", "grid", "A page down"),
    Key("grid.page_up", "pageup", "page up", "grid", "A page up"),
    Key("list.select", "enter", "logs", "slot", "The logs of the service", "", 1),
    Key("slot.sort", "O", "sort", "slot", "By catalogue, trouble, branch, the newest", "screen.slot_sort", 62),
    Key("list.down", "j,down", "down", "list", "Next line"),
    Key("list.up", "k,up", "up", "list", "Previous line"),
    Key("list.top", "g,home", "top", "list", "First line"),
    Key("list.bottom", "G,end", "bottom", "list", "Last line"),
    Key("list.half_down", "ctrl+d,pagedown", "half page down", "list", "Half a page down"),
    Key("list.half_up", "ctrl+u,pageup", "half page up", "list", "Half a page up"),
    Key("operation.cancel", "x", "cancel", "operation", "Cancel the operation", read_only=False, verb="cancel"),
    Key("operation.open", "enter", "open", "operation", "The logs of the operation's service"),
    Key("confirm.cancel", "escape,n,q", "cancel", "confirm", "Do nothing"),
    Key("confirm.agree", "y", "yes", "confirm", "Do it"),
    Key("confirm.previous", "left,h,up,k", "previous", "confirm", "The button before"),
    Key("confirm.next", "right,l,down,j", "next", "confirm", "The next button"),
    Key("picker.down", "down,ctrl+n", "down", "picker", "Next"),
    Key("picker.up", "up,ctrl+p", "up", "picker", "Previous"),
    Key("picker.page_down", "pagedown", "page down", "picker", "A page down"),
    Key("picker.page_up", "pageup", "page up", "picker", "A page up"),
    Key("picker.cancel", "escape", "back", "picker", "Choose nothing"),
    Key(
        "switch.back",
        "B",
        "back to previous",
        "switch",
        "Run again what ran before (while nothing is typed)",
        read_only=False,
        verb="switch SERVICE --back",
    ),
    Key("filter.back", "escape", "back", "filter", "The filter that was there before", "", 1),
    *AGENT_KEYS,
    *LOG_KEYS,
    *FORM_KEYS,
    *HOST_KEYS,
    *TEAM_KEYS,
    *TRAY_KEYS,
)

PLACES: Mapping[str, tuple[str, ...]] = {
    "fleet": ("any", "cell", "fleet", "grid"),
    "slot": ("any", "cell", "slot", "list"),
    "builds": ("any", "builds", "list"),
    "releases": ("any", "releases", "list"),
    "compare": ("any", "compare", "list"),
    "operation": ("operation",),
    "confirm": ("confirm",),
    "switch": ("picker", "switch"),
    "filter": ("filter",),
    **AGENT_PLACES,
    **LOG_PLACES,
    **FORM_PLACES,
    **HOST_PLACES,
    **TEAM_PLACES,
    **TRAY_PLACES,
}
"""Which contexts are live together; within a place no key may mean two things."""

WIDGETS_DIFFER = frozenset({"grid.left", "grid.right"})
"""Actions with other keys here than their widget declares: `l` is for logs, so columns take H and L."""

FORBIDDEN = frozenset(
    f"ctrl+{key}"
    for key in (
        "b",
        "a",
        "space",
        "at",
        "h",
        "j",
        "k",
        "l",
        "s",
        "q",
        "z",
        "i",
        "m",
        "backslash",
        "left_square_bracket",
    )
)
"""Prefixes of tmux and screen, pane navigators, flow and job control, and what terminals send for other keys."""


def is_forbidden(key: str) -> bool:
    """True for keys that do not belong to a program inside tmux."""
    return key in FORBIDDEN or re.fullmatch(r"alt\+(shift\+)?[A-Za-z]", key) is not None


def duplicates(table: Iterable[Key]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Place, key, and the ids that claim it there, for each key that means two things in one place."""
    found = []
    entries = list(table)
    for place, contexts in PLACES.items():
        claims: dict[str, list[str]] = {}
        for entry in entries:
            if entry.context in contexts:
                for key in entry.keys.split(","):
                    claims.setdefault(key, []).append(entry.id)
        found += [(place, key, tuple(ids)) for key, ids in claims.items() if len(ids) > 1]
    return found


def works_in(entry: Key, place: str) -> bool:
    """Whether the entry's key is one of those of a place; of one that nobody described, any is."""
    contexts = PLACES.get(place)
    return contexts is None or entry.context in contexts


def of_verb(verb: str) -> list[Key]:
    """The actions that do what a verb of `hero_dev` does."""
    return [entry for entry in TABLE if entry.verb.split(" ")[0] == verb]
