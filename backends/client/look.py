"""The fleet as the box tells it, read without its models, which take longer to load than a person should wait.

A look is shown until the models are there and have read what the box then tells. It takes less than they do: what
is unlike what a box of this version says, in however small a thing, is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from backends.model.state import FleetSnapshot

Check = Callable[[object], Any]
"""The value that a field has for one from JSON. Raises Unlike."""

_TOO_MUCH = 1 << 63
_NEEDED = object()
"""In place of a default: the field is always told."""


class Unlike(ValueError):
    """This is not what a box of this version says."""


class Look:
    """Has the fields of a model, and its name; whatever else the model can do is asked of a whole one."""

    def __init__(self, model: str, fields: dict[str, Any]) -> None:
        self.__dict__ = {**fields, "_model": model}

    def model_copy(self, *, update: Mapping[str, Any]) -> Look:
        """The same but for `update`, as a model does it."""
        return Look(self._model, {**self.__dict__, **update})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(_whole(self), name)


def _whole(look: Look) -> object:
    from backends.model import agents, state

    model = getattr(state, look._model, None) or getattr(agents, look._model)
    return model.model_construct(**{name: value for name, value in vars(look).items() if name != "_model"})


def fleet_of(told: object) -> FleetSnapshot | None:
    """The answer of `fleet.snapshot` as a snapshot to be shown; None for one that is partial or unlike."""
    try:
        look = _FLEET(told)
    except ValueError:
        return None
    return None if look.more else cast("FleetSnapshot", look)


def _text(value: object) -> str:
    if type(value) is not str:
        raise Unlike
    if not value.isascii():
        value.encode()  # a lone surrogate could not be sent to any terminal
    return value


def _whole_number(value: object) -> int:
    if type(value) is not int or abs(value) >= _TOO_MUCH:
        raise Unlike
    return value


def _number(value: object) -> float:
    if (type(value) is not int and type(value) is not float) or abs(value) >= _TOO_MUCH:
        raise Unlike
    return float(value)


def _flag(value: object) -> bool:
    if type(value) is not bool:
        raise Unlike
    return value


def _time(value: object) -> datetime:
    """`2026-11-20T10:00:00.5Z` and nothing that is shorter, or without its zone."""
    if type(value) is not str or not 20 <= len(value) <= 32 or value[10] != "T":
        raise Unlike
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise Unlike from None
    if time.tzinfo is None:
        raise Unlike
    return time


def _object(value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise Unlike
    return value


def _one_of(*words: str) -> Check:
    known = frozenset(words)

    def check(value: object) -> str:
        if type(value) is not str or value not in known:
            raise Unlike
        return value

    return check


def _maybe(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _many(check: Check) -> Check:
    def checked(value: object) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Unlike
        return tuple(map(check, value))

    return checked


def _model(name: str, fields: Mapping[str, tuple[Check, Any]], alias: Mapping[str, str] | None = None) -> Check:
    """What makes a look of an object; `alias` has the names of fields that are called otherwise in JSON."""
    checks = {(alias or {}).get(field, field): (field, check) for field, (check, _) in fields.items()}
    defaults = {field: default for field, (_, default) in fields.items() if default is not _NEEDED}

    def look(value: object) -> Look:
        if type(value) is not dict:
            raise Unlike
        found = defaults.copy()
        for key, one in value.items():
            if key not in checks:
                raise Unlike
            field, check = checks[key]
            found[field] = check(one)
        if len(found) < len(fields):
            raise Unlike
        return Look(name, found)

    return look


_NAME = (_text, _NEEDED)
_SAID = (_text, "")
_COUNT = (_whole_number, 0)
_AMOUNT = (_number, 0.0)
_NO = (_flag, False)
_YES = (_flag, True)
_WHEN = (_time, _NEEDED)
_ONCE = (_maybe(_time), None)
_PERHAPS = (_maybe(_whole_number), None)
_TEXTS = (_many(_text), ())
_SOURCE = _one_of("release", "build", "hash")

_ERROR = _model("ErrorInfo", {"code": _NAME, "message": _NAME, "hint": _SAID})
_OPERATION = _model(
    "Operation",
    {
        **dict.fromkeys(("id", "kind"), _NAME),
        **dict.fromkeys(("service", "title", "actor", "phase"), _SAID),
        "state": (_one_of("running", "succeeded", "failed", "cancelled"), "running"),
        "done": _COUNT,
        "total": _PERHAPS,
        "started_at": _WHEN,
        "finished_at": _ONCE,
        "error": (_maybe(_ERROR), None),
        "result": (_object, {}),
    },
)
_PHASE = _model("Phase", {"name": _NAME, "seconds": (_number, _NEEDED)})
_BUILD = _model(
    "Build",
    {
        **dict.fromkeys(("id", "service", "branch"), _NAME),
        **dict.fromkeys(("slot", "repo", "commit", "reason", "actor", "error", "hint", "tag"), _SAID),
        **dict.fromkeys(("waits_for", "superseded_by"), _SAID),
        **dict.fromkeys(("publish", "restart", "attached"), _NO),
        **dict.fromkeys(("queued_at", "started_at", "finished_at"), _ONCE),
        **dict.fromkeys(("coalesced", "attempt"), _COUNT),
        "state": (_one_of("queued", "running", "succeeded", "failed", "cancelled", "superseded"), _NEEDED),
        "priority": (_one_of("interactive", "background"), "interactive"),
        "phases": (_many(_PHASE), ()),
    },
)
_SERVICE = _model(
    "ServiceStatus",
    {
        **dict.fromkeys(("service", "repo", "branch"), _NAME),
        **dict.fromkeys(("hash", "tag", "sha256", "last_good", "drift_reason", "newest", "reason"), _SAID),
        **dict.fromkeys(("last_log", "socket", "url", "worktree"), _SAID),
        **dict.fromkeys(("auto_rebuild", "publish", "can_go_back"), _NO),
        **dict.fromkeys(("exit_code", "pid"), _PERHAPS),
        **dict.fromkeys(("installed_at", "since"), _ONCE),
        "source": (_SOURCE, _NEEDED),
        "running_from": (_maybe(_SOURCE), None),
        "enabled": _YES,
        "drift": (_one_of("current", "behind", "modified", "missing", "pinned"), "missing"),
        "health": (_one_of("healthy", "starting", "unhealthy", "crashed", "stopped", "unknown"), "unknown"),
        "restarts": _COUNT,
        "build": (_maybe(_BUILD), None),
        "depends_on": _TEXTS,
        "operation": (_maybe(_OPERATION), None),
    },
    {"source": "from"},
)
_ITERATION = _model(
    "Iteration",
    {
        "number": (_whole_number, _NEEDED),
        "started_at": _WHEN,
        "ended_at": _ONCE,
        "outcome": (_one_of("running", "again", "done", "failed", "stopped"), "running"),
        "detail": _SAID,
    },
)
_WAITING = _model("Waiting", {"id": _NAME, "tool": _SAID, "text": _SAID, "options": _TEXTS, "since": _WHEN})
_WHY = ("", "permission", "question", "done", "auth", "rate limit", "overloaded", "crashed")
_AGENT = _model(
    "Agent",
    {
        **dict.fromkeys(("id", "slot", "session"), _NAME),
        **dict.fromkeys(("title", "detail", "model", "service", "repo", "branch", "worktree", "issue"), _SAID),
        **dict.fromkeys(("last_line", "window"), _SAID),
        **dict.fromkeys(("since", "started_at"), _WHEN),
        **dict.fromkeys(("loop_limit", "turns", "pending"), _COUNT),
        **dict.fromkeys(("cost", "context_used"), _AMOUNT),
        "state": (_one_of("starting", "working", "waiting", "idle", "error", "gone"), "starting"),
        "why": (_one_of(*_WHY), ""),
        "ended_at": _ONCE,
        "effort": (_one_of("low", "medium", "high", "xhigh", "max"), "medium"),
        "mode": (_one_of("default", "acceptEdits", "plan"), "default"),
        "credential": (_text, "none"),
        "iterations": (_many(_ITERATION), ()),
        "waiting": (_maybe(_WAITING), None),
        "pid": _PERHAPS,
    },
)
_SLOT = _model(
    "SlotStatus",
    {
        **dict.fromkeys(("box", "slot"), _NAME),
        "full_name": _SAID,
        "role": (_text, "developer"),
        "credential": (_text, "none"),
        "credential_state": (_one_of("", "expiring", "cooling"), ""),
        "services": (_many(_SERVICE), ()),
        "operations": (_many(_OPERATION), ()),
        "agents": (_many(_AGENT), ()),
        **dict.fromkeys(("problems", "archives"), _TEXTS),
        "online": _YES,
        "stale": _NO,
        "seen_at": _WHEN,
    },
)
_ENTRY = _model("CatalogueEntry", {"name": _NAME, "repo": _NAME, "short": _SAID, "core": _NO, "platforms": _TEXTS})
_FLEET = _model(
    "FleetSnapshot",
    {
        **dict.fromkeys(("box", "trunk"), _NAME),
        "seq": (_whole_number, _NEEDED),
        "rootless": _YES,
        "catalogue": (_many(_ENTRY), ()),
        "slots": (_many(_SLOT), ()),
        "problems": _TEXTS,
        "time": _WHEN,
        "more": _NO,
    },
)
