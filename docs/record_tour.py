"""Records docs/tour.cast and the two pictures from a real demo box: `.venv/bin/python docs/record_tour.py HOME`.

HOME is an empty folder that stands for a person's home. Needs tmux, asciinema and rsvg-convert.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from backends.client.locate import locate
from hero_tui.opening import make_app

if TYPE_CHECKING:
    from textual.pilot import Pilot

DOCS = Path(__file__).parent
BIN = Path(sys.executable).parent
TMUX = ("tmux", "-L", "hero-tour")
SIZE = (120, 36)
ZOOM = "1.2295"
"""Makes a letter of the picture (12.2 units) a whole number of pixels wide, as fonts are hinted to."""

SCENES: tuple[tuple[str, float], ...] = (
    ("# Five people, one box. Who runs what?", 1.5),
    ("\n", 0.3),
    ("hero_dev status --all\n", 3.5),
    ("# Thabet's voice service crashes. Why?\n", 1.5),
    ("hero_dev peek thabet hero_voice\n", 4.0),
    ("# Run Mik's router in my slot: his archive, no compiling.\n", 1.5),
    ("hero_dev switch hero_router development_mik --plan\n", 3.5),
    ("hero_dev switch hero_router development_mik\n", 3.0),
    ("# The same, and all the rest, on one screen:\n", 1.5),
    ("hero_tui\n", 3.0),
    ("<Right>", 1.0),
    ("s", 2.5),
    ("B", 2.5),
    ("<Enter>", 3.0),
    ("<Down>", 0.7),
    ("<Enter>", 3.5),
    ("<Escape>", 1.0),
    ("!", 2.5),
    ("l", 3.5),
    ("<Escape>", 0.7),
    ("!", 0.7),
    ("4", 2.5),
    ("8", 3.5),
    ("9", 3.0),
    ("0", 5.0),
    ("%", 2.5),
    ("<Escape>", 0.7),
    ("1", 1.5),
    ("?", 3.0),
    ("<Escape>", 0.7),
    (":", 1.0),
    ("q\n", 1.5),
    ("exit\n", 0.5),
)
"""What is typed, and the seconds to look at it."""

PICTURES: dict[str, tuple[str, ...]] = {
    "fleet": ("down", "down", "right", "right", "right", "right", "right"),
    "switch": ("right", "s"),
}


def main() -> None:
    """Make the box, take the pictures, record the tour."""
    home = Path(sys.argv[1]).absolute()
    for name in ("HERO_BOX", "HERO_SLOT", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "HERO_CALLED_AS"):
        os.environ.pop(name, None)
    os.environ |= {
        "HOME": str(home),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HERO_SLOT": "alice",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }
    subprocess.run([BIN / "hero_tui", "demo", "--no-open"], check=True)
    time.sleep(12)  # the crash loop of hero_voice comes to its end
    for name, keys in PICTURES.items():
        _picture(name, keys)
    _record()
    subprocess.run([BIN / "hero_dev", "box", "down"], check=True)


def _picture(name: str, keys: tuple[str, ...]) -> None:
    app = make_app(locate())

    async def pose(pilot: Pilot[object]) -> None:
        await app.desk.known.wait()
        await asyncio.sleep(1)
        for key in keys:
            await pilot.press(key)
        await asyncio.sleep(2)
        (DOCS / f"{name}.svg").write_text(app.export_screenshot(title="hero"), encoding="utf-8")
        app.exit(0)

    app.run(headless=True, size=SIZE, auto_pilot=pose)
    svg = DOCS / f"{name}.svg"
    subprocess.run(["rsvg-convert", "-z", ZOOM, svg, "-o", DOCS / f"{name}.png"], check=True)
    svg.unlink()


def _record() -> None:
    cast = DOCS / "tour.cast"
    columns, lines = map(str, SIZE)
    rc = Path.home() / ".bashrc"
    rc.write_text("PS1='\\[\\e[1;32m\\]alice@box\\[\\e[0m\\] $ '\n")
    shell = f"bash --rcfile {rc}"
    subprocess.run([*TMUX, "new-session", "-d", "-x", columns, "-y", lines, shell], check=True)
    subprocess.run([*TMUX, "set", "-g", "status", "off"], check=True)
    subprocess.run([*TMUX, "set", "-as", "terminal-features", ",*:RGB"], check=True)
    argv = ["asciinema", "rec", "-q", "--overwrite", "--cols", columns, "--rows", lines, "-i", "3"]
    outer = subprocess.Popen(
        ["script", "-qec", " ".join([*argv, "-c", f"'{' '.join(TMUX)} attach'", str(cast)]), "/dev/null"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    time.sleep(2)
    for typed, pause in SCENES:
        _type(typed)
        time.sleep(pause)
    outer.wait(30)


def _type(typed: str) -> None:
    if typed.startswith("<"):
        subprocess.run([*TMUX, "send-keys", typed.strip("<>")], check=True)
        return
    for letter in typed:
        key = ["Enter"] if letter == "\n" else ["-l", letter]
        subprocess.run([*TMUX, "send-keys", *key], check=True)
        time.sleep(0.03)


if __name__ == "__main__":
    main()
