"""What a push does besides git: drafts that a tag publishes, the time of the last change, webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import uuid
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.forgejo_server.state import ZEROS, Hook, Repository, World

_NAMES = {"push": "push", "create": "create", "delete": "delete", "release": "release"}


def tag_pushed(repo: Repository, name: str) -> None:
    """A tag with the name of a draft publishes it, silently."""
    release = repo.release_of(name)
    if release and release.draft and not release.hidden:
        release.draft = False
        release.created = time.time()


def after_push(world: World, repo: Repository, before: dict[str, str], pusher: str) -> None:
    """What follows a `git push` that turned the refs `before` into those of now."""
    after = repo.refs()
    for name in sorted({*before, *after}):
        old, new = before.get(name, ZEROS), after.get(name, ZEROS)
        if old == new:
            continue
        repo.touch()
        short = name.removeprefix("refs/heads/").removeprefix("refs/tags/")
        kind = "tag" if name.startswith("refs/tags/") else "branch"
        if kind == "tag" and new != ZEROS:
            tag_pushed(repo, short)
        ref = {"ref": short, "ref_type": kind}
        if old == ZEROS:
            deliver(world, repo, "create", {**ref, "sha": new}, pusher)
        if new == ZEROS:
            deliver(world, repo, "delete", ref, pusher)
        deliver(world, repo, "push", {"ref": name, "before": old, "after": new, "commits": []}, pusher)


def deliver(world: World, repo: Repository, event: str, content: dict[str, Any], sender: str) -> None:
    """Send a webhook to every hook that asks for `event`; once, whatever becomes of it."""
    repository = {
        "full_name": repo.name,
        "private": repo.private,
        "default_branch": repo.default_branch,
        "clone_url": f"{world.root_url}/{repo.name}.git",
    }
    content = {**content, "repository": repository, "sender": {"login": sender}, "pusher": {"login": sender}}
    for hook in repo.hooks:
        if hook.active and event in hook.events:
            args = (world, hook, event, json.dumps(content).encode())
            threading.Thread(target=_send, args=args, daemon=True).start()


def _send(world: World, hook: Hook, event: str, body: bytes) -> None:
    secret = hook.config.get("secret", "")
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() if secret else ""
    delivery = str(uuid.uuid4())
    families = ["Gitea", "Gogs"] + (["Forgejo"] if world.flavour == "forgejo" else [])
    headers = {f"X-{one}-{what}": value for one in families for what, value in (
        ("Delivery", delivery), ("Event", event), ("Event-Type", event), ("Signature", signature)
    )}  # fmt: skip
    headers |= {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={signature}"}
    headers["Content-Type"] = "application/json"
    if hook.config.get("content_type") == "form":
        body = urlencode({"payload": body.decode()}).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if hook.authorization:
        headers["Authorization"] = hook.authorization
    try:
        status = httpx.post(
            hook.config["url"], content=body, headers=headers, timeout=5, trust_env=False
        ).status_code
    except httpx.HTTPError:
        status = 0
    hook.deliveries.append(status)
    world.deliveries.append({"event": event, "status": status, "url": hook.config["url"]})
