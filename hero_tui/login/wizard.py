"""The first steps of a new user, asked at a login until each is done or refused; none of them holds anybody up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backends.model.errors import HeroError
from hero_tui.login import steps, token_step
from hero_tui.login.place import Place
from hero_tui.login.record import STEPS, Record, read_record, write_record
from hero_tui.login.talk import Ended, Skipped, forget_typed, say, say_error


@dataclass(frozen=True)
class Step:
    """`needed` tells whether there is anything to do, also where it was done before (`again`).

    `take` does it with the person. Raises Skipped, Ended, HeroError.
    """

    title: str
    needed: Callable[[Place, bool], bool]
    take: Callable[[Place], None]


_TABLE = {
    "token": Step("your token for the forge", token_step.needed, token_step.take),
    "clone": Step("your private secrets repository", steps.clone_needed, steps.clone),
    "secrets": Step("your secrets", steps.secrets_needed, steps.secrets),
    "claude": Step("what Claude Code runs on", steps.claude_needed, steps.claude),
}


def first_steps(place: Place, *, again: bool = False) -> None:
    """Ask what is left; `again`: also what was done or refused before."""
    record = Record() if again else read_record(place.paths.first_login)
    greeted = waits = False
    try:
        for name in record.left:
            # Asked only now: what one step did may be what another one needs.
            if not _TABLE[name].needed(place, again):
                record = _settled(place, name, record)
                continue
            if not greeted:
                _greet(place)
                greeted = True
            record, done = _ask(place, name, record)
            waits = waits or not done
    except Ended:
        waits = True
    if greeted:
        say("", "What is left is asked at your next login." if waits else "That was all.", "")


def _ask(place: Place, name: str, record: Record) -> tuple[Record, bool]:
    """Take a step; the record, and whether it is out of the way. Raises Ended."""
    say("", f"{STEPS.index(name) + 1} of {len(STEPS)}: {_TABLE[name].title}")
    forget_typed()
    try:
        _TABLE[name].take(place)
        return _kept(place, record.with_done(name)), True
    except Skipped as person:
        return (_kept(place, record.with_never(name)), True) if person.for_good else (record, False)
    except KeyboardInterrupt:
        say("")
    except HeroError as error:
        say_error(error)
    return record, False


def _settled(place: Place, name: str, record: Record) -> Record:
    """A step that has nothing to do is done, unless an earlier one that was skipped would give it something."""
    return _kept(place, record.with_done(name)) if steps.is_settled(place, name) else record


def _kept(place: Place, record: Record) -> Record:
    write_record(place.paths.first_login, record)
    return record


def _greet(place: Place) -> None:
    say(
        "",
        f"Welcome to {place.boxfile.name}, {place.login}. A few first steps; each can wait:",
        "s or ctrl-c skips one until the next login, x for good, ctrl-d all of them.",
    )
