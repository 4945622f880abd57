"""What agents have proposed to do and a person has to allow: one file each, beside the agent's record."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from backends.claude.private import private_folder
from backends.model.agent_calls import AgentAction
from backends.model.frozen import Frozen
from backends.slot.files import remove_file, write_atomically

log = logging.getLogger(__name__)

FOLDER = "proposals"
KEPT = 60
"""Proposals of one agent that nobody has allowed; beyond it the oldest go. The box lets fewer wait."""
_SIZE = 256 * 1024


class Proposal(Frozen):
    """`id` is made of what is proposed: the same, proposed again, is the same.

    `item` is the box's, which a person decides; `facts` what it was told to be (see outlook.py). `begun`: a
    restart of the daemon may have cut it off; `ended`: the box has still to hear of it.
    """

    id: str
    agent: str
    action: AgentAction
    asked: dict[str, Any]
    title: str
    facts: dict[str, str]
    made_at: datetime
    state: Literal["open", "allowed", "begun", "ended"] = "open"
    item: str = ""
    by: str = Field(default="", description="Who has allowed it.")
    outcome: str = ""
    problem: str = ""


def proposal_id(agent: str, session: str, action: str, asked: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    """The id of what `agent`, in this conversation of it, proposes."""
    whole = json.dumps([agent, session, action, asked, facts], sort_keys=True)
    return f"act-{hashlib.sha256(whole.encode()).hexdigest()[:24]}"


def write_proposal(agents: Path, proposal: Proposal) -> None:
    """Have it on the disk. Blocks; raises HeroError."""
    folder = agents / proposal.agent / FOLDER
    private_folder(folder)
    write_atomically(folder / f"{proposal.id}.json", proposal.model_dump_json().encode())


def forget_proposal(agents: Path, proposal: Proposal) -> None:
    """It is over, and the box knows. Blocks."""
    remove_file(agents / proposal.agent / FOLDER / f"{proposal.id}.json")


def read_proposals(agents: Path) -> list[Proposal]:
    """All proposals of all agents, oldest first; what cannot be read is left out. Blocks."""
    found = []
    for path in agents.glob(f"*/{FOLDER}/act-*.json"):
        with contextlib.suppress(OSError):
            if (one := _read(path)) is not None:
                found.append(one)
    return sorted(found, key=lambda one: one.made_at)


def _read(path: Path) -> Proposal | None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as content:
        try:
            one = Proposal.model_validate_json(content.read(_SIZE))
        except ValidationError as error:
            log.error("a proposal cannot be read, %s: %s", path, error)
            return None
    is_own = path == path.parents[2] / one.agent / FOLDER / f"{one.id}.json"
    return one if is_own else None
