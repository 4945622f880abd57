"""What the box itself knows of its troubles: box.toml, the team repo, its daemons, its last backup."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from backends.box_files import read_team
from backends.doctor.asking import in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, listed, passed_over, well
from backends.model.errors import HeroError
from backends.rpc.sockets import listening
from backends.rpc.sync_client import SyncClient
from backends.system_box import TEAM_SYNC_SOCKET

OLD = timedelta(days=7)
YOUNG = timedelta(seconds=20)
_SECONDS = 1.5
_SHOWN = 10
_WHY_TEAM = "What such a file says does not come into force."
_WHY_BACKUP = "Without it, who has which uid, the audit log and the history of builds die with the machine."


async def _file(context: Context) -> Sequence[Found]:
    if context.file is None:
        why = "No daemon of this box starts with it."
        return [Found("bad", context.trouble, why, f"{context.as_root}$EDITOR {context.box.config}")]
    return [well(f"{context.box.config} holds: box {context.file.name}, {context.file.kind}.")]


async def _team(context: Context) -> Sequence[Found]:
    try:
        _, problems = await in_thread(lambda: read_team(context.box.team))
    except OSError:
        return [passed_over("this user may not read the team repo's copy")]
    if not context.box.team.is_dir():
        mend = f"{context.as_root}hero_dev team apply" if context.system else "hero_dev box up"
        return [
            Found(
                "warn", "The box has no copy of the team repo yet.", "It names everybody and every service.", mend
            )
        ]
    if not problems:
        return [well("Every file of the team repo holds.")]
    return [Found("bad", str(one), _WHY_TEAM, "mend it in the team repo, and push") for one in problems[:_SHOWN]]


async def _daemon(context: Context) -> Sequence[Found]:
    socket = context.box.rpc_socket
    status = await in_thread(lambda: _asked(socket, "box.status"))
    if status is None:
        return [_silent(context)]
    if isinstance(status, HeroError):
        return [Found("bad", status.message, "Nobody sees the fleet.", status.hint)]
    away = sorted(set(status.get("slots", ())) - set(status.get("online", ())))
    problems = [str(one) for one in status.get("problems", ())][:_SHOWN]
    found = [Found("warn", one, "The box's daemon says so.", "hero_dev box status") for one in problems]
    if away and not just_started(status, datetime.now(UTC)):
        why = "Nothing is known of them, and nothing is built there."
        found.append(
            Found("warn", f"These slots are away: {', '.join(away)}.", why, "hero_dev doctor --slot USER")
        )
    return found or [
        well(f"The box's daemon has nothing to complain of; {len(status.get('online', ()))} slots are there.")
    ]


def just_started(status: dict[str, Any], now: datetime) -> bool:
    """Whether the daemon is so young that slots may still be on their way to it."""
    try:
        return now - datetime.fromisoformat(str(status.get("started_at"))) < YOUNG
    except (ValueError, TypeError):
        return False


def _silent(context: Context) -> Found:
    if not context.system:
        return passed_over("the box's daemon does not run; the first verb starts it")
    mend = f"{context.as_root}systemctl restart hero_boxd"
    return Found("bad", f"Nobody answers at {context.box.rpc_socket}.", "Nobody sees the fleet.", mend)


async def _reconciler(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over("a rootless box has no accounts to reconcile")]
    status = await in_thread(lambda: _asked(TEAM_SYNC_SOCKET, "team.status"))
    mend = f"{context.as_root}hero_dev team status"
    if status is None:
        what = f"Nobody answers at {TEAM_SYNC_SOCKET}."
        return [
            Found(
                "bad",
                what,
                "Changes of the team repo reach no account.",
                f"{context.as_root}systemctl restart hero_team_sync",
            )
        ]
    if isinstance(status, HeroError):
        return [passed_over(status.message)]
    return judge_reconciler(status, mend)


def judge_reconciler(status: dict[str, Any], mend: str) -> list[Found]:
    """What `team.status` says of the last reconcile."""
    last = status.get("last") or {}
    if last.get("stopped"):
        return [
            Found(
                "bad", f"The reconciler stopped: {last['stopped']}", "Nothing of the team repo is applied.", mend
            )
        ]
    failed = [one for one in last.get("actions", ()) if one.get("ok") is False]
    if failed:
        what = f"The reconciler could not {listed([one.get('sentence') for one in failed], 3)}."
        why = "It tries again by itself; `daemon of the box` tells what stands in its way."
        return [Found("warn", what, why, mend)]
    commit = str(status.get("commit", ""))[:8]
    return [well(f"The team repo is in force at {commit}." if commit else "Nothing has been reconciled yet.")]


async def _backup(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over("a rootless box is one folder: copy it")]
    stamp = context.box.team_state.with_name("last_backup")
    try:
        text = await in_thread(lambda: stamp.read_text(encoding="ascii"))
    except FileNotFoundError:
        text = ""
    except OSError:
        return [passed_over("only root sees when the last backup was")]
    except UnicodeDecodeError:
        text = ""
    return [judge_backup(text.strip(), datetime.now(UTC), context.as_root)]


def judge_backup(stamp: str, now: datetime, as_root: str) -> Found:
    """What it means that the last backup was at `stamp` (ISO 8601; "" for never)."""
    mend = f"{as_root}hero_dev box backup FILE, and keep FILE on another machine"
    try:
        made = datetime.fromisoformat(stamp) if stamp else None
    except ValueError:
        made = None
    if made is None:
        return Found("warn", "This box has never been backed up.", _WHY_BACKUP, mend)
    age = now - (made if made.tzinfo else made.replace(tzinfo=UTC))
    if age > OLD:
        return Found("warn", f"The last backup is {age.days} days old.", _WHY_BACKUP, mend)
    return well(f"The last backup is of {made:%Y-%m-%d %H:%M}.")


def _asked(socket: Path, method: str) -> dict[str, Any] | HeroError | None:
    """The daemon's answer, its refusal, or None where nobody listens."""
    if not listening(socket):
        return None
    try:
        with SyncClient(socket, timeout=_SECONDS) as client:
            answer: dict[str, Any] = client.call(method)
            return answer
    except HeroError as error:
        return error


CHECKS = (
    Check("box.file", "box.toml", _file),
    Check("box.team_repo", "team repo", _team),
    Check("box.daemon", "daemon of the box", _daemon),
    Check("box.reconciler", "reconciler", _reconciler),
    Check("box.backup", "backup", _backup),
)
