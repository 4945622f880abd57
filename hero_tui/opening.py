"""A start of the cockpit from its words on: opens a box, makes a demo box, or takes a picture of one."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backends.client.locate import Where, is_system, locate
from backends.model.errors import HeroError
from hero_tui.deep_link import HOME, LINKS, Link, check_link

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from backends.client.early import EarlyQuestion
    from backends.client.live import LiveBox, StateWatcher
    from backends.model.state import Event, FleetSnapshot
    from hero_tui.app import HeroApp
    from hero_tui.line import LineMaker

_PICTURE_SECONDS = 20.0
_SETTLE_SECONDS = 0.4


def main(arguments: list[str]) -> int:
    """The command; returns the exit code."""
    if arguments[:1] == ["demo"]:
        from hero_tui.demo import main as demo

        return demo(arguments[1:])
    if arguments[:1] == ["setup-tmux"]:
        from hero_tui.tmux_setup import main as setup_tmux

        return setup_tmux(arguments[1:])
    if arguments[:1] == ["web"]:
        from hero_tui.webd import main as web

        return web(arguments[1:])
    options = _parser().parse_args(arguments)
    if options.settings:
        return _settings()
    try:
        if options.log:
            return _files(options)
        link, where = _place(options)
        if options.plain:
            from hero_tui import plain

            return plain.run(where)
        return open_cockpit(
            where,
            read_only=options.read_only,
            link=link,
            screenshot=options.screenshot,
            beside=_beside(where, options.beside),
        )
    except HeroError as error:
        return failed(error)


def _files(options: argparse.Namespace) -> int:
    """Show files as logs, without a box; the exit code. Raises HeroError."""
    told = vars(options).items()
    others = [name for name, value in told if name != "log" and value != _parser().get_default(name)]
    if others:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in others)
        raise HeroError("usage", f"--log shows files, without a box: {names} cannot go with it.")
    from hero_tui.log_app import open_files

    return open_files(options.log)


def failed(error: HeroError) -> int:
    """Say why there is no cockpit; the exit code."""
    print(f"hero_tui: {error}", file=sys.stderr)
    return 5 if error.code == "unreachable" else 2 if error.code == "usage" else 1


def app_for(arguments: list[str]) -> HeroApp:
    """The cockpit that these words open. Raises HeroError, and SystemExit for what is no command."""
    options = _parser().parse_args(arguments)
    if options.log:
        raise HeroError("usage", "--log needs no cockpit that is resident.")
    link, where = _place(options)
    return make_app(where, read_only=options.read_only, link=link, beside=_beside(where, options.beside))


def load_all() -> None:
    """Import whatever a cockpit may come to use, so that those that are forked from this process need not."""
    import pkgutil
    from importlib import import_module

    import screens
    from hero_tui.late_line import IN_TURN

    found = [module.name for module in pkgutil.walk_packages(screens.__path__, "screens.")]
    for name in (
        *found,
        *IN_TURN,
        "hero_tui.app",
        "hero_tui.cell_actions",
        "hero_tui.prompts",
        "hero_tui.settings",
    ):
        import_module(name)


def _beside(home: Where, names: Sequence[str]) -> dict[str, Where]:
    """The other boxes by name; two of one name are told apart by a number. Raises HeroError."""
    boxes: dict[str, Where] = {}
    for name in names:
        where = locate(name)
        if where.box.root == home.box.root or where.box.root in (one.box.root for one in boxes.values()):
            continue
        called = where.box.root.name
        number = sum(known.partition("~")[0] == called for known in boxes)
        boxes[f"{called}~{number + 1}" if number else called] = where
    return boxes


def _place(options: argparse.Namespace) -> tuple[Link, Where]:
    link = check_link(Link(options.screen, options.slot, options.service))
    return link, _whose(locate(options.box, options.slot), options.box)


def open_cockpit(
    where: Where,
    *,
    read_only: bool = False,
    link: Link = HOME,
    screenshot: Path | None = None,
    beside: Mapping[str, Where] | None = None,
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
    early = None
    if screenshot is None and not beside:
        from backends.client.early import EarlyQuestion

        early = EarlyQuestion(where.box.rpc_socket)  # the box answers while this process loads the rest
    app = make_app(where, read_only=read_only, link=link, beside=beside, early=early)
    if screenshot is not None:
        return _take_picture(app, screenshot)
    from hero_tui.manners import refusal

    if told := refusal(os.environ):
        raise HeroError("usage", told, hint="`hero_dev status --all` prints the fleet.")
    return app.run(mouse=app.preferences.settings.mouse) or app.return_code or 0


def _settings() -> int:
    """The form of the settings; the exit code."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        print("hero_tui: The form needs a terminal; docs/settings.md tells what to write.", file=sys.stderr)
        return 2
    from hero_tui.manners import refusal

    if told := refusal(os.environ):
        print(f"hero_tui: {told}\n  docs/settings.md tells what to write.", file=sys.stderr)
        return 2
    from screens import textual_gate

    textual_gate.install()
    from hero_tui.settings_app import open_form

    return open_form()


def _whose(where: Where, box: str) -> Where:
    """A slot that is named is mine on a rootless box; on a system box mine is this login's, and that a peek."""
    if not is_system(where.box):
        return where
    return locate(box)


def make_app(
    where: Where,
    *,
    read_only: bool = False,
    link: Link = HOME,
    kind: type[HeroApp] | None = None,
    settings: Path | None = None,
    beside: Mapping[str, Where] | None = None,
    early: EarlyQuestion | None = None,
) -> HeroApp:
    """The app on the daemons of the box, and of those `beside` it.

    `settings` is the file of a person's own, where it is another than usual. What the box has answered to the
    `early` question is shown until it tells more.
    """
    gc.disable()  # the app turns it on again once it stands
    from screens import textual_gate

    if problem := textual_gate.install():
        logging.getLogger(__name__).warning(problem)
    from hero_tui.app import HeroApp
    from hero_tui.late_line import LateLine
    from hero_tui.manners import facts_of
    from hero_tui.settings_plain import plain_settings, settings_path

    def line_to(box: Where) -> LineMaker:
        def line(
            *,
            on_state: StateWatcher,
            on_snapshot: Callable[[FleetSnapshot], None],
            on_event: Callable[[Event], None],
        ) -> LateLine:
            def made() -> LiveBox:
                from backends.client.live import LiveBox

                return LiveBox(box, on_state=on_state, on_snapshot=on_snapshot, on_event=on_event)

            return LateLine(made)

        return line

    path = settings or settings_path()
    facts = facts_of(os.environ, sys.stderr.encoding)
    loaded = plain_settings(path)
    if loaded is None:
        from hero_tui.settings import load_settings

        loaded = load_settings(path)
    return (kind or HeroApp)(
        where,
        line_to(where),
        loaded,
        facts=facts,
        settings_file=path,
        read_only=read_only,
        link=link,
        look=early.answer() if early else None,
        beside={name: line_to(box) for name, box in (beside or {}).items()},
    )


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
        epilog="`hero_tui demo` makes a box with four slots and opens it; `hero_tui web` shows it to browsers.",
    )
    parser.add_argument(
        "--box", default="", metavar="NAME|DIR", help="which box (default: HERO_BOX, or around here)"
    )
    parser.add_argument(
        "--slot", default="", metavar="USER", help="whose slot is mine (default: this login's), and is shown first"
    )
    parser.add_argument("--beside", action="append", default=[], metavar="NAME|DIR", help="one more box to show")
    parser.add_argument("--settings", action="store_true", help="a form for theme, keys and all other settings")
    parser.add_argument("--read-only", action="store_true", help="look, change nothing")
    parser.add_argument("--screen", default="fleet", metavar="NAME", help=f"where to begin: {', '.join(LINKS)}")
    parser.add_argument("--service", default="", metavar="SERVICE", help="which service to begin with")
    parser.add_argument(
        "--log",
        action="extend",
        nargs="+",
        default=[],
        metavar="FILE",
        help="show files as logs, merged by time, without a box; - is what is piped in",
    )
    parser.add_argument("--plain", action="store_true", help="print changes as lines, for a screen reader")
    parser.add_argument("--screenshot", type=Path, metavar="FILE.svg", help="write a picture instead of opening")
    return parser
