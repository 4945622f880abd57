"""What git's complaints mean to a person, and what to do about them."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.text import safe_line


class GitError(HeroError):
    """A git command failed. `data["reason"]` is the stable name of the fault (`FAULTS`, or `git_failed`)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong: how git says it, and how we do (`{where}` is the repository)."""

    reason: str
    code: str
    says: re.Pattern[str]
    sentence: str
    hint: str


def _fault(reason: str, code: str, says: str, sentence: str, hint: str) -> Fault:
    return Fault(reason, code, re.compile(says, re.IGNORECASE), sentence, hint)


FAULTS = (
    _fault(
        "no_space",
        "no_space",
        r"no space left on device|disk quota exceeded",
        "No space left while git worked in {where}.",
        "Free some space, then try again.",
    ),
    _fault(
        "busy",
        "busy",
        r"unable to create '.*\.lock': file exists|cannot lock ref .*file exists",
        "Another git is working in {where}.",
        "Wait for it to end. If none runs there, it was killed: remove the `.lock` file that it left.",
    ),
    _fault(
        "foreign_repository",
        "denied",
        r"dubious ownership",
        "{where} belongs to somebody else, so git does not read it.",
        "If you trust it: `git config --global --add safe.directory PATH`.",
    ),
    _fault(
        "repository_corrupt",
        "failed",
        r"object file .* is empty|is corrupt|corrupt or missing|bad object|missing (object|blob|tree|commit)"
        r"|inflate|unable to (read|unpack|parse)|could not (?:parse|read(?! (?:username|password|from remote)))"
        r"|failed to (read|traverse|unpack)"
        r"|index file (corrupt|smaller)|bad (index|config|signature|tree)|index uses|bad packed"
        r"|cannot be accessed|invalid gitfile|reference broken|unexpected line in .*packed-refs"
        r"|fatal: bad (ref|file mode)|garbage at end",
        "The repository {where} is damaged: git cannot read all of it.",
        "See `git fsck` there; a clone is mended by cloning it again, the forge's copy from its backup.",
    ),
    _fault(
        "repository_gone",
        "not_found",
        r"not a git repository|does not appear to be a git repository|repository .* (does not exist|not found)"
        r"|cannot change to|unable to get current working directory",
        "There is no git repository at {where} (any more).",
        "Was it moved or deleted? `hero_dev sync` clones again what the forge still has.",
    ),
    _fault(
        "ref_not_found",
        "not_found",
        r"unknown revision|bad revision|needed a single revision|invalid (reference|object name)"
        r"|not a valid (object name|ref|branch)|couldn't find remote ref|remote branch .* not found"
        r"|pathspec .* did not match|is not a commit",
        "{where} has no such branch, tag or commit.",
        "Fetch first, or check the name.",
    ),
    _fault(
        "unreachable",
        "unreachable",
        r"could not resolve host|connection (refused|timed out|reset)|unable to access|authentication failed"
        r"|could not read (username|password)|could not read from remote repository|host key verification"
        r"|permission denied \(publickey",
        "git cannot reach the other repository from {where}.",
        "Check the network and that you may read it.",
    ),
    _fault(
        "denied",
        "denied",
        r"permission denied|read-only file system|operation not permitted",
        "git may not write in {where}.",
        "Check the owner and mode of that folder.",
    ),
)

_COULD_NOT_WRITE = re.compile(r"(couldn't|could not|unable to|failed to) (write|create)", re.IGNORECASE)
_FULL_BELOW = 64 * 1024
"""Bytes free below which a write that git does not explain is put down to the full disk."""


def explain(args: Sequence[str], place: Path | None, stderr: str, code: int = 0) -> GitError:
    """The error for a failed `git ARGS` in `place` that printed `stderr` (already safe to show) and ended with
    `code`, below 0 for a signal."""
    where = safe_line(str(place)) if place else "the repository"
    said = _last_words(stderr)
    data = {"git": args[0] if args else "", "stderr": stderr[-2000:]}
    fault = next((one for one in FAULTS if one.says.search(stderr)), None)
    if fault is None and _COULD_NOT_WRITE.search(stderr) and _is_full(place):
        fault = FAULTS[0]
    if fault:
        sentence = fault.sentence.format(where=where)
        message = f"{sentence} ({said})" if said else sentence
        return GitError(fault.code, message, hint=fault.hint, data=data | {"reason": fault.reason})
    return GitError(
        "failed",
        f"`git {safe_line(' '.join(args[:1]))}` failed in {where}: {said or _silent(code)}",
        hint="Run it there by hand to see more.",
        data=data | {"reason": "git_failed"},
    )


def _silent(code: int) -> str:
    if code < 0:
        return f"{signal.Signals(-code).name} ended it"
    return f"it gave no reason (exit {code})" if code else "it gave no reason"


def _last_words(stderr: str) -> str:
    """The line that says why: git's own `fatal:` or `error:`, else the last one."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    blamed = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return safe_line((blamed or lines or [""])[0 if blamed else -1], 300)


def _is_full(place: Path | None) -> bool:
    """Whether the disk under `place` is full; git says of some writes only that they failed."""
    try:
        free = os.statvfs(place or ".")
    except OSError:
        return False
    return free.f_bavail * free.f_frsize < _FULL_BELOW
