"""An edge in a process that a test kills: `edge_process.py FOLDER [hold]`; looks go to a file, or never end."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from backends.box.edge.edge import Asks, Edge
from backends.box.edge.inbox import Look
from backends.box.edge.numbers import Numbers
from backends.database import Database
from backends.forge.folder import FolderForge


async def main(folder: Path, hold: bool) -> None:
    async def look(look: Look) -> None:
        if hold:
            await asyncio.Event().wait()
        with (folder / "looks").open("a") as out:
            out.write(f"{look.repo} {look.branch} {look.deliveries}\n")

    asks = Asks(lambda _: True, look, Numbers, lambda: True, lambda: ())
    database = Database(folder / "events.sqlite")
    edge = Edge("dev", database, FolderForge(folder / "forge"), folder / "secrets" / "key", asks)
    await edge.open()
    await edge.listen(folder / "http.sock", "")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), "hold" in sys.argv[2:]))
