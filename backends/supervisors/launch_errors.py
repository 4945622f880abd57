"""Why a program could not be started, in plain words, and how to find that out without trying."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def why_not(program: str, cwd: Path, error: OSError) -> str:
    """The reason for a failed exec of `program` (as its definition names it) from the folder `cwd`."""
    if str(error.filename) == str(cwd):
        return f"its folder {cwd} cannot be entered: {error.strerror}"
    if error.errno == errno.ENOENT and "/" not in program:
        return f"there is no command {program!r} on its PATH"
    if error.errno == errno.ENOENT:
        return f"there is no command {program!r}, or the interpreter that its first line names is missing"
    if error.errno == errno.EACCES:
        return f"the command {program!r} may not be executed"
    if error.errno == errno.ENOEXEC:
        return f"{program!r} is no program of this machine (another platform, or no `#!` line)"
    return f"{program!r} cannot be started: {error.strerror}"


def likely_error(path: Path, cwd: Path) -> OSError:
    """What the exec of the file `path` from `cwd`, which is known to have failed, has most likely run into."""
    try:
        os.stat(f"{cwd}/.")  # noqa: PTH116 - a Path drops the dot, which asks for the right to enter
    except OSError as error:
        return OSError(error.errno, error.strerror, str(cwd))
    try:
        with path.open("rb") as program:
            head = program.read(2)
    except OSError as error:
        return error
    if not os.access(path, os.X_OK):
        return OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    code = errno.ENOENT if head == b"#!" else errno.ENOEXEC
    return OSError(code, os.strerror(code), str(path))
