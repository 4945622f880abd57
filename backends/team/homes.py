"""How root has something done in a home: by a process of that user, whose answer is as hostile as the home."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backends.model.errors import HeroError
from backends.model.text import safe_line

log = logging.getLogger(__name__)

CHILD: Sequence[str] = (sys.executable, "-I", "-m", "backends.team.as_user.main")
"""The command that does the work."""

SECONDS = 30.0
_ANSWER_LIMIT = 1 << 20
_COMPLAINT_LIMIT = 64 << 10
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Owner:
    """Whose home it is."""

    login: str
    uid: int
    gid: int
    home: str


async def in_home(
    owner: Owner, work: str, *, seconds: float = SECONDS, child: Sequence[str] = CHILD, **given: Any
) -> dict[str, Any]:
    """What the work called `work` answers, done as `owner`.

    Raises HeroError `conflict` where the home has something in the way, `failed` where the child did not answer.
    """
    if owner.uid <= 0 or owner.gid <= 0:
        raise HeroError("denied", f"{owner.login} has uid {owner.uid}: nothing is done in that home.")
    request = {"work": work, "uid": owner.uid, "home": owner.home, "with": given}
    answer = _parsed(owner, await _run(owner, child, json.dumps(request).encode(), seconds))
    if "refused" in answer:
        sentence = safe_line(str(answer["refused"]), 500)
        raise HeroError(
            "conflict",
            f"{owner.login}'s home: {sentence}",
            hint=f"{owner.login}, or root, moves it away; then it is done by itself.",
        )
    done = answer.get("done")
    return done if isinstance(done, dict) else {}


async def _run(owner: Owner, child: Sequence[str], request: bytes, seconds: float) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(
            *child,
            cwd="/",
            env=_ENVIRONMENT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            user=owner.uid,
            group=owner.gid,
            extra_groups=(),
            umask=0o077,
            limit=_ANSWER_LIMIT,
        )
    except OSError as error:
        raise HeroError("failed", f"No process could be started as {owner.login}: {error.strerror}.") from error
    try:
        async with asyncio.timeout(seconds):
            return await _talk(process, request)
    except TimeoutError:
        raise HeroError(
            "timeout",
            f"What was to be done in {owner.login}'s home did not end within {seconds:g} s.",
            hint="Is a file system in it that hangs?",
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _talk(process: asyncio.subprocess.Process, request: bytes) -> bytes:
    assert process.stdin
    assert process.stdout
    with contextlib.suppress(ConnectionError):
        process.stdin.write(request)
        await process.stdin.drain()
    process.stdin.close()
    answer = b""
    while len(answer) <= _ANSWER_LIMIT and (part := await process.stdout.read(_ANSWER_LIMIT)):
        answer += part
    if not answer and process.stderr:
        complaint = (await process.stderr.read(_COMPLAINT_LIMIT)).decode("utf-8", "replace").strip().splitlines()
        log.error(
            "the child that worked in a home complained: %s", safe_line(complaint[-1] if complaint else "", 500)
        )
    return answer[:_ANSWER_LIMIT]


def _parsed(owner: Owner, answer: bytes) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise HeroError("failed", f"What was to be done in {owner.login}'s home gave no answer.")
    return found
