"""What root has a user's own process do in the user's home: one request on standard input, one answer on output.

Root starts it with the user's uid, gid and no other group: `python -I -m backends.team.as_user.main`. Only the
standard library is imported, so that it starts at once.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from backends.team.as_user import keys, slot, unpushed
from backends.team.as_user.steps import Refused

_NO_NEW_PRIVILEGES = 38
_SET_DUMPABLE = 4
_WORK: dict[str, Callable[..., dict[str, Any]]] = {
    "make": slot.make,
    "seed": slot.seed,
    "look": keys.look,
    "keys": keys.write,
    "unpushed": unpushed.listed,
}


def main() -> None:
    """Answer `{"done": {…}}` or `{"refused": "a sentence"}`; exit 0 either way."""
    _give_up_the_rest()
    request = json.loads(sys.stdin.buffer.read())
    if os.geteuid() == 0 or os.geteuid() != request["uid"] or os.getgroups():
        _answer({"refused": "this work is the user's own, and this process is somebody else's."})
        return
    try:
        done = _WORK[request["work"]](request["home"], **request["with"])
    except Refused as refused:
        _answer({"refused": str(refused)})
    except OSError as error:
        _answer({"refused": f"{error.filename or 'a file'}: {error.strerror or error}."})
    else:
        _answer({"done": done})


def _give_up_the_rest() -> None:
    """No setuid program gains anything from here on, and the user's other processes cannot look in."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    os.umask(0o077)
    os.chdir("/")


def _answer(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value))


if __name__ == "__main__":
    main()
