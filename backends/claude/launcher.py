"""What an agent's window starts with: it fetches the session from the slot's daemon and becomes `claude`.

Run as `python -I -S launcher.py SOCKET AGENT`. The credential comes over the socket and goes into a pipe, so that
no command line, no environment and no file ever has it.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Any, NoReturn

# With -I -S nothing of ours is on the path.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120

from backends.claude.one_call import Refused, ask
from backends.claude.unsetting import without

SECRET_LIMIT = 64 * 1024
"""Bytes of a secret: what a pipe holds while nobody reads yet."""
_PATIENCE = 10.0
"""Seconds for a daemon that is just being restarted."""
_SECONDS = 60.0
"""For the answer: the daemon may have to ask the broker."""


def main(words: list[str]) -> int:
    """Become the session; returns only where that fails."""
    if len(words) != 2:
        return _fail("usage: launcher.py SOCKET AGENT", "")
    socket, agent = words
    try:
        launch = ask(
            socket, "agent.launch", {"agent": agent, "pid": os.getpid()}, seconds=_SECONDS, patience=_PATIENCE
        )
        become(launch)
    except Refused as refused:
        return _fail(str(refused), refused.hint)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # Not the error's own words where it may hold a part of the answer.
        told = f"{type(error).__name__}: {error.strerror}" if isinstance(error, OSError) else type(error).__name__
        return _fail(f"The session could not be started ({told}).", "`hero_dev agents` tells more.")


def become(launch: dict[str, Any]) -> NoReturn:
    """Replace this process by the session that `launch` (an AgentLaunch) describes. Raises OSError, ValueError."""
    environment = without(dict(os.environ), launch["unset"]) | launch["env"]
    if secret := launch["secret"]:
        environment[launch["variable"]] = str(_pipe_with(secret.encode()))
    os.chdir(launch["cwd"])
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))  # a crash must not leave the credential in a file
    os.execve(launch["argv"][0], launch["argv"], environment)  # noqa: S606 - an argument list, and no shell


def _pipe_with(secret: bytes) -> int:
    """The reading end of a pipe that holds `secret`, to be inherited. Raises ValueError."""
    if len(secret) > SECRET_LIMIT:
        raise ValueError("the credential is longer than a pipe holds")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    written = os.write(writer, secret)
    os.close(writer)
    if written != len(secret):
        raise ValueError("the pipe did not take the credential")
    os.set_inheritable(reader, True)
    return reader


def _fail(message: str, hint: str) -> int:
    for line in (message, hint):
        if line:
            print(printable(line))
    return 1


def printable(text: str) -> str:
    """`text` without what a terminal would obey."""
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text[:4000])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
