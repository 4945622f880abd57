"""Which of a user's keys comes next: assigned by the team repo, known here, not resting, not refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from backends.broker.assignments import Assignments
from backends.broker.cooling import Health
from backends.broker.store import KeyStore, OrgKey
from backends.model.claude import OrgGrant
from backends.model.errors import HeroError

ASK_ADMIN = "Ask an admin of the team: `[claude_org_key]` of your file in the team repo assigns keys."


@dataclass(frozen=True)
class Choice:
    """A user's keys: `ready` in the order of their use; `resting` is the one that is free first, at `free_at`."""

    login: str
    names: tuple[str, ...]
    ready: tuple[OrgKey, ...]
    missing: tuple[str, ...]
    resting: OrgKey | None
    free_at: float | None


class Chooser:
    """The rule, over what the team repo, the store and the API said."""

    def __init__(self, store: KeyStore, assignments: Assignments, health: Health):
        self._store = store
        self._assignments = assignments
        self._health = health

    def choose(self, login: str, pinned: str = "") -> Choice:
        """What `login` may use now; of `pinned` alone, where one was asked for. Raises HeroError `denied`."""
        assigned = self._assignments.of(login)
        if assigned.why_not:
            raise HeroError("denied", assigned.why_not, hint=ASK_ADMIN)
        if pinned and pinned not in assigned.names:
            raise HeroError("denied", f"The key {pinned} is not assigned to {login}.", hint=ASK_ADMIN)
        names = (pinned,) if pinned else assigned.names
        known = [key for name in names if (key := self._store.get(name))]
        until = {key.slot: self._health.cooling_until(key.slot) for key in known}
        ready = [key for key in known if until[key.slot] is None]
        resting = min(
            (key for key in known if key not in ready), key=lambda key: until[key.slot] or 0, default=None
        )
        # One that the API refused comes last: it may have been mended at their side.
        ready.sort(key=lambda key: self._health.refused_at(key) is not None)
        return Choice(
            login=login,
            names=names,
            ready=tuple(ready),
            missing=tuple(name for name in names if self._store.get(name) is None),
            resting=resting,
            free_at=until[resting.slot] if resting else None,
        )

    def grant(self, login: str) -> OrgGrant:
        """The same as people are told it."""
        try:
            choice = self.choose(login)
        except HeroError as error:
            return OrgGrant(state="not_assigned", detail=error.message)
        if choice.ready:
            refused = self._health.refused_at(choice.ready[0]) is not None
            detail = f"The API refused {choice.ready[0].slot}: an admin has to rotate it." if refused else ""
            return OrgGrant(state="granted", key=choice.ready[0].slot, names=choice.names, detail=detail)
        if choice.resting is not None and choice.free_at is not None:
            return OrgGrant(
                state="cooling",
                key=choice.resting.slot,
                names=choice.names,
                cooling_until=_moment(choice.free_at),
                detail=resting_sentence(choice),
            )
        return OrgGrant(state="missing", names=choice.names, detail=missing_sentence(choice))


def next_key(choice: Choice) -> OrgKey:
    """The key that comes next; where all rest, the one that is free first: its session waits. Raises HeroError."""
    if choice.ready:
        return choice.ready[0]
    if choice.resting is not None:
        return choice.resting
    raise HeroError(
        "not_found", missing_sentence(choice), hint="An admin keeps it: `hero_dev claude keys set NAME`."
    )


def resting_sentence(choice: Choice) -> str:
    """That a user has to wait, and for how long."""
    assert choice.free_at is not None
    many = "The key" if len(choice.names) == 1 else "Every key"
    return f"{many} of {choice.login} is at its rate limit; the next one is free at {_clock(choice.free_at)}."


def missing_sentence(choice: Choice) -> str:
    """That the broker has none of a user's keys."""
    return f"{choice.login} is assigned {', '.join(choice.missing)}, which the broker does not have."


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(microsecond=0)


def _clock(at: float) -> str:
    return f"{_moment(at):%H:%M} UTC"
