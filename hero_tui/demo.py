"""`hero_tui demo`: a real rootless box with four slots, made once, brought up, and opened."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from backends.client.blocking import call_box, call_slot, connect_box, run_operation
from backends.client.locate import Where, default_box
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from hero_tui.demo_box.catalogue import PEOPLE, TRUNK
from hero_tui.demo_box.make import is_demo, is_finished, make_box, remove_box
from hero_tui.demo_box.team import DEVELOPERS

SETTLE_SECONDS = 60.0

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
        from hero_tui.cockpit import open_cockpit

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
    elif not _is_up(where):
        _say(f"Starting the box in {root}")
        bring_up(where)
    return where


def show(where: Where) -> int:
    """The fleet as text, and how to open it."""
    from hero_tui.cli import main as hero_dev

    box = ["--box", str(where.box.root)]
    code = hero_dev([*box, "status", "--all"])
    named = "" if where.box.root == default_box() else f" --box {where.box.root}"
    print(f"\nOpen it:     hero_tui{named}")
    print(f"Look at one: hero_dev{named} --slot alice status")
    print(f"Switch:      hero_dev{named} --slot alice switch hero_router development_mik")
    return code


def _first_start(where: Where) -> None:
    """Bring the daemons up, start what each slot has bound, and set the scene: see `_scene`."""
    began = time.monotonic()
    bring_up(where)
    _say(f"the box's daemon and {len(PEOPLE)} slots' daemons  {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        list(pool.map(lambda user: _run(where, user, "slot.start"), DEVELOPERS))
        _say(f"the developers' services, from releases and builds  {time.monotonic() - began:.1f} s")
        began = time.monotonic()
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


def bring_up(where: Where) -> None:
    """Start the box's daemon, which starts the slots', and wait until all have told their state."""
    deadline = time.monotonic() + SETTLE_SECONDS
    with connect_box(where) as client:
        client.call("events.subscribe", {})
        while True:
            status = client.call("box.status")
            if set(status["slots"]) <= set(status["online"]) and status["slots"]:
                return
            if time.monotonic() > deadline:
                away = ", ".join(sorted(set(status["slots"]) - set(status["online"])))
                raise HeroError("timeout", f"These slots did not come up in time: {away}.", hint=_logs(where))
            next(client.notifications(timeout=SETTLE_SECONDS))


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


def _logs(where: Where) -> str:
    return f"Their logs are under {where.box.homes}."


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
