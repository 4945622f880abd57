"""A real daemon for tests, run as a program: `daemon.py SOCKET`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from backends.model.errors import HeroError
from backends.rpc.server import Dispatcher, Server


async def main(path: Path) -> int:
    """Serve at `path` until SIGTERM; each start that succeeds leaves a line in `<path>.starts`."""
    server = Server(path, Dispatcher("testd", "1.0"))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    try:
        await server.start()
    except HeroError as error:
        print(error.message, file=sys.stderr)
        return 1
    with path.with_name(path.name + ".starts").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    await stop.wait()
    await server.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
