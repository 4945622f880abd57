"""`hero_dev releases`: the published archives of a service, newest first; `--compare`: what is between two."""

from __future__ import annotations

import argparse
import time

from backends.model.errors import HeroError, unknown_name
from backends.rpc.sync_client import SyncClient
from hero_tui.render.releases import commit_lines, release_lines
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.parsing import number_to, refuse_beside
from hero_tui.verbs.session import Session, box_client

_LIMIT = 30
_MOST_COMPARED = 200


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("branch", metavar="BRANCH", nargs="?", help="of this branch only")
    parser.add_argument(
        "--compare", nargs=2, metavar=("BASE", "HEAD"), help="the commits that HEAD has and BASE has not"
    )
    parser.add_argument("--page", type=number_to(1000), default=1, metavar="N", help="older ones (default: 1)")
    parser.add_argument(
        "--limit", type=number_to(1000), default=_LIMIT, metavar="N", help=f"a page (default: {_LIMIT})"
    )


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print them. Raises HeroError."""
    if asked.compare:
        refuse_beside(asked, "releases --compare", {"branch": "A branch"})
        return _compare(session, asked)
    params = {"service": asked.service, "page": asked.page, "limit": asked.limit}
    with box_client(session.where()) as client:
        answer = client.call("release.list", {**params, **({"branch": asked.branch} if asked.branch else {})})
        if asked.branch and asked.page == 1 and not answer["releases"]:
            raise _no_release(client, asked.service, asked.branch)
    if session.json:
        session.answer(answer)
        return DONE
    if not answer["releases"]:
        session.show([f"{asked.service} has no{' more' if asked.page > 1 else ''} releases."])
        return DONE
    session.show(release_lines(answer["releases"], session.terminal(), time.time()))
    _tell_next(session, answer["next_page"])
    return DONE


def _compare(session: Session, asked: argparse.Namespace) -> int:
    base, head = asked.compare
    page = {"page": asked.page, "limit": min(asked.limit, _MOST_COMPARED)}
    with box_client(session.where()) as client:
        answer = client.call("release.compare", {"service": asked.service, "base": base, "head": head, **page})
    if session.json:
        session.answer(answer)
    elif answer["commits"]:
        session.show(commit_lines(answer["commits"], session.terminal(), time.time()))
        _tell_next(session, answer["next_page"])
    else:
        session.show([f"{head} has no{' more' if asked.page > 1 else ''} commits that {base} has not."])
    return DONE


def _tell_next(session: Session, page: int | None) -> None:
    if page:
        session.confirm([f"There are older ones: --page {page}."])


def _no_release(client: SyncClient, service: str, branch: str) -> HeroError:
    published = client.call("release.list", {"service": service, "limit": 200})["releases"]
    error = unknown_name("released branch", branch, {one["branch"] for one in published})
    return HeroError(error.code, f"{service} has no release of branch {branch!r}.", hint=error.hint)
