"""Webhooks as a forge sends them."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urlencode

from backends.box.edge.signature import sign

REPO = "lhumina_code/hero_books"
TEAM_REPO = "lhumina_code/hero_team"
ZEROS = "0" * 40
HEAD = "a" * 40


def push(branch: str = "development", *, repo: str = REPO, after: str = HEAD, before: str = "b" * 40) -> bytes:
    """The body of a push to a branch."""
    return encoded(repo, ref=f"refs/heads/{branch}", before=before, after=after, commits=[])


def release(tag: str, *, repo: str = REPO, action: str = "published") -> bytes:
    """The body of a release."""
    return encoded(repo, action=action, release={"id": 7, "tag_name": tag, "draft": False})


def encoded(repo: str, **fields: Any) -> bytes:
    """A body as a forge writes it, with a field that nobody knows."""
    payload = {**fields, "repository": {"id": 1, "full_name": repo}, "sender": {"login": "mik"}}
    return json.dumps(payload, indent=2).encode()


def form(content: bytes) -> bytes:
    """The body of the same delivery as a form."""
    return urlencode({"payload": content.decode()}).encode()


def headers(secret: str, content: bytes, *, event: str = "push", kind: str = "application/json") -> dict[str, str]:
    """What a Forgejo sends with `content`."""
    signature = sign(secret, content)
    found = {"Content-Type": kind, "X-Hub-Signature": "sha1=" + "0" * 40}
    for brand in ("Forgejo", "Gitea", "Gogs"):
        found |= {
            f"X-{brand}-Delivery": str(uuid.uuid4()),
            f"X-{brand}-Event": event,
            f"X-{brand}-Signature": signature,
        }
    return found | {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": event}
