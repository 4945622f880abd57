"""The stand-in as a program of its own, for machines: `python -m tests.messages_api PORT LOG`."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from tests.messages_api.server import Asked, MessagesApi, Reply


class _Kept(MessagesApi):
    """What was asked goes to the file `log` as well, a line each: the credential and the whole body."""

    log: Path

    def take(self, asked: Asked) -> Reply:
        with self.log.open("a") as file:
            file.write(json.dumps({"path": asked.path, "key": asked.key, "body": asked.body}) + "\n")
        return super().take(asked)


def main(port: str, log: str) -> None:
    """Serve until ended."""
    api = _Kept(default=Reply(text="At your service."))
    api.log = Path(log)
    api.start(int(port))
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
