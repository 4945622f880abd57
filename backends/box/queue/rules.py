"""What the queue decides, without doing it: what becomes one build, what begins next, what a binding needs."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from backends.model.build_calls import BuildSubmitParams
from backends.model.state import Build, Phase, ServiceStatus
from backends.model.text import safe_line, safe_text

LEAST_MEMORY = 1 << 30
"""Bytes that must be free for another build beside one that runs."""

PHASES = 20
LONGEST = 1e7
"""Seconds that a part of a build is believed to take at most."""
_MADE = ("succeeded", "superseded")
_ENDED = ("succeeded", "failed", "cancelled", "superseded")


@dataclass(frozen=True)
class Room:
    """What the box has for builds now: how many at once, bytes of free memory, slots whose daemon is there,
    when each slot was served last (any number that grows; missing: never), and slots that are away for so long
    that what runs in them takes nobody's place."""

    at_once: int
    memory: int
    online: Collection[str]
    served: Mapping[str, int]
    absent: Collection[str] = frozenset()


def binding_of(build: Build) -> tuple[str, str, str]:
    """What coalescing goes by."""
    return build.slot, build.service, build.branch


def waiting_for(queued: Iterable[Build], params: BuildSubmitParams) -> Build | None:
    """The build that waits and answers `params` too."""
    if params.attached:
        return None
    key = (params.user, params.service, params.branch)
    # A commit of one repository may not be in another (the binding went to a fork meanwhile).
    same = (one for one in queued if binding_of(one) == key and one.repo == params.repo)
    return next((one for one in same if not one.attached), None)


def merged(waiting: Build, params: BuildSubmitParams) -> Build:
    """`waiting`, so that it answers `params` too."""
    first = "interactive" in (waiting.priority, params.priority)
    return waiting.model_copy(
        update={
            "commit": params.commit or waiting.commit,
            "publish": waiting.publish or params.publish,
            "restart": waiting.restart or params.restart,
            "priority": "interactive" if first else "background",
            "coalesced": waiting.coalesced + 1,
        }
    )


def choose(queued: Sequence[Build], running: Sequence[Build], room: Room) -> tuple[list[Build], dict[str, str]]:
    """Which of `queued` (in the order of asking) begin now, and for what each of the others waits."""
    busy = {one.slot for one in running}
    count = sum(one.slot not in room.absent for one in running)
    begun: list[Build] = []
    last = dict(room.served)
    ready = [one for one in queued if not _in_the_way(one, busy, count, room)]
    while ready:
        build = min(ready, key=lambda one: (one.priority != "interactive", last.get(one.slot, 0)))
        begun.append(build)
        busy.add(build.slot)
        count += 1
        last[build.slot] = max(last.values(), default=0) + 1
        ready = [one for one in ready if not _in_the_way(one, busy, count, room)]
    going = {one.id for one in begun}
    return begun, {one.id: _in_the_way(one, busy, count, room) for one in queued if one.id not in going}


def _in_the_way(build: Build, busy: Collection[str], count: int, room: Room) -> str:
    if build.slot not in room.online:
        return f"The daemon of {build.slot}'s slot is away."
    if build.slot in busy:
        return "Another build of this slot runs."
    if count >= room.at_once:
        return f"{count} of {room.at_once} builds run on the box."
    if count and room.memory < LEAST_MEMORY:
        return "Less than 1 GiB of memory is free."
    return ""


def needs_build(
    head: str,
    of_head: Sequence[Build],
    cell: ServiceStatus,
    *,
    publish: bool,
    published: bool,
    is_news: bool = False,
) -> bool:
    """Whether a binding that follows its branch needs a build of `head`, and to `publish` it.

    `of_head`: builds of that commit for this binding; `is_news`: one of them ended after the slot told of `cell`;
    `published`: whether its release is there. What failed or was cancelled is not tried again by itself; what was
    built once for a slot that is empty now, is.
    """
    made = all(one.state in _MADE for one in of_head if not one.attached)
    lost = cell.enabled and not cell.hash and not is_news and made
    if not lost and any(one.publish or not publish for one in of_head):
        return False
    runs_it = cell.hash == head and cell.running_from == "build"
    return not (runs_it and (published or not publish))


def as_ended(build: Build, answer: Build) -> Build:
    """`build` with what its slot says of its end: nothing but that, and made harmless."""
    state = answer.state if answer.state in _ENDED else "failed"
    told = {
        "state": state,
        "commit": _commit(build, answer),
        "tag": _line(answer.tag, 300),
        "error": _text(answer.error, 8000) or ("" if state == answer.state else "The slot answered no end."),
        "hint": _text(answer.hint, 2000),
        "superseded_by": _line(answer.superseded_by, 200),
        "attempt": max(1, min(answer.attempt, 1000)),
        "waits_for": "",
        "phases": (*build.phases[:1], *(_phases(answer))),
    }
    return build.model_copy(update=told)


def _phases(answer: Build) -> tuple[Phase, ...]:
    clean = (Phase(name=_line(phase.name, 40), seconds=_seconds(phase)) for phase in answer.phases[:PHASES])
    return tuple(phase for phase in clean if phase.name != "queue")


def _seconds(phase: Phase) -> float:
    return min(max(0.0, phase.seconds), LONGEST) if math.isfinite(phase.seconds) else 0.0


def _text(text: str, limit: int) -> str:
    """Harmless for a terminal, and for a disk that takes nothing but UTF-8."""
    return safe_text(text.encode("utf-8", "replace").decode("utf-8"))[:limit]


def _line(text: str, limit: int) -> str:
    return safe_line(text.encode("utf-8", "replace").decode("utf-8"), limit)


def _commit(build: Build, answer: Build) -> str:
    """What was built; nothing where a build that succeeded was of a tree that no commit has."""
    if _is_hash(answer.commit):
        return answer.commit
    return "" if answer.state == "succeeded" and not answer.commit else build.commit


def _is_hash(text: str) -> bool:
    return len(text) in (40, 64) and all(letter in "0123456789abcdef" for letter in text)
