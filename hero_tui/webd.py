"""`hero_webd`: the daemon of the cockpit in the browser, at a socket of the router's or at a loopback address."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import SYSTEM_ROOT, BoxPaths
from hero_tui.slotd import start_logging

LISTEN = "127.0.0.1:8790"


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal; 1 with a sentence where that cannot be."""
    options = _parser().parse_args(arguments)
    try:
        box = _box(options.box)
        _log(box, options.socket)
        asyncio.run(_serve(box, options.socket, options.listen))
    except HeroError as error:
        logging.getLogger(__name__).error("%s", error)
        print(f"hero_webd: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hero_tui web", description="The cockpit in the browser, read-only, for people of the team."
    )
    parser.add_argument("--box", default="", metavar="NAME|DIR", help="which box (default: as for hero_tui)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--socket", type=Path, metavar="PATH", help="listen at this UNIX socket, behind the router")
    where.add_argument(
        "--listen",
        default=LISTEN,
        metavar="ADDRESS:PORT",
        help="listen at this loopback address (default: %(default)s)",
    )
    return parser


def _box(name: str) -> BoxPaths:
    from backends.client.locate import locate

    return BoxPaths(SYSTEM_ROOT) if name == str(SYSTEM_ROOT) else locate(name).box


def _log(box: BoxPaths, socket: Path | None) -> None:
    if socket is None:
        start_logging(box.log / "webd.log")
    else:  # systemd's journal takes it
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for chatty in ("aiohttp.access", "httpx", "httpcore"):  # these would write addresses with codes in them
        logging.getLogger(chatty).setLevel(logging.WARNING)


async def _serve(box: BoxPaths, socket: Path | None, listen: str) -> None:
    from hero_tui.web.daemon import serve

    await serve(box, socket, listen, tell=_told(socket))


def _told(socket: Path | None) -> Callable[[str], None]:
    """How a person who started it by hand learns the address."""
    return (lambda _: None) if socket else (lambda address: print(f"the cockpit is at {address}", flush=True))


if __name__ == "__main__":
    sys.exit(main())
