"""What the program runs at each of its events: it tells the slot's daemon, and prints what that answers.

Run as `python -I -S hook.py SOCKET AGENT SPOOL EVENT`, the event's payload on standard input. It always ends
well and, but where an answer is waited for, soon: a session must not suffer from a daemon that is away. What that
missed waits in the folder SPOOL.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

# With -I -S nothing of ours is on the path.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120

from backends.claude.one_call import Refused, ask

STATUS_LINE = "StatusLine"
"""The name under which the status line's data is told; nothing of it is kept while the daemon is away."""
LONG = {"PermissionRequest": 86_000.0, "Stop": 2_400.0}
"""Events that wait for an answer, in seconds: a person's to a dialog, which stays open in the terminal meanwhile;
that of a loop's check at the end of a turn."""
_SECONDS = {"SessionStart": 10.0}
_OTHERS = 3.0
_SUCCESSOR = 30.0
"""Seconds that an event of LONG waits for the daemon to be there again, once that had taken it."""
_TRIES = 20
_INPUT_LIMIT = 32 * 1024 * 1024
_TEXT_LIMIT = 64 * 1024
_SPOOL_LIMIT = 2000
"""Files; a session that went on for that long without its daemon leaves the rest out."""
_DEPTH = 40


def main(words: list[str]) -> int:
    """Tell the event; 0 whatever happens."""
    if len(words) != 4:
        return 0
    socket, agent, spool, event = words
    payload = read_payload(sys.stdin.buffer.read(_INPUT_LIMIT))
    if event == STATUS_LINE:
        _print(status_line(payload))
    try:
        answer = told(socket, event, {"agent": agent, "event": event, "payload": payload})
        if event != STATUS_LINE and isinstance(answer, dict):
            _print(str(answer.get("output", "")))
    except Refused:
        return 0
    except OSError:
        if event != STATUS_LINE:
            keep(spool, event, payload)
    return 0


def told(socket: str, event: str, params: dict[str, Any]) -> Any:
    """What the daemon answers. Raises Refused, OSError."""
    seconds = LONG.get(event) or _SECONDS.get(event, _OTHERS)
    patience = 0.0
    for _ in range(_TRIES if event in LONG else 1):
        try:
            return ask(socket, "agent.hook", params, seconds=seconds, patience=patience)
        except ConnectionRefusedError:
            raise
        except ConnectionError as lost:
            last, patience = lost, _SUCCESSOR
    raise last


def read_payload(content: bytes) -> dict[str, Any]:
    """The event's payload, its long texts cut; what is no object becomes `{"unreadable": true}`."""
    try:
        found = json.loads(content)
        return shortened(found) if isinstance(found, dict) else {"unreadable": True}
    except (ValueError, RecursionError):
        return {"unreadable": True}


def shortened(value: Any, depth: int = 0) -> Any:
    """`value` with texts of at most 64 Ki characters that are real text, and nothing that is nested too deep."""
    if isinstance(value, str):
        more = f"… ({len(value) - _TEXT_LIMIT} characters more)" if len(value) > _TEXT_LIMIT else ""
        return value[:_TEXT_LIMIT].encode("utf-8", "replace").decode() + more
    if depth > _DEPTH:
        return None
    if isinstance(value, dict):
        return {shortened(name[:200]): shortened(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [shortened(one, depth + 1) for one in value]
    return value


def status_line(payload: dict[str, Any]) -> str:
    """Model, effort, context and cost in a line."""
    model = _of(payload, "model").get("display_name")
    effort = _of(payload, "effort").get("level")
    used = _of(payload, "context_window").get("used_percentage")
    cost = _of(payload, "cost").get("total_cost_usd")
    parts = [
        str(model)[:40] if model else "",
        str(effort)[:10] if effort else "",
        f"{used:.0f} % of context" if isinstance(used, int | float) else "",
        f"${cost:.2f}" if isinstance(cost, int | float) else "",
    ]
    return " · ".join(part for part in parts if part)


def keep(spool: str, event: str, payload: dict[str, Any]) -> None:
    """Leave the event in the folder `spool`: one file, whole or not there, named by its time."""
    name = f"{time.time_ns():020d}-{os.getpid()}"
    temporary = os.path.join(spool, f".{name}.tmp")  # noqa: PTH118 - pathlib doubles the time of a start
    try:
        if len(os.listdir(spool)) >= _SPOOL_LIMIT:  # noqa: PTH208
            return
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            json.dump({"event": event, "payload": payload}, out)
        os.rename(temporary, os.path.join(spool, f"{name}.json"))  # noqa: PTH104, PTH118
    except (OSError, ValueError):
        return


def _of(payload: dict[str, Any], name: str) -> dict[str, Any]:
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def _print(text: str) -> None:
    if text:
        sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, KeyboardInterrupt):
        sys.exit(0)
