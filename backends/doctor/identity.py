"""Whether git knows whose commits it makes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from backends.doctor.asking import ask
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, listed, passed_over, well

_WHY = "git refuses to commit, or signs commits with a name made up from the machine's."
_EXAMPLES = {"user.name": '"Your Name"', "user.email": "you@example.org"}
_VARIABLES = {
    "user.name": ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"),
    "user.email": ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"),
}


async def _look(context: Context) -> Sequence[Found]:
    if context.user == "integration":
        return [passed_over("the integration slot makes no commits")]
    answers = await asyncio.gather(*(_setting(context, key) for key in _EXAMPLES))
    found = dict(zip(_EXAMPLES, answers, strict=True))
    missing = [key for key, value in found.items() if not value]
    if missing:
        mend = " && ".join(f"git config --global {key} {_EXAMPLES[key]}" for key in missing)
        return [Found("warn", f"git has no {listed(missing)}.", _WHY, mend)]
    return [well(f"Commits are by {found['user.name']} <{found['user.email']}>.")]


async def _setting(context: Context, key: str) -> str:
    if all(context.environment.get(name) for name in _VARIABLES[key]):
        return context.environment[_VARIABLES[key][0]]
    # Not in a repository, whose own setting would hide that there is none in general.
    answer = await ask("git", "config", "--global", "--get", key, env=context.environment)
    if not answer.out.strip():
        answer = await ask("git", "config", "--system", "--get", key, env=context.environment)
    return answer.out.strip()


CHECKS = (Check("git.identity", "git identity", _look, scope="slot"),)
