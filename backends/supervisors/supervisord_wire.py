"""What the client and the supervising process agree on: names of sockets and marks, and JSON forms.

JSON in ASCII inside an XML-RPC string, since XML cannot carry control characters and loses carriage returns.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.model.text import safe_line
from backends.supervisors.base import ProcessSpec, ProcessState

RPC_SOCKET = "supervisor.sock"
EVENTS_SOCKET = "events.sock"
HOME_MARK = "HERO_SLOT_ROOT"
"""Environment variable of every supervised process: the supervisor's home."""
READY = b"ready\n"


def spec_to_json(spec: ProcessSpec) -> str:
    """`spec` for the wire, a socket that only its owner may use: the variables in it may be secrets."""
    fields = asdict(spec) | {"cwd": str(spec.cwd), "log": str(spec.log), "env": dict(spec.env)}
    del fields["secret_env"]
    if spec.secret_env:  # a supervising process of an earlier version takes no key that it does not know
        fields["secret_env"] = dict(spec.secret_env)
    return json.dumps(fields)


def spec_from_json(text: str) -> ProcessSpec:
    """The definition in `text`; ValueError, TypeError or HeroError if it is none."""
    fields: dict[str, Any] = json.loads(text)
    return ProcessSpec(
        **fields | {"argv": tuple(fields["argv"]), "cwd": Path(fields["cwd"]), "log": Path(fields["log"])},
    )


def state_from_fields(fields: dict[str, Any]) -> ProcessState:
    """One process's state as the supervising process tells it."""
    return ProcessState(
        name=fields["name"],
        state=fields["state"],
        pid=fields["pid"],
        exit_code=fields["exit_code"],
        signal=fields["signal"],
        reason=safe_line(fields["reason"]),
        since=datetime.fromtimestamp(fields["since"], UTC),
        restarts=fields["restarts"],
    )
