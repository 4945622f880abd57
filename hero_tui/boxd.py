"""`hero_boxd`: the daemon of one box; clients start it on demand."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from hero_tui.slotd import start_logging


def main() -> None:
    """Run until a signal or `box.down`; exit 1 with a sentence where that cannot be."""
    parser = argparse.ArgumentParser(prog="hero_boxd", description="The daemon of a box, for all its slots.")
    parser.add_argument("--box", required=True, type=Path, help="the folder of the box")
    parser.add_argument("--no-slots", action="store_true", help="leave the slots' daemons to others")
    arguments = parser.parse_args()
    box = arguments.box.resolve()
    try:
        if not BoxPaths(box).config.is_file():
            raise HeroError(
                "not_found", f"{box} is not a box: it has no box.toml.", hint="Name its folder with --box."
            )
        start_logging(BoxPaths(box).log / "boxd.log")
        asyncio.run(_serve(box, None if arguments.no_slots else _slotd(box)))
    except HeroError as error:
        logging.getLogger(__name__).error("%s", error)
        sys.exit(f"hero_boxd: {error}")


def _slotd(box: Path) -> Callable[[str], list[str]]:
    """The command that starts a slot's daemon."""
    return lambda user: [sys.executable, "-m", "hero_tui.slotd", "--box", str(box), "--slot", user]


async def _serve(box: Path, argv: Callable[[str], list[str]] | None) -> None:
    from backends.box.daemon import serve

    gc.freeze()
    await serve(box, argv)


if __name__ == "__main__":
    main()
