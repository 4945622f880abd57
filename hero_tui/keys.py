"""The one table of keys: what each does, where, how it is explained; screens, footer, help and settings use it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from backends.model.errors import nearest
from hero_tui.agent_keys import AGENT_KEYS, AGENT_PLACES
from hero_tui.key import Key as Key
from hero_tui.key import shown_key as shown_key


def _verb(name: str, keys: str, label: str, help: str, hint: int = 0) -> Key:
    return Key(f"cell.{name}", keys, label, "cell", help, f"app.verb('{name}')", hint)


TABLE: tuple[Key, ...] = (
    Key("app.command", ":", "command", "any", "Type a command, with completion", "app.command", -2),
    Key("app.palette", "ctrl+p", "palette", "any", "Find any action, slot or service", "app.palette"),
    Key("app.help", "?", "help", "any", "Show the keys that work here", "app.help", -1),
    Key("app.fleet", "1", "fleet", "any", "The fleet: everybody's services", "app.place('fleet')"),
    Key("app.slot", "2", "slot", "any", "The slot under the cursor", "app.place('slot')"),
    Key("app.logs", "3", "logs", "any", "The logs of what is under the cursor", "app.place('logs')"),
    Key("app.builds", "4", "builds", "any", "Builds that run, wait and ended", "app.place('builds')"),
    Key("app.releases", "5", "releases", "any", "What is published of the service", "app.place('releases')"),
    Key("app.agents", "6", "agents", "any", "Everybody's agents", "app.place('agents')"),
    Key("app.inbox", "7", "inbox", "any", "Questions and messages for me", "app.place('inbox')"),
    Key("app.peek", "u", "peek", "any", "Look into somebody's slot, read-only", "app.peek", 70),
    Key("app.refresh", "ctrl+r", "refresh", "any", "Ask the box for everything again", "app.refresh_fleet"),
    Key("app.back", "escape,q", "back", "any", "Clear a filter or result, or go back", "app.back"),
    Key("app.interrupt", "ctrl+c", "quit", "any", "Twice: quit. So does :q", "app.interrupt"),
    Key("app.theme", "T", "theme", "any", "Dark or light", "app.next_theme"),
    _verb("logs", "l", "logs", "Follow the logs, of all that is marked", 10),
    _verb("switch", "s", "switch", "Run another branch, release or build", 20),
    _verb("restart", "r", "restart", "Restart the service, or start it", 30),
    _verb("build", "b", "build", "Build the worktree and run the result", 40),
    _verb("pull", "P", "pull", "Run the newest release of the branch", 50),
    _verb("stop", "x", "stop", "Stop the service", 55),
    _verb("cancel", "X", "cancel", "Cancel what runs on the service"),
    _verb("url", "o", "URL", "Copy its URL, or a curl command"),
    _verb("copy", "c", "copy", "Copy hash, tag, branch, socket…"),
    _verb("builds", "B", "builds", "Its builds, in every slot"),
    _verb("agent", "a", "agent", "Start an agent in my slot, for this service", 57),
    _verb("attach", "A", "attach", "The window of an agent on this branch"),
    _verb("answer", "i", "answer", "Answer what waits for me"),
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
        "Filter by name; /!text leaves out",
        "screen.filter",
        60,
    ),
    Key("cell.faults", "!", "faults", "cell", "Only what is broken", "screen.faults", 65),
    Key("fleet.next_fault", "n", "next fault", "fleet", "The next broken service", "screen.next_fault(1)"),
    Key("fleet.previous_fault", "N", "previous fault", "fleet", "The one before", "screen.next_fault(-1)"),
    Key("fleet.waiting", "@", "waiting", "fleet", "Only what waits for a person", "screen.waiting"),
    Key("fleet.mine", ".", "mine", "fleet", "Only my slot and the integration slot", "screen.mine"),
    Key("logs.copy", "c", "copy", "logs", "Copy the lines on the screen", "screen.copy", 40),
    Key("logs.clear", "C", "clear", "logs", "Forget the lines so far", "screen.clear", 50),
    Key("builds.select", "enter", "log", "builds", "The whole log of the build", "", 1),
    Key("builds.log", "l", "log", "builds", "The whole log of the build", "screen.build_log"),
    Key(
        "builds.again",
        "b",
        "rebuild",
        "builds",
        "Build the same slot, service and branch again",
        "screen.build_again",
        10,
    ),
    Key("builds.publish", "p", "publish", "builds", "Build it again, and publish it", "screen.build_publish", 20),
    Key(
        "builds.cancel", "X", "cancel", "builds", "Take it out of the queue, or stop it", "screen.build_cancel", 15
    ),
    Key(
        "builds.filter",
        "/",
        "filter",
        "builds",
        "Filter by any word; /!text leaves out",
        "screen.build_filter",
        30,
    ),
    Key("builds.failed", "!", "failed", "builds", "Only what failed", "screen.build_failed", 35),
    Key("builds.mine", ".", "mine", "builds", "Only builds of my slot", "screen.build_mine", 40),
    Key("builds.copy", "c", "copy", "builds", "Copy id, commit, tag, branch…", "screen.build_copy", 50),
    Key("builds.link", "o", "link", "builds", "Copy the link of its release", "screen.build_link", 60),
    Key("builds.describe", "d", "details", "builds", "Show or hide details and log", "screen.build_describe", 80),
    Key("releases.install", "enter,i", "install", "releases", "Run it in my slot", "screen.release_install", 1),
    Key(
        "releases.follow",
        "s",
        "follow branch",
        "releases",
        "Follow its branch: run the newest",
        "screen.release_follow",
        15,
    ),
    Key(
        "releases.mark", "space", "mark", "releases", "Mark it, to compare with another", "screen.release_mark", 20
    ),
    Key(
        "releases.compare",
        "=,v",
        "compare",
        "releases",
        "Commits between it and mark, or mine",
        "screen.release_compare",
        30,
    ),
    Key(
        "releases.branch",
        "f",
        "branch",
        "releases",
        "All branches, the trunk, mine",
        "screen.release_branch",
        35,
    ),
    Key(
        "releases.filter",
        "/",
        "filter",
        "releases",
        "Filter; =branch asks the forge",
        "screen.release_filter",
        40,
    ),
    Key("releases.copy", "c", "copy", "releases", "Copy tag, commit, link…", "screen.release_copy", 50),
    Key("releases.link", "o", "link", "releases", "Copy its link", "screen.release_link", 60),
    Key("releases.builds", "b,B", "builds", "releases", "The builds of the service", "screen.release_builds", 65),
    Key(
        "releases.describe", "d", "details", "releases", "Show or hide the details", "screen.release_describe", 80
    ),
    Key("compare.swap", "x", "swap", "compare", "Look the other way round", "screen.compare_swap", 10),
    Key("compare.copy", "c", "copy", "compare", "Copy commit, subject, tags…", "screen.compare_copy", 20),
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
    Key("list.down", "j,down", "down", "list", "Next line"),
    Key("list.up", "k,up", "up", "list", "Previous line"),
    Key("list.top", "g,home", "top", "list", "First line"),
    Key("list.bottom", "G,end", "bottom", "list", "Last line"),
    Key("list.half_down", "ctrl+d,pagedown", "half page down", "list", "Half a page down"),
    Key("list.half_up", "ctrl+u,pageup", "half page up", "list", "Half a page up"),
    Key("log.follow", "f,space", "follow", "log", "Follow the end, or pause", "", 1),
    Key("log.filter", "/", "filter", "log", "Filter: text, !without, ~regex", "", 10),
    Key("log.only_matches", "&", "only matches", "log", "Show only what matches, or all"),
    Key("log.next", "n", "next", "log", "Next match"),
    Key("log.previous", "N", "previous", "log", "Previous match"),
    Key("log.wrap", "w", "wrap", "log", "Wrap long lines", "", 30),
    Key("log.times", "t", "times", "log", "Show the time of each line", "", 35),
    Key("log.down", "j,down", "down", "log", "A line down"),
    Key("log.up", "k,up", "up", "log", "A line up"),
    Key("log.right", "l,right", "right", "log", "Move the text to the left"),
    Key("log.left", "h,left", "left", "log", "Move the text to the right"),
    Key("log.half_down", "ctrl+d", "half page down", "log", "Half a page down"),
    Key("log.half_up", "ctrl+u", "half page up", "log", "Half a page up"),
    Key("log.page_down", "pagedown", "page down", "log", "A page down"),
    Key("log.page_up", "pageup", "page up", "log", "A page up"),
    Key("log.top", "g,home", "top", "log", "The oldest line"),
    Key("log.bottom", "G,end", "bottom", "log", "The newest line, and follow"),
    Key("operation.cancel", "x", "cancel", "operation", "Cancel the operation"),
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
    Key("switch.back", "B", "back to previous", "switch", "Run again what ran before (while nothing is typed)"),
    Key("filter.back", "escape", "back", "filter", "The filter that was there before", "", 1),
    *AGENT_KEYS,
)

PLACES: Mapping[str, tuple[str, ...]] = {
    "fleet": ("any", "cell", "fleet", "grid"),
    "slot": ("any", "cell", "slot", "list"),
    "builds": ("any", "builds", "list"),
    "releases": ("any", "releases", "list"),
    "compare": ("any", "compare", "list"),
    "logs": ("any", "logs", "log"),
    "operation": ("operation",),
    "confirm": ("confirm",),
    "switch": ("picker", "switch"),
    "filter": ("filter",),
    **AGENT_PLACES,
}
"""Which contexts are live together; within a place no key may mean two things."""

WIDGETS_DIFFER = frozenset({"grid.left", "grid.right"})
"""Actions with other keys here than their widget declares: `l` is for logs, so columns take H and L."""

_FORBIDDEN = frozenset(
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


def keymap(table: Iterable[Key]) -> dict[str, str]:
    """What to lay over the bindings that app and widgets declare: a person's own keys, and `WIDGETS_DIFFER`."""
    default = {entry.id: entry.keys for entry in TABLE}
    return {one.id: one.keys for one in table if one.keys != default[one.id] or one.id in WIDGETS_DIFFER}


def is_forbidden(key: str) -> bool:
    """True for keys that do not belong to a program inside tmux."""
    return key in _FORBIDDEN or re.fullmatch(r"alt\+[A-Za-z]", key) is not None


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


def overridden(overrides: Mapping[str, str]) -> tuple[tuple[Key, ...], list[str]]:
    """The table with a person's own keys, and a sentence for each one that cannot be taken."""
    table, problems = {entry.id: entry for entry in TABLE}, []
    for id_, keys in overrides.items():
        wanted = ",".join(part.strip() for part in keys.split(",") if part.strip())
        if problem := _problem(id_, wanted, table):
            problems.append(problem)
            continue
        table[id_] = replace(table[id_], keys=wanted)
    return tuple(table.values()), problems


def _problem(id_: str, keys: str, table: Mapping[str, Key]) -> str:
    if id_ not in table:
        close = nearest(id_, table)
        return f"keys: there is no action {id_!r}" + (f"; did you mean {close[0]}?" if close else ".")
    if not keys:
        return f"keys: {id_} names no key."
    for key in keys.split(","):
        if is_forbidden(key):
            return f"keys: {shown_key(key)} cannot be {id_}: it belongs to tmux or to the terminal."
    clash = duplicates([*(entry for entry in table.values() if entry.id != id_), replace(table[id_], keys=keys)])
    if clash:
        place, key, ids = clash[0]
        other = next((one for one in ids if one != id_), ids[0])
        return f"keys: {shown_key(key)} is {other} already, on {place}."
    return ""
