"""`hero_dev team`: the reconciler of a system box: what it would do, do it, how it stands, bring back, accept."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.problems import Problem
from backends.rpc.sync_client import FOREVER, SyncClient
from hero_tui.render.team import problem_lines, run_lines, status_lines
from hero_tui.verbs.exits import DONE, FAILED
from hero_tui.verbs.parsing import one_of
from hero_tui.verbs.session import Session

ACTIONS = ("plan", "apply", "status", "restore", "accept")

_SUBJECT = {"restore": "a user", "accept": "a commit"}


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("action", metavar="|".join(ACTIONS), type=one_of(*ACTIONS))
    parser.add_argument("subject", metavar="USER|COMMIT", nargs="?", help="restore: whom; accept: which commit")
    parser.add_argument("--repo", metavar="DIR", help="plan: check a checkout of the team repo, without any box")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it. Raises HeroError."""
    _check(asked)
    if asked.repo:
        return _lint(session, Path(asked.repo))
    if asked.action == "status":
        return _status(session)
    return _run(session, asked)


def _check(asked: argparse.Namespace) -> None:
    """Raises HeroError `usage` for words that do not go together."""
    wanted = _SUBJECT.get(asked.action)
    if wanted and not asked.subject:
        raise HeroError(
            "usage", f"`team {asked.action}` needs {wanted}.", hint="`hero_dev team --help` tells more."
        )
    if asked.subject and not wanted:
        raise HeroError("usage", f"There is one word too many for `team {asked.action}`: {asked.subject!r}.")
    if asked.repo and asked.action != "plan":
        raise HeroError("usage", f"--repo goes with `team plan`, not with `team {asked.action}`.")


def _run(session: Session, asked: argparse.Namespace) -> int:
    params = {"restore": {"user": asked.subject}, "accept": {"commit": asked.subject}}.get(asked.action, {})
    with _reconciler(session) as client:
        told = client.call(f"team.{asked.action}", params, timeout=FOREVER)
    if session.json:
        session.answer(told)
    else:
        session.show(run_lines(told, session.terminal(), planned=asked.action == "plan"))
    failed = told["stopped"] or any(action["ok"] is False for action in told["actions"])
    return FAILED if failed else DONE


def _status(session: Session) -> int:
    with _reconciler(session) as client:
        told = client.call("team.status")
    if session.json:
        session.answer(told)
    else:
        session.show(status_lines(told, session.terminal(), time.time()))
    return DONE


def _lint(session: Session, folder: Path) -> int:
    """What is wrong with a checkout; nothing of any box is asked or changed."""
    from dataclasses import asdict

    from backends.box_files import read_team

    if not folder.is_dir():
        raise HeroError("usage", f"{folder} is no folder.", hint="Name a checkout of the team repo.")
    repo, found = read_team(folder)
    problems = [*_links(folder), *found]
    if session.json:
        told = [{**asdict(one), "text": str(one)} for one in problems]
        session.answer({"repo": str(folder), "users": sorted(repo.users), "problems": told})
    else:
        session.show(problem_lines([str(one) for one in problems], sorted(repo.users), session.terminal()))
    return FAILED if problems else DONE


def _links(folder: Path) -> list[Problem]:
    """Files that the reconciler will not follow, and that look like any other in a checkout."""
    patterns = ("*.toml", "users/*.toml", "manifest_templates/*.toml")
    links = (path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_symlink())
    return [Problem(path.relative_to(folder).as_posix(), 0, 0, "", "a link", "a plain file") for path in links]


def _reconciler(session: Session) -> SyncClient:
    """A connection to the reconciler. Raises HeroError `usage` on a rootless box, which has none."""
    socket = _socket(session)
    try:
        return SyncClient(socket)
    except HeroError as error:
        if error.code != "unreachable":
            raise
        raise HeroError(
            "unreachable",
            f"The reconciler does not answer at {socket}.",
            hint="Only a system box has one; there, as root: `systemctl status hero_team_sync`.",
        ) from None


def _socket(session: Session) -> Path:
    """Of the box that is named, or else of this machine's system box."""
    from backends.system_box import TEAM_SYNC_SOCKET

    if not session.box:
        return TEAM_SYNC_SOCKET
    run: Path = session.where().box.run
    return run.resolve().parent / TEAM_SYNC_SOCKET.parent.name / TEAM_SYNC_SOCKET.name
