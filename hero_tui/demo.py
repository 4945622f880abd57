"""`hero_tui demo`: a real rootless box with four slots, made once, brought up, and opened."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from backends.client.blocking import call_box, call_slot, run_operation
from backends.client.locate import Where, default_box
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from hero_tui.demo_box.catalogue import PEOPLE, TRUNK
from hero_tui.demo_box.make import is_demo, is_finished, make_box, mark_finished, remove_box
from hero_tui.demo_box.team import DEVELOPERS
from hero_tui.verbs.box import bring_up

NEWER: dict[str, object] = {"service": "hero_mail", "branch": TRUNK, "from": "build", "publish": True}
"""What the integration slot binds once the developers' slots run: the box builds and publishes by itself what is
bound so, and whoever starts after that has the newest."""
SCENE: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("integration", "slot.start", {}),
    ("mik", "slot.switch", {"service": "hero_books", "branch": "development_mik", "from": "build"}),
    ("thabet", "slot.pull", {"service": "hero_search"}),
)
"""After the developers' slots run: a newer release of hero_mail, a build that fails, a service that is stopped."""


def main(argv: list[str]) -> int:
    """Make or find the demo's box, bring it up, open it; returns the exit code."""
    arguments = _parser().parse_args(argv)
    root = (arguments.dir or default_box()).expanduser().absolute()
    try:
        where = prepare(root, reset=arguments.reset)
        if arguments.no_open or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return show(where)
        from hero_tui.opening import open_cockpit

        return open_cockpit(where)
    except HeroError as error:
        print(f"hero_tui demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nhero_tui demo: stopped; the next run goes on from the beginning.", file=sys.stderr)
        return 130


def prepare(root: Path, *, reset: bool) -> Where:
    """The demo's box in `root`, whole and up. Raises HeroError."""
    if root.exists() and any(root.iterdir()) and not is_demo(root):
        raise HeroError(
            "usage",
            f"{root} is not empty, and the demo did not make it.",
            hint="Name an empty or a new folder with --dir.",
        )
    where = Where(BoxPaths(root), "alice")
    if is_demo(root) and (reset or not is_finished(root)):
        _take_down(where)
        remove_box(root)
    if not is_finished(root):
        _say(f"Making a box in {root}")
        asyncio.run(make_box(root, _say))
        _first_start(where)
        mark_finished(root)
    elif not _is_up(where):
        _say(f"Starting the box in {root}")
        bring_up(where, _say).close()
    return where


def show(where: Where) -> int:
    """The fleet as text, and how to open it."""
    from hero_tui.cli import main as hero_dev

    code = hero_dev(["--box", str(where.box.root), "status", "--all"])
    called = os.environ.get("HERO_CALLED_AS", "")
    cockpit, command = (f"{called} demo", called) if called else ("hero_tui", "hero_dev")
    root = shlex.quote(str(where.box.root))
    there = where.box.root == default_box()
    opening = cockpit if there else f"{cockpit} {'--dir' if called else '--box'} {root}"
    command = command if there else f"{command} --box {root}"
    print(f"\nOpen it:     {opening}")
    print(f"Look at one: {command} --slot alice status")
    print(f"Switch:      {command} --slot alice switch hero_router development_mik")
    return code


def _first_start(where: Where) -> None:
    """Bring the daemons up, start what each slot has bound, and set the scene: see `_scene`."""
    began = time.monotonic()
    bring_up(where, _say).close()
    _say(f"the box's daemon and {len(PEOPLE)} slots' daemons  {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        list(pool.map(lambda user: _run(where, user, "slot.start"), DEVELOPERS))
        _say(f"the developers' services, from releases and builds  {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        _run(where, "integration", "slot.bind", NEWER)
        scene = [pool.submit(_run, where, *call) for call in SCENE]
        for call in scene:
            call.result()
    _edit_a_worktree(where)
    _say(f"the integration slot: builds the trunk and publishes it  {time.monotonic() - began:.1f} s")


def _edit_a_worktree(where: Where) -> None:
    """Thabet works on something: his worktree is ahead of what he runs."""
    app = where.box.slot("thabet").worktree("hero_books", TRUNK) / "app.py"
    app.write_text(app.read_text() + "\n# next: find by shelf\n")
    call_slot(Where(where.box, "thabet"), "slot.status", {})


def _run(where: Where, user: str, method: str, params: Mapping[str, object] | None = None) -> None:
    """What fails here is part of the show: the fleet tells of it."""
    run_operation(Where(where.box, user), method, dict(params or {}), lambda _: None)


def _is_up(where: Where) -> bool:
    try:
        status = call_box(where, "box.status", start=False)
    except HeroError:
        return False
    return set(status["slots"]) <= set(status["online"])


def _take_down(where: Where) -> None:
    try:
        call_box(where, "box.down", {"services": True}, start=False)
    except HeroError as error:
        if error.code != "unreachable":
            raise


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hero_tui demo", description="A rootless box with four slots and real services, to look at."
    )
    parser.add_argument("--dir", type=Path, help=f"where the box lies (default: {default_box()})")
    parser.add_argument("--no-open", action="store_true", help="print the fleet instead of opening the cockpit")
    parser.add_argument("--reset", action="store_true", help="make it anew")
    return parser
