"""The keys of the team, of the doctor and of the way back, a part of the one table of keys."""

from __future__ import annotations

from hero_tui.key import Key

TEAM_KEYS: tuple[Key, ...] = (
    Key("app.team", "9", "team", "any", "The people, and what the reconciler did", "app.place('team')"),
    Key(
        "app.doctor",
        "0",
        "doctor",
        "any",
        "What is wrong, and what mends it",
        "app.place('doctor')",
        verb="doctor",
    ),
    Key("app.backward", "[", "backward", "any", "Back through the places visited", "app.history(-1)"),
    Key("app.forward", "]", "forward", "any", "Forward again", "app.history(1)"),
    Key("app.last", "-", "last place", "any", "The place before this one, and back", "app.last"),
    Key("team.open", "enter", "read", "team", "All of it, alone; again: the list", "screen.team_open", 1),
    Key(
        "team.plan",
        "p",
        "plan",
        "team",
        "What the reconciler would do now",
        "screen.team_plan",
        10,
        verb="team plan",
    ),
    Key("team.diff", "D", "diff", "team", "What is, and what the team repo wants", "screen.team_diff", 20),
    Key(
        "team.mark", "space", "mark", "team", "Mark it: plan, diff, copy are of all marked", "screen.team_mark", 30
    ),
    Key("team.sort", "O", "sort", "team", "By need, name, role, uid", "screen.team_sort", 40),
    Key("team.filter", "/", "filter", "team", "By words; /!without, /-f letters", "screen.team_filter", 60),
    Key("team.wrong", "!", "problems", "team", "Only what needs somebody", "screen.team_wrong", 65),
    Key("team.copy", "c", "copy", "team", "Copy login, fingerprints, file…", "screen.team_copy", 70),
    Key("team.describe", "d", "details", "team", "Show or hide the details", "screen.team_describe", 80),
    Key("doctor.open", "enter", "read", "doctor", "All of it, alone; again: the list", "screen.doctor_open", 1),
    Key(
        "doctor.mend",
        "f",
        "mend",
        "doctor",
        "Mend what is under the cursor, after a question",
        "screen.doctor_mend",
        5,
        radius="medium",
        read_only=False,
        verb="doctor --fix",
    ),
    Key(
        "doctor.mend_all",
        "F",
        "mend all",
        "doctor",
        "Mend what is marked, or all that can be",
        "screen.doctor_mend_all",
        6,
        radius="medium",
        read_only=False,
        verb="doctor --fix",
    ),
    Key(
        "doctor.again", "r", "again", "doctor", "Look at everything anew", "screen.doctor_again", 10, verb="doctor"
    ),
    Key("doctor.mark", "space", "mark", "doctor", "Mark what can be mended", "screen.doctor_mark", 20),
    Key("doctor.wrong", "!", "wrong", "doctor", "Only what is wrong", "screen.doctor_wrong", 30),
    Key("doctor.mendable", "m", "mendable", "doctor", "Only what can be mended", "screen.doctor_mendable", 40),
    Key("doctor.mine", ".", "mine", "doctor", "Only the box and my slot", "screen.doctor_mine", 50),
    Key(
        "doctor.filter",
        "/",
        "filter",
        "doctor",
        "By words; /!without, /-f letters",
        "screen.doctor_filter",
        60,
    ),
    Key("doctor.copy", "c", "copy", "doctor", "Copy what mends it, what was found…", "screen.doctor_copy", 70),
    Key("doctor.describe", "d", "details", "doctor", "Show or hide the details", "screen.doctor_describe", 80),
    Key("doctor.sort", "O", "sort", "doctor", "As they are checked, by area, by slot", "screen.doctor_sort", 85),
    Key("pane.down", "j,down", "down", "pane", "A line down"),
    Key("pane.up", "k,up", "up", "pane", "A line up"),
    Key("pane.half_down", "ctrl+d,pagedown", "half page down", "pane", "Half a page down"),
    Key("pane.half_up", "ctrl+u,pageup", "half page up", "pane", "Half a page up"),
    Key("pane.top", "g,home", "top", "pane", "The first line"),
    Key("pane.bottom", "G,end", "bottom", "pane", "The last line"),
)

TEAM_PLACES: dict[str, tuple[str, ...]] = {
    "team": ("any", "team", "list"),
    "team_text": ("any", "team", "pane"),
    "doctor": ("any", "doctor", "list"),
    "doctor_text": ("any", "doctor", "pane"),
}
