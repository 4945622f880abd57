"""Our block of ~/.ssh/authorized_keys: compared and written; what is outside it is the user's own, or refused."""

from __future__ import annotations

import os
from typing import Any

from backends.team.as_user import steps
from backends.team.as_user.steps import Refused

BEGIN = b"# BEGIN hero-team: these keys come from the team repo; what is changed here is put back"
END = b"# END hero-team"
_BEGIN_MARK, _END_MARK = b"# BEGIN hero-team", b"# END hero-team"
_NAME, _SECOND = "authorized_keys", "authorized_keys2"


def look(home: str, lines: list[str], strict: bool) -> dict[str, Any]:
    """Whether the keys are as they should be. Changes nothing."""
    with steps.home(home) as top:
        if not steps.is_there(top, ".ssh"):
            return {"current": not lines}
        with steps.folder(top, ".ssh", "~/.ssh", make=False) as ssh:
            before = steps.read_file(ssh, _NAME, "~/.ssh/authorized_keys")
            second = strict and steps.is_there(ssh, _SECOND)
            return {"current": _is_current(before or b"", lines, strict) and not second}


def write(home: str, lines: list[str], strict: bool) -> dict[str, Any]:
    """Put the keys in; `strict` takes all others out, and moves aside what they could hide in."""
    with steps.home(home) as top:
        if strict:
            _clear(top, ".ssh", "~/.ssh", wanted_folder=True)
        with steps.folder(top, ".ssh", "~/.ssh") as ssh:
            os.fchmod(ssh, 0o700)
            if strict:
                steps.set_aside(ssh, _SECOND)
                _clear(ssh, _NAME, "~/.ssh/authorized_keys", wanted_folder=False)
            before = steps.read_file(ssh, _NAME, "~/.ssh/authorized_keys")
            after = merged(before or b"", lines, strict)
            return {"seen": steps.write_file(ssh, _NAME, after)}


def _is_current(before: bytes, lines: list[str], strict: bool) -> bool:
    return before.splitlines() == merged(before, lines, strict).splitlines()


def merged(before: bytes, lines: list[str], strict: bool) -> bytes:
    """The file with our block of `lines` in place of the one that it has, or else at its end."""
    kept: list[bytes] = []
    place = None
    ours = False
    for line in before.splitlines():
        bare = line.strip()
        if bare.startswith(_BEGIN_MARK):
            place = len(kept) if place is None else place
            ours = True
        elif ours and bare.startswith(_END_MARK):
            ours = False
        elif ours and bare and not bare.startswith(b"#"):
            continue
        else:
            # A block whose end somebody took out ends where the keys do.
            ours = False
            if not (strict and bare and not bare.startswith(b"#")):
                kept.append(line)
    block = [BEGIN, *(line.encode() for line in lines), END] if lines else []
    place = len(kept) if place is None else place
    result = [*kept[:place], *block, *kept[place:]]
    return b"".join(line + b"\n" for line in result)


def _clear(parent: int, name: str, shown: str, *, wanted_folder: bool) -> None:
    """Move aside what is there and is not what it should be."""
    try:
        if wanted_folder:
            if steps.is_there(parent, name):
                with steps.folder(parent, name, shown, make=False):
                    return
        else:
            steps.read_file(parent, name, shown)
    except Refused:
        steps.set_aside(parent, name)
