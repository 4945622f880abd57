"""Whether the clock is right: by the machine's own word, and by the forge's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from backends.doctor.asking import ask
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, passed_over, well
from backends.model.health_report import HealthState

WHY = "Certificates, signed webhooks, tokens and the order of events go by the clock."

_SLIGHT, _WRONG = 3.0, 60.0
"""Seconds."""


def moment_of(header: str) -> float | None:
    """Seconds since the epoch of an HTTP `Date`; None for what is none."""
    try:
        found = parsedate_to_datetime(header)
    except (TypeError, ValueError, OverflowError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def skew(header: str, asked: float, answered: float) -> float | None:
    """Seconds by which this clock is ahead of whoever sent `Date`, asked and answered at these times of ours.

    The header has whole seconds, and was written at some moment in between: what that explains is no skew.
    """
    theirs = moment_of(header)
    if theirs is None:
        return None
    if asked > theirs + 1:
        return asked - theirs - 1
    return answered - theirs if answered < theirs else 0.0


def skew_state(seconds: float) -> HealthState:
    """How bad it is to be that far off."""
    size = abs(seconds)
    return "bad" if size >= _WRONG else "warn" if size >= _SLIGHT else "ok"


async def _synchronised(context: Context) -> Sequence[Found]:
    answer = await ask("timedatectl", "show", "--property=NTPSynchronized,NTP,CanNTP", env=context.environment)
    told = dict(line.partition("=")[::2] for line in answer.out.splitlines())
    if answer.code or "NTPSynchronized" not in told:
        return [passed_over("this machine's systemd does not tell (the forge's clock is compared)")]
    if told["NTPSynchronized"] == "yes":
        return [well("The clock is synchronised.")]
    if told.get("CanNTP") == "no":
        return [passed_over("no time service of systemd's is installed here (the forge's clock is compared)")]
    off = " (it is turned off)" if told.get("NTP") == "no" else ""
    return [
        Found("warn", f"Nobody keeps the clock right{off}.", WHY, f"{context.as_root}timedatectl set-ntp true")
    ]


CHECKS = (Check("machine.clock", "clock", _synchronised),)
