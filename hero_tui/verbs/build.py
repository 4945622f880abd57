"""`hero_dev build`: queue a build and see it through, take one out, look at one or at what it printed."""

from __future__ import annotations

import argparse
import time
from typing import Any

from backends.model.errors import HeroError, nearest
from backends.rpc.sync_client import FOREVER, SyncClient
from hero_tui.verbs.exits import DONE, FAILED
from hero_tui.verbs.logs import add_options
from hero_tui.verbs.parsing import one_of, refuse_beside
from hero_tui.verbs.session import Session, box_client

ACTIONS = ("submit", "cancel", "log", "show")

_SUBMIT_ONLY = {
    "branch": "A branch",
    "user": "--user",
    "publish": "--publish",
    "no_restart": "--no-restart",
    "wait": "--wait",
}
_LOG_ONLY = {"follow": "--follow", "lines": "--lines", "since": "--since", "grep": "--grep"}


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("action", metavar="submit|cancel|log|show", type=one_of(*ACTIONS))
    parser.add_argument("subject", metavar="SERVICE|ID", help="submit: a service; else a build's id, see `builds`")
    parser.add_argument("branch", metavar="BRANCH", nargs="?", help="submit: default is the slot's binding")
    submit = parser.add_argument_group("build submit")
    submit.add_argument("--user", metavar="U", default="", help="whose slot builds (default: mine)")
    submit.add_argument("--publish", action="store_true", help="publish the archive, so that others can run it")
    submit.add_argument("--no-restart", action="store_true", help="do not run the result")
    submit.add_argument("--wait", action="store_true", help="wait for its end; 1 if it fails")
    add_options(parser)


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it. Raises HeroError."""
    if asked.action != "submit":
        refuse_beside(asked, f"build {asked.action}", _SUBMIT_ONLY)
    if asked.action != "log":
        refuse_beside(asked, f"build {asked.action}", _LOG_ONLY)
    if asked.action == "submit":
        return _submit(session, asked)
    if asked.action == "log":
        from hero_tui.verbs.build_log import print_log

        return print_log(session, asked)
    with box_client(session.where()) as client:
        return (_cancel if asked.action == "cancel" else _show)(session, client, asked.subject)


def build_of(client: SyncClient, build_id: str) -> dict[str, Any]:
    """The build called so. Raises HeroError `not_found` with the nearest ids."""
    try:
        return dict(client.call("build.get", {"build_id": build_id}))
    except HeroError as error:
        if error.code != "not_found":
            raise
        known = [one["id"] for one in client.call("build.list", {"limit": 500})["builds"]]
        close = nearest(build_id, known)
        meant = f"Did you mean {' or '.join(f'`{name}`' for name in close)}? " if close else ""
        raise HeroError(
            error.code, error.message, hint=f"{meant}`hero_dev builds --all-slots` lists them."
        ) from None


def _submit(session: Session, asked: argparse.Namespace) -> int:
    where = session.where()
    if not asked.user:
        where.slot()
    params = {
        "user": asked.user or where.user,
        "service": asked.subject,
        "publish": asked.publish,
        "restart": not asked.no_restart,
        **({"branch": asked.branch} if asked.branch else {}),
    }
    with box_client(where) as client:
        if asked.wait:
            from hero_tui.verbs.build_wait import submit_and_wait

            return submit_and_wait(session, where, client, params)
        answer = client.call("codescalers.build.submit", params)
        build = {} if session.json else build_of(client, answer["build_id"])
    if session.json:
        session.answer(answer)
    else:
        session.confirm(submitted_lines(answer, build))
    return DONE


def submitted_lines(answer: dict[str, Any], build: dict[str, Any]) -> list[str]:
    """What became of a request, and where to look further."""
    from hero_tui.render.text import clean

    what = clean(f"{build['service']} {build['branch']} in {build['slot']}'s slot".replace("  ", " "))
    told = "is part of one that waits" if answer["coalesced"] else f"is {clean(build['state'])}"
    waits = f": {clean(build['waits_for'])}" if build["waits_for"] else "."
    name = clean(answer["build_id"])
    return [f"The build of {what} {told}{waits}", f"  `hero_dev build log {name} -f` follows it."]


def _cancel(session: Session, client: SyncClient, build_id: str) -> int:
    build_of(client, build_id)
    build = client.call("build.cancel", {"build_id": build_id}, timeout=FOREVER)
    if session.json:
        session.answer(build)
    elif build["state"] == "cancelled":
        session.confirm([f"Cancelled: {_named(build)}."])
    elif build["state"] == "running":
        session.confirm([f"The slot is told to stop it, and has not yet: {_named(build)}."])
    else:
        session.confirm([f"Too late: {_named(build)} has {build['state']}."])
    return DONE if build["state"] in ("cancelled", "running") else FAILED


def _show(session: Session, client: SyncClient, build_id: str) -> int:
    build = build_of(client, build_id)
    if session.json:
        session.answer(build)
        return DONE
    from hero_tui.render.builds import build_detail_lines

    session.show(build_detail_lines(build, session.terminal(), time.time()))
    return DONE


def _named(build: dict[str, Any]) -> str:
    from hero_tui.render.text import clean

    return clean(f"{build['id']}, {build['service']} {build['branch']} in {build['slot']}'s slot")
