"""`hero_aibroker`: the daemon that holds the org's Claude keys; clients of a rootless box start it on demand."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from pathlib import Path

from backends.broker_place import broker_place
from backends.model.errors import HeroError
from backends.model.paths import SYSTEM_ROOT, BoxPaths
from hero_tui.slotd import start_logging


def main() -> None:
    """Run until a signal or `aibroker.down`; exit 1 with a sentence where that cannot be."""
    parser = argparse.ArgumentParser(prog="hero_aibroker", description="Holds the org's Claude keys.")
    parser.add_argument(
        "--box", type=Path, default=SYSTEM_ROOT, help="the folder of the box (default: %(default)s)"
    )
    box = BoxPaths(parser.parse_args().box.resolve())
    try:
        if not box.config.is_file():
            raise HeroError(
                "not_found", f"{box.root} is not a box: it has no box.toml.", hint="Name its folder with --box."
            )
        _start_logging(box)
        asyncio.run(_serve(box.root))
    except HeroError as error:
        logging.getLogger(__name__).error("%s", error)
        sys.exit(f"hero_aibroker: {error}")


def _start_logging(box: BoxPaths) -> None:
    place = broker_place(box)
    if place.argv:
        start_logging(box.log / "aibroker.log")
    else:
        # Its folder is for keys; systemd's journal takes the log.
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for chatty in ("httpx", "httpcore", "h11", "uvicorn"):
        # On a finer level these would write headers, and so keys.
        logging.getLogger(chatty).setLevel(logging.WARNING)


async def _serve(box: Path) -> None:
    from backends.broker.daemon import serve
    from backends.broker.hardening import harden

    harden()
    gc.freeze()
    await serve(box)


if __name__ == "__main__":
    main()
