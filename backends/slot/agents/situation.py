"""What is known of one session, and the state that follows from it; pure, so that every course can be tried out.

The program's own status file is the truth for "works, waits, rests"; its hooks say what the file does not: which
dialog is open, how a turn ended. The kernel alone says that the process has ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from backends.model.agents import AgentState, Waiting, Why

Status = Literal["", "busy", "idle", "waiting"]

_AUTH = (
    "authentication_failed",
    "oauth_org_not_allowed",
    "account_on_hold",
    "verification_required",
    "billing_error",
    "cloud_credential_error",
)
FAILURES: dict[str, Why] = {
    **dict.fromkeys(_AUTH, "auth"),
    "rate_limit": "rate limit",
    "overloaded": "overloaded",
    "server_error": "overloaded",
}
"""What the program calls the error that ended a turn, and what it is here; others have no word but their text."""

QUESTION_TOOLS = ("AskUserQuestion",)
"""Tools whose dialog asks something; every other dialog asks for a permission."""

ATTACH = "A dialog is open in its window that can only be answered there: `hero_dev agent-attach` shows it."


@dataclass(frozen=True)
class Launched:
    """The program was started in its window, for the first time or again."""


@dataclass(frozen=True)
class Told:
    """The status file says so; `status` is empty while there is no file."""

    status: Status
    waiting_for: str = ""


@dataclass(frozen=True)
class NoFile:
    """The process lives, and seconds later there still is no status file."""


@dataclass(frozen=True)
class Prompted:
    """A turn began, whoever typed it."""


@dataclass(frozen=True)
class Checking:
    """A loop's stop condition is being looked at; the turn is not over before that."""

    what: str


@dataclass(frozen=True)
class TurnEnded:
    """A turn ended by itself."""


@dataclass(frozen=True)
class TurnFailed:
    """A turn was ended by an error, in the program's own word and text."""

    error: str
    text: str = ""


@dataclass(frozen=True)
class Interrupted:
    """The program rests in the middle of a turn, and no hook has told why: somebody stopped it in its window."""


@dataclass(frozen=True)
class DialogOpened:
    waiting: Waiting


@dataclass(frozen=True)
class DialogClosed:
    id: str


@dataclass(frozen=True)
class Silent:
    """Nothing was heard of a working session for `minutes`."""

    minutes: int


@dataclass(frozen=True)
class Ended:
    """The process is gone. `asked`: somebody wanted it so; `crashed`: nobody did."""

    asked: bool = False
    crashed: bool = False
    reason: str = ""


Fact = (
    Launched
    | Told
    | NoFile
    | Prompted
    | Checking
    | TurnEnded
    | TurnFailed
    | Interrupted
    | DialogOpened
    | DialogClosed
    | Silent
    | Ended
)


@dataclass(frozen=True)
class Situation:
    """Everything that the state follows from. `in_turn`: a turn began and no hook has told its end.

    `unsaid`: it rests all the same. The program does not wait for the hook that tells of an error, which may be
    about to come; without one the turn was interrupted.
    """

    status: Status = ""
    waiting_for: str = ""
    dialogs: tuple[Waiting, ...] = ()
    failure: str = ""
    failure_text: str = ""
    in_turn: bool = False
    unsaid: bool = False
    stuck: bool = False
    checking: str = ""
    silent: int = 0
    ended: Ended | None = None

    @property
    def rests(self) -> bool:
        """Whether a prompt that is typed now begins a turn."""
        return self.status == "idle" and not self.in_turn and not self.dialogs and self.ended is None


class Shown(NamedTuple):
    """The state as an Agent has it."""

    state: AgentState
    why: Why
    detail: str
    waiting: Waiting | None


def after(situation: Situation, fact: Fact) -> Situation:
    """The situation once `fact` is known. After the end only a new launch changes anything."""
    if isinstance(fact, Launched):
        return Situation()
    if situation.ended is not None:
        return situation
    if not isinstance(fact, Silent):
        situation = replace(situation, silent=0)
    match fact:
        case Told():
            return _told(situation, fact)
        case NoFile():
            return replace(situation, stuck=not situation.status)
        case Prompted():
            return replace(situation, in_turn=True, unsaid=False, failure="", failure_text="", checking="")
        case Checking(what):
            return replace(situation, checking=what)
        case TurnEnded():
            return replace(_over(situation), failure="", failure_text="")
        case TurnFailed(error, text):
            return replace(_over(situation), failure=error or "unknown", failure_text=text)
        case Interrupted():
            return _over(situation) if situation.unsaid else situation
        case DialogOpened(waiting):
            others = tuple(one for one in situation.dialogs if one.id != waiting.id)
            return replace(situation, dialogs=(*others, waiting))
        case DialogClosed(id):
            return replace(situation, dialogs=tuple(one for one in situation.dialogs if one.id != id))
        case Silent(minutes):
            return replace(situation, silent=minutes)
        case Ended():
            return replace(_over(situation), ended=fact, dialogs=())


def _over(situation: Situation) -> Situation:
    return replace(situation, in_turn=False, unsaid=False, checking="")


def _told(situation: Situation, fact: Told) -> Situation:
    if not fact.status:
        # The file goes a moment before a clean end, which the kernel tells.
        return situation
    changed = replace(situation, status=fact.status, waiting_for=fact.waiting_for, stuck=False, unsaid=False)
    if fact.status == "idle":
        # Whatever was open was closed in the terminal.
        return replace(changed, dialogs=(), unsaid=situation.in_turn, checking="")
    return changed


def shown(situation: Situation) -> Shown:
    """The one state that `situation` is."""
    if situation.ended is not None:
        end = situation.ended
        return Shown("error", "crashed", end.reason, None) if end.crashed else Shown("gone", "", end.reason, None)
    if situation.dialogs:
        first = situation.dialogs[0]
        asks = first.tool in QUESTION_TOOLS
        return Shown("waiting", "question" if asks else "permission", "", first)
    if situation.stuck:
        return Shown("waiting", "question", ATTACH, None)
    match situation.status:
        case "waiting":
            return _waiting(situation.waiting_for)
        case "busy":
            return Shown("working", "", _doing(situation), None)
        case "idle" if situation.in_turn:
            return Shown("working", "", _doing(situation), None)
        case "idle" if situation.failure:
            return Shown("error", FAILURES.get(situation.failure, ""), situation.failure_text, None)
        case "idle":
            return Shown("idle", "done", "", None)
    return Shown("starting", "", "", None)


def _waiting(waiting_for: str) -> Shown:
    """A dialog whose hook is not known: it is about to be, or it is one that no hook tells of."""
    if waiting_for == "permission prompt":
        return Shown("waiting", "permission", "", None)
    return Shown("waiting", "question", "" if waiting_for == "input needed" else ATTACH, None)


def _doing(situation: Situation) -> str:
    if situation.checking:
        return f"looks whether it is done: {situation.checking}"
    if situation.silent:
        return f"nothing was heard of it for {situation.silent} minutes"
    return ""
