"""How root looks at somebody's slot: by a process of that user's, whose home may hold links that lead anywhere.

`python -m backends.doctor.as_owner BOX USER [--fix]` is that process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import signal
import sys
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from backends.doctor.context import Context
from backends.doctor.examination import examine
from backends.doctor.opening import open_context
from backends.model.health_report import HealthFinding, HealthMend, HealthReport
from backends.model.paths import BoxPaths
from backends.model.text import safe_line
from backends.version import VERSION

AT_ONCE = 4
"""Processes at the same time; each is a Python of its own."""

_SECONDS = 15.0
_MENDING_SECONDS = 120.0
_ANSWER_LIMIT = 1 << 20
_MOST = 200


class Owners:
    """Starts these processes, not too many at once."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, context: Context, fix: bool) -> HealthReport:
        """What the owner of `context`'s slot finds there."""
        async with self._gate:
            try:
                answer = await _run(context, fix)
                return _checked(context.user, HealthReport.model_validate_json(answer))
            except KeyError:
                return _nothing(context.user, "skipped", f"This machine has no account {context.user}.")
            except (ValidationError, ValueError):
                return _nothing(context.user, "warn", f"{context.user}'s own process gave no answer.")
            except TimeoutError:
                return _nothing(context.user, "warn", f"{context.user}'s own process did not answer in time.")
            except OSError as error:
                return _nothing(context.user, "warn", f"No process of {context.user}'s: {error.strerror}.")


async def _run(context: Context, fix: bool) -> bytes:
    """The process's output. Raises KeyError, OSError, TimeoutError."""
    account = pwd.getpwnam(context.user)
    if account.pw_uid == 0:
        raise KeyError(context.user)
    words = [sys.executable, "-I", "-m", "backends.doctor.as_owner", str(context.box.root), context.user]
    process = await asyncio.create_subprocess_exec(
        *words,
        *(["--fix"] if fix else []),
        cwd="/",
        env=_environment(account),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=os.getgrouplist(account.pw_name, account.pw_gid),
        umask=0o077,
    )
    try:
        async with asyncio.timeout(_MENDING_SECONDS if fix else _SECONDS):
            return await _output(process)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _output(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout
    answer = b""
    while len(answer) <= _ANSWER_LIMIT and (part := await process.stdout.read(_ANSWER_LIMIT)):
        answer += part
    return answer[:_ANSWER_LIMIT]


def _environment(account: pwd.struct_passwd) -> dict[str, str]:
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": account.pw_dir,
        "USER": account.pw_name,
        "LOGNAME": account.pw_name,
        "SHELL": account.pw_shell,
        "LANG": "C.UTF-8",
        "XDG_RUNTIME_DIR": f"/run/user/{account.pw_uid}",
    }


def _checked(user: str, report: HealthReport) -> HealthReport:
    """What a process of `user`'s may say: of that slot alone, in harmless lines."""
    findings = [
        one.model_copy(update={"slot": user, **_safe(one, "id", "group", "title", "what", "why", "mend")})
        for one in report.findings[:_MOST]
    ]
    mends = [one.model_copy(update={"slot": user, **_safe(one, "id", "what")}) for one in report.mends[:_MOST]]
    return report.model_copy(update={"findings": tuple(findings), "mends": tuple(mends)})


def _safe(value: HealthFinding | HealthMend, *names: str) -> dict[str, str]:
    return {name: safe_line(getattr(value, name), 600) for name in names}


def _nothing(user: str, state: str, what: str) -> HealthReport:
    finding = HealthFinding(
        id="slot.examination",
        group="slot",
        title="examination",
        slot=user,
        state=state,
        what=what,
        mend=f"hero_dev doctor, as {user}" if state == "warn" else "",
    )
    return HealthReport(box="", kind="system", version=VERSION, seconds=0.0, findings=(finding,))


def main() -> None:
    """Look at one slot as its owner, and print the report."""
    root, user, *rest = sys.argv[1:]
    context = replace(open_context(BoxPaths(Path(root)), (user,), at_terminal=False), user=user)
    fix = "--fix" in rest
    report = asyncio.run(examine(context, (user,), lambda *_: None, fix=fix, whole_box=False))
    print(report.model_dump_json())


if __name__ == "__main__":
    main()
