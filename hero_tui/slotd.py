"""`hero_slotd`: the daemon of one slot; clients and the box start it on demand."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import logging.handlers
import sys
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import BoxPaths

LOG_BYTES = 2_000_000
LOG_FILES = 3


def main() -> None:
    """Run until a signal or `slot.down`; exit 1 with a sentence where that cannot be."""
    parser = argparse.ArgumentParser(prog="hero_slotd", description="The daemon of one slot of a box.")
    parser.add_argument("--box", required=True, type=Path, help="the folder of the box")
    parser.add_argument("--slot", required=True, help="the user whose slot it is")
    arguments = parser.parse_args()
    box = arguments.box.resolve()
    folder = BoxPaths(box).slot(arguments.slot).log
    try:
        start_logging(folder / "slotd.log")
        asyncio.run(_serve(box, arguments.slot))
    except HeroError as error:
        logging.getLogger(__name__).error("%s", error)
        sys.exit(f"hero_slotd: {error}")


def start_logging(path: Path) -> None:
    """The daemon's log: one file, rotated."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for chatty in ("watchfiles", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


async def _serve(box: Path, user: str) -> None:
    from backends.slot.daemon import serve

    gc.freeze()
    await serve(box, user)


if __name__ == "__main__":
    main()
