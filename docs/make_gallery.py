"""Writes the gallery from the pictures that the tests hold the cockpit to: `python docs/make_gallery.py`."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "gallery.md"

PICTURES = (
    (
        "The fleet at work: a download, marks, the cursor on a crash",
        "test_pictures/test_colours[fleet_at_work-{}]",
    ),
    ("A slot: its services, one a line", "test_pictures/test_colours[slot-{}]"),
    ("The switch dialog, searched", "test_pictures/test_colours[switch_search-{}]"),
    ("Logs of two services, merged", "test_log_pictures/test_colours[{}]"),
    ("Builds: the queue, and what went through it", "test_build_pictures/test_colours[{}]"),
    ("Releases of a service", "test_release_pictures/test_colours[releases-{}]"),
    ("Everybody's agents", "test_agent_pictures/test_colours[agents-{}]"),
    ("The inbox", "test_agent_pictures/test_colours[inbox-{}]"),
    ("An approval of something that others use", "test_agent_pictures/test_colours[approval_high-{}]"),
    ("A new agent", "test_agent_pictures/test_colours[form-{}]"),
    ("The team: what differs from what is wanted", "test_team_pictures/test_colours[diffed-{}]"),
    ("The doctor", "test_team_pictures/test_colours[ill-{}]"),
    ("Jump mode", "test_form_pictures/test_colours[jump-{}]"),
    ("What a command printed", "test_form_pictures/test_colours[result-{}]"),
    ("The settings, with a clash of keys", "test_form_pictures/test_colours[settings_clash-{}]"),
)
"""What each shows, and its test; `{}` is the theme."""

SINGLE = (
    ("The machine in trouble", "test_host_pictures/test_the_look_is_as_pictured[bad-hero-dark]"),
    ("The fleet in high contrast", "test_form_pictures/test_colours_of_the_fleet[hero-contrast]"),
    ("The fleet for the colour-blind", "test_form_pictures/test_colours_of_the_fleet[hero-colour-blind]"),
    ("The fleet in the terminal's own colours", "test_form_pictures/test_colours_of_the_fleet[hero-ansi]"),
)

STATES = (
    ("connecting", "test_before_the_box_has_told_anything[fleet-loading-80x24]"),
    ("a box that does not answer", "test_before_the_box_has_told_anything[builds-refused-80x24]"),
    ("waiting for an answer", "test_while_the_box_does_not_tell[releases-loading-80x24]"),
    ("an answer that was refused", "test_while_the_box_does_not_tell[builds-refused-80x24]"),
    (
        "the fleet, twelve seconds after the box went away",
        "test_what_was_told_stays_while_the_box_is_away[fleet-80x24]",
    ),
    ("a teammate's slot whose daemon is away", "test_layout[peek_away-80x24]"),
    ("a box without slots", "test_layout[fleet_without_slots-80x24]"),
    ("a slot without services", "test_layout[slot_empty-80x24]"),
    ("a log without a line", "test_layout[logs_empty-80x24]"),
    ("a doctor that finds nothing wrong", "test_doctor[doctor_nothing_wrong-80x24]"),
)
"""What each shows, and its test; as text, as one sees it in a terminal of 80 columns."""

HEAD = """# Gallery

Every picture is one that the tests hold the cockpit to (`snapshots/`), so this is how it looks now. Made by
`python docs/make_gallery.py`. The recorded tour is [tour.cast](tour.cast): `asciinema play docs/tour.cast`.
"""


def page() -> str:
    """The whole page. Raises FileNotFoundError for a picture that no test holds any more."""
    parts = [HEAD]
    for title, name in PICTURES:
        looks = [_picture(title, name.format(theme)) for theme in ("hero-dark", "hero-light")]
        parts.append(
            f"## {title}\n\n{looks[0]}\n\n<details><summary>in light</summary>\n\n{looks[1]}\n\n</details>\n"
        )
    parts += [f"## {title}\n\n{_picture(title, name)}\n" for title, name in SINGLE]
    states = (f"* [{title}]({_address('test_state_pictures/' + name, 'txt')})" for title, name in STATES)
    parts.append("\n".join(("## Where there is nothing to show, or nothing new", "", *states, "")))
    return "\n".join(parts)


def _picture(title: str, name: str) -> str:
    return f"![{title}]({_address(name, 'svg')})"


def _address(name: str, kind: str) -> str:
    path = ROOT / "snapshots" / "screens" / f"{name}.{kind}"
    if not path.is_file():
        raise FileNotFoundError(path)
    return f"../{quote(str(path.relative_to(ROOT)))}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}", file=sys.stderr)
