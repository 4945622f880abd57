"""`hero_dev hooks`: whether the forge tells this box of pushes and releases, and how to have it do so."""

from __future__ import annotations

import argparse
import time
from typing import Any

from backends.model.errors import HeroError, nearest
from backends.rpc.sync_client import SyncClient
from hero_tui.render.gates import hook_lines
from hero_tui.verbs.exits import DONE, FAILED, NOTHING_TO_DO
from hero_tui.verbs.parsing import refuse_beside
from hero_tui.verbs.session import Session, box_client

ACTIONS = ("status", "install")

_WELL = ("installed", "not_needed")
_SECONDS = 600.0
"""For a forge that is asked of every repository in turn."""


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument(
        "hooks", metavar="status|install|ORG/REPO", nargs="*",
        help="status (default) or install, and of which repositories (default: the catalogue's and the team repo)",
    )  # fmt: skip
    parser.add_argument("--rotate", action="store_true", help="install: new secrets; the old ones hold 10 minutes")
    parser.add_argument("--url", metavar="URL", help="where the forge reaches this box (default: as in box.toml)")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print or install them. Raises HeroError."""
    action, repos = _taken_apart(asked.hooks)
    if action == "status":
        refuse_beside(asked, "hooks status", {"rotate": "--rotate"})
    named = {"repos": repos, "url": asked.url}
    params: dict[str, Any] = {name: value for name, value in named.items() if value}
    with box_client(session.where()) as client:
        if action == "status":
            return _print(session, client.call("hooks.status", params, timeout=_SECONDS), DONE)
        return _install(session, client, params, rotate=asked.rotate)


def _install(session: Session, client: SyncClient, params: dict[str, Any], *, rotate: bool) -> int:
    before = [] if rotate else client.call("hooks.status", params, timeout=_SECONDS)["hooks"]
    nothing = not rotate and all(one["state"] in _WELL for one in before)
    answer = client.call("hooks.install", {**params, "rotate": rotate}, timeout=_SECONDS)
    failed = any(one["state"] not in _WELL for one in answer["hooks"])
    return _print(session, answer, FAILED if failed else NOTHING_TO_DO if nothing else DONE)


def _print(session: Session, answer: dict[str, Any], code: int) -> int:
    if session.json:
        session.answer(answer)
    elif answer["hooks"]:
        session.show(hook_lines(answer["hooks"], session.terminal(), time.time()))
    else:
        session.show(["The box follows no repository."])
    return code


def _taken_apart(words: list[str]) -> tuple[str, list[str]]:
    """What to do, and the repositories. Raises HeroError `usage`."""
    action, repos = (words[0], words[1:]) if words and "/" not in words[0] else ("status", words)
    for word in (*([] if action in ACTIONS else [action]), *(one for one in repos if "/" not in one)):
        close = nearest(word, ACTIONS, 1)
        meant = f" Did you mean `{close[0]}`?" if close else ""
        raise HeroError(
            "usage", f"{word!r} is neither status nor install nor a repository.{meant}",
            hint="A repository is written ORG/NAME.",
        )  # fmt: skip
    return action, repos
