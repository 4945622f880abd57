"""The call by which a command that changes something by itself, without a daemon, gets that into the audit log."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from backends.model.frozen import Frozen
from backends.model.method import Empty, Method
from backends.model.text import safe_line

AuditAction = Literal[
    "secrets.clone", "secrets.sync", "secrets.edit", "secrets.push", "doctor.mend", "forge.token", "claude.use",
    "web.passwd", "web.register", "web.secret",
]  # fmt: skip
"""All that is done so; every other change is audited by the daemon that carries it out."""


class AuditNoteParams(Frozen):
    """What was done, to what, and how it ended. Who did it is not said but known: the kernel tells who calls.

    `slot`: whose slot was changed, where it is told to the box; the slot's own daemon knows.
    """

    action: AuditAction
    subject: str = Field(default="", max_length=200)
    slot: str = Field(default="", max_length=100)
    outcome: Literal["succeeded", "failed"]
    detail: str = Field(default="", max_length=2000, description="A commit, what was mended, or why not.")


def noted(params: AuditNoteParams, actor: str) -> tuple[str, str, dict[str, Any]]:
    """Kind, subject and data of the event that keeps what `actor` did."""
    subject, detail = safe_line(params.subject, 200), safe_line(params.detail, 600)
    of = f" of {safe_line(params.slot, 100)}" if params.slot else ""
    return (
        f"audit.{params.action}",
        subject,
        {
            "actor": actor,
            "title": f"{params.action.replace('.', ' ')} {subject}{of}".strip(),
            "slot": params.slot,
            "outcome": params.outcome,
            "detail": detail,
            "error": detail if params.outcome == "failed" else "",
        },
    )


AUDIT_METHODS: tuple[Method, ...] = (
    Method(
        "audit.note", "both", AuditNoteParams, Empty, "What a command did by itself; its owner's, or root's.", True
    ),
)
