"""The keys of logs, a part of the one table of keys."""

from __future__ import annotations

from hero_tui.key import Key

_WINDOWS = (
    "The last lines, as it opens",
    "Only the last minute",
    "Only the last 5 minutes",
    "Only the last 15 minutes",
    "Only the last hour",
    "Only the last day",
    "All that is kept",
)

LOG_KEYS: tuple[Key, ...] = (
    Key("logs.filter", "/", "filter", "logs", "Filter: text, !without, ~regex", "screen.filter(True)", 10),
    Key(
        "logs.search", "\\", "search", "logs", "Search: all lines stay, n and N go on", "screen.filter(False)", 15
    ),
    Key("logs.copy", "c", "copy", "logs", "Copy the lines on the screen", "screen.copy", 40),
    Key(
        "logs.copy_line", "y", "copy line", "logs", "Copy the line, or all since the last mark", "screen.copy_line"
    ),
    Key("logs.save", "s", "save", "logs", "Save what is shown to a file", "screen.save", 45),
    Key("logs.pager", "o", "pager", "logs", "Open it in $PAGER", "screen.open('pager')", 55),
    Key("logs.editor", "e", "editor", "logs", "Open it in $EDITOR", "screen.open('editor')", 60),
    Key(
        "logs.previous_run",
        "p",
        "previous run",
        "logs",
        "What the run before said last",
        "screen.previous_run",
        50,
    ),
    Key("logs.clear", "C", "clear", "logs", "Forget the lines so far", "screen.clear", 65),
    Key("files.leave", "q", "quit", "files", "End `hero_tui --log`", "", -1),
    Key("files.help", "?", "help", "files", "Show the keys that work here", "", -2),
    Key("files.back", "escape", "back", "files", "Take back the filter, then the window of time"),
    Key("files.theme", "T", "theme", "files", "The next theme: dark, light, high contrast…"),
    Key("log.follow", "f,space", "follow", "log", "Follow the end, or pause", "", 1),
    Key("log.only_matches", "&", "only matches", "log", "Show only what matches, or all"),
    Key("log.next", "n", "next", "log", "Next match"),
    Key("log.previous", "N", "previous", "log", "Previous match"),
    Key("log.previous_error", "<,!", "error before", "log", "The line above that tells of an error", "", 20),
    Key("log.next_error", ">", "next error", "log", "The line below that tells of an error"),
    Key("log.mark", "m", "mark", "log", "Draw a rule under the line, or take it away", "", 70),
    Key("log.to_mark", "'", "to mark", "log", "To the mark above"),
    Key("log.wrap", "w", "wrap", "log", "Wrap long lines", "", 30),
    Key("log.times", "t", "times", "log", "Show the time of each line", "", 35),
    Key("log.json", "J", "JSON", "log", "Spread lines of JSON over rows", "", 37),
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
    *(
        Key(f"log.window_{number}", str(number), "window", "window", help, title=help)
        for number, help in enumerate(_WINDOWS)
    ),
)

LOG_PLACES: dict[str, tuple[str, ...]] = {
    "logs": ("any", "logs", "log"),
    # In a log the digits are windows of time, as in k9s, and go to no other screen.
    "window": ("window",),
    # What `hero_tui --log` shows; there is no other screen, and nobody knows when the program was started.
    "files": ("files", "logs", "log", "window"),
}
