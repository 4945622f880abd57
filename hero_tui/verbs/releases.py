"""`hero_dev releases`: the published archives of a service, newest first."""

from __future__ import annotations

import argparse
import time

from backends.model.errors import HeroError, unknown_name
from backends.rpc.sync_client import SyncClient
from hero_tui.render.releases import release_lines
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.session import Session, box_client

_LIMIT = 30


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("branch", metavar="BRANCH", nargs="?", help="of this branch only")
    parser.add_argument("--page", type=_number, default=1, metavar="N", help="older ones (default: 1)")
    parser.add_argument("--limit", type=_number, default=_LIMIT, metavar="N", help=f"a page (default: {_LIMIT})")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print them. Raises HeroError."""
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
    if answer["next_page"]:
        session.confirm([f"There are older ones: --page {answer['next_page']}."])
    return DONE


def _no_release(client: SyncClient, service: str, branch: str) -> HeroError:
    published = client.call("release.list", {"service": service, "limit": 200})["releases"]
    error = unknown_name("released branch", branch, {one["branch"] for one in published})
    return HeroError(error.code, f"{service} has no release of branch {branch!r}.", hint=error.hint)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000")
    return int(text)
