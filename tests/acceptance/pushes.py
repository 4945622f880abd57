"""A small box whose slots follow the trunk, and pushes and webhooks from outside it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from backends.client.blocking import boxd_argv, call_box, call_slot
from backends.client.locate import Where
from backends.model.paths import BoxPaths
from backends.rpc.spawn import answers
from tests.acceptance.small_box import DEADLINE, SmallBox

TRUNK = "development"
REPO = "lhumina_code/hero_web"
WEB = "hero_web"


def follow_the_trunk(box: SmallBox) -> None:
    """Before the daemons start: integration builds hero_web, alice pulls its releases by herself."""
    bind = f'schema = 1\n\n[[bind]]\nservice = "{WEB}"\nbranch = "{TRUNK}"\n'
    paths = BoxPaths(box.root)
    paths.slot("integration").manifest.write_text(f'{bind}from = "build"\n')
    paths.slot("alice").manifest.write_text(f'{bind}from = "release"\nauto_rebuild = true\n')


def start_boxd(box: SmallBox, **environment: str) -> subprocess.Popen[bytes]:
    """The box's daemon as our own child, ready for calls; with a failpoint in `environment` it may die later."""
    log_folder = box.where.box.log
    log_folder.mkdir(parents=True, exist_ok=True)
    with (log_folder / "boxd.out").open("ab") as log:
        daemon = subprocess.Popen(
            boxd_argv(box.where), env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True
        )
    box.daemons.append(daemon)
    box.until(lambda: answers(box.where.box.rpc_socket), "the box's daemon")
    return daemon


def push(box: SmallBox, page: str, branch: str = TRUNK, *, more: str = "") -> str:
    """A teammate's commit from a clone of their own, with `more` at its source's end; its hash."""
    work = box.root.parent / "laptop"
    if not work.exists():
        git(box.root, "clone", "-q", "--", str(box.where.box.forge / f"{REPO}.git"), str(work))
    git(work, "fetch", "-q")
    git(work, "checkout", "-q", "-B", branch, f"origin/{branch}")
    app = work / "app.py"
    app.write_text(app.read_text() + f"\n\ndef page(path):\n    return {{'page': {page!r}}}\n{more}")
    git(work, "commit", "-qam", f"Page {page}")
    git(work, "push", "-q", "origin", branch)
    return git(work, "rev-parse", "HEAD")


def revert(box: SmallBox) -> str:
    """A teammate takes the last commit back; the hash of the commit that does."""
    work = box.root.parent / "laptop"
    git(work, "revert", "--no-edit", "HEAD")
    git(work, "push", "-q", "origin", TRUNK)
    return git(work, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Mik", "-c", "user.email=mik@hero.example"]
    said = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return said.stdout.strip()


def deliver(box: SmallBox, branch: str = TRUNK, *, secret: str | None = None, **more: Any) -> int:
    """The webhook of a push, over the box's HTTP socket by curl; the status that answers it, 0 for none."""
    content = {
        "ref": f"refs/heads/{branch}",
        "before": "0" * 40,
        "after": more.pop("after", "1" * 40),
        "repository": {"full_name": REPO},
        **more,
    }
    body = json.dumps(content).encode()
    key = bytes.fromhex(box.where.box.hook_key.read_text().strip())
    derived = hmac.new(key, f"{REPO}\n1".encode(), hashlib.sha256).hexdigest()
    signature = hmac.new((secret or derived).encode(), body, hashlib.sha256).hexdigest()
    said = subprocess.run(
        [
            "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20",
            "--unix-socket", str(box.where.box.http_socket),
            "-H", "Content-Type: application/json", "-H", f"X-Forgejo-Signature: {signature}",
            "-H", "X-Forgejo-Event: push", "--data-binary", "@-", "http://box/hooks/forge",
        ],
        input=body,
        check=False,
        capture_output=True,
    )  # fmt: skip
    return int(said.stdout or b"0")


def builds_of(box: SmallBox, user: str, commit: str) -> list[dict[str, Any]]:
    """The queue's builds of one commit in a slot."""
    listed = call_box(box.where, "build.list", {"user": user, "limit": 200})["builds"]
    return [one for one in listed if one["commit"] == commit]


def until_built(box: SmallBox, user: str, commit: str, state: str = "succeeded") -> dict[str, Any]:
    """The one build of `commit` in `user`'s slot, once it is in `state`."""
    box.until(
        lambda: [one["state"] for one in builds_of(box, user, commit)] == [state], f"one {state} build of {commit}"
    )
    return builds_of(box, user, commit)[0]


def cell_of(box: SmallBox, user: str, service: str = WEB) -> dict[str, Any]:
    """A service's cell as the slot itself tells it."""
    status = call_slot(Where(box.where.box, user), "slot.status", {"fresh": False})
    found: dict[str, Any] = next(one for one in status["services"] if one["service"] == service)
    return found


def until_runs(box: SmallBox, user: str, commit: str) -> None:
    """Wait until `user`'s hero_web runs `commit` and is healthy."""

    def runs() -> bool:
        cell = cell_of(box, user)
        return bool(cell["hash"] == commit and cell["health"] == "healthy")

    box.until(runs, f"{user} on {commit[:8]}")


def wait_for(daemon: subprocess.Popen[bytes]) -> int:
    """How a daemon that is to die died."""
    return daemon.wait(DEADLINE)


def settle(seconds: float) -> None:
    """Give what must not happen the time to happen."""
    time.sleep(seconds)
