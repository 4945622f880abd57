"""`hero_tui`: opens the cockpit on a box, makes a demo box, or takes a picture without a terminal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from backends.client.locate import Where, locate
from backends.model.errors import HeroError

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from backends.model.state import Event, FleetSnapshot
    from hero_tui.app import HeroApp

SCREENS = ("fleet", "slot", "logs", "builds", "releases", "agents", "inbox")
_PICTURE_SECONDS = 20.0
_SETTLE_SECONDS = 0.4


def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments[:1] == ["demo"]:
        from hero_tui.demo import main as demo

        return demo(arguments[1:])
    options = _parser().parse_args(arguments)
    try:
        where = locate(options.box, options.slot)
        return open_cockpit(
            where, read_only=options.read_only, screen=options.screen, screenshot=options.screenshot
        )
    except HeroError as error:
        print(f"hero_tui: {error}", file=sys.stderr)
        return 5 if error.code == "unreachable" else 2 if error.code == "usage" else 1


def open_cockpit(
    where: Where, *, read_only: bool = False, screen: str = "fleet", screenshot: Path | None = None
) -> int:
    """Show the box until the person quits; with `screenshot`, write a picture of it instead; the exit code.

    Raises HeroError `usage` without a terminal.
    """
    if screenshot is None and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise HeroError(
            "usage",
            "The cockpit needs a terminal.",
            hint="`hero_dev status --all` prints the fleet; --screenshot FILE.svg makes a picture.",
        )
    app = make_app(where, read_only=read_only, screen=screen)
    if screenshot is not None:
        return _take_picture(app, screenshot)
    return app.run(mouse=app.settings.mouse) or app.return_code or 0


def make_app(where: Where, *, read_only: bool = False, screen: str = "fleet") -> HeroApp:
    """The app on the box's own daemons."""
    gc.disable()  # the app turns it on again once it stands
    from screens import driver

    driver.install()
    from backends.client.live import LiveBox, StateWatcher
    from hero_tui.app import HeroApp
    from hero_tui.settings import load_settings, settings_path

    def line(
        *,
        on_state: StateWatcher,
        on_snapshot: Callable[[FleetSnapshot], None],
        on_event: Callable[[Event], None],
    ) -> LiveBox:
        return LiveBox(where, on_state=on_state, on_snapshot=on_snapshot, on_event=on_event)

    return HeroApp(where, line, load_settings(settings_path()), read_only=read_only, screen=screen)


def _take_picture(app: HeroApp, path: Path) -> int:
    size = shutil.get_terminal_size((120, 40))
    seen = False

    async def pose(pilot: Pilot[object]) -> None:
        nonlocal seen
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PICTURE_SECONDS):
                await app.desk.known.wait()
        seen = app.desk.known.is_set()
        await asyncio.sleep(_SETTLE_SECONDS)
        await pilot.pause()
        picture = app.export_screenshot(title="hero")
        await asyncio.to_thread(path.write_text, picture, encoding="utf-8")
        app.exit(0)

    app.run(headless=True, size=(size.columns, size.lines), auto_pilot=pose)
    if not seen:
        print(f"hero_tui: {app.desk.fleet.why or 'the box did not answer in time'}", file=sys.stderr)
        return 5
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hero_tui",
        description="The cockpit of a team box.",
        epilog="`hero_tui demo` makes a box with four slots and opens it.",
    )
    parser.add_argument(
        "--box", default="", metavar="NAME|DIR", help="which box (default: HERO_BOX, or around here)"
    )
    parser.add_argument("--slot", default="", metavar="USER", help="whose slot is mine (default: this login's)")
    parser.add_argument("--read-only", action="store_true", help="look, change nothing")
    parser.add_argument("--screen", default="fleet", choices=SCREENS, help="where to begin")
    parser.add_argument("--screenshot", type=Path, metavar="FILE.svg", help="write a picture instead of opening")
    return parser


if __name__ == "__main__":
    sys.exit(main())
