"""A process with a build queue in it, to be killed: `queue_process.py FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from backends.model.build_calls import BuildListParams
from backends.rpc.connection import Connection
from backends.rpc.wire import Request
from tests.backends.box.build_queue.slots import Yard


class Served(Yard):
    """A yard whose queue can be asked over its socket too."""

    async def _attach(self, connection: Connection, request: Request) -> Any:
        if request.method == "submit":
            return (await self.submit(**request.params)).model_dump(mode="json")
        if request.method == "list":
            return (await self.queue.listed(BuildListParams())).model_dump(mode="json")
        return await super()._attach(connection, request)


async def main(folder: Path) -> None:
    await Served(folder).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
