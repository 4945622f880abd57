"""`hero_team_sync`: the reconciler of a system box, the only process of Hero's that is root."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import SYSTEM_ROOT, BoxPaths


def main() -> None:
    """Run until a signal; exit 1 with a sentence where that cannot be."""
    parser = argparse.ArgumentParser(prog="hero_team_sync", description="Has accounts be what the team repo says.")
    parser.add_argument(
        "--box", type=Path, default=SYSTEM_ROOT, help="the folder of the box (default: %(default)s)"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    try:
        if not BoxPaths(arguments.box).config.is_file():
            raise HeroError(
                "not_found",
                f"{arguments.box} is not a box: it has no box.toml.",
                hint="deploy/bootstrap.sh makes a system box; --box names another folder.",
            )
        asyncio.run(_serve(arguments.box))
    except HeroError as error:
        sys.exit(f"hero_team_sync: {error}")


async def _serve(box: Path) -> None:
    from backends.team.daemon import serve

    gc.freeze()
    await serve(box)


if __name__ == "__main__":
    main()
