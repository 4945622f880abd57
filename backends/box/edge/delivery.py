"""What a webhook says, read from its body alone: the signature covers no header, so none decides anything."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import unquote_to_bytes

from backends.model.errors import HeroError
from backends.model.names import BadValue, check_branch, check_repo
from backends.model.release import split_tag

Kind = Literal["push", "create", "delete", "release", "ignored"]
T = TypeVar("T")

HEADS, TAGS = "refs/heads/", "refs/tags/"
RELEASE_ACTIONS = frozenset({"published", "updated", "deleted"})

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PAYLOAD = b"payload="


class BadDelivery(HeroError):
    """A body that is no delivery of a forge."""

    def __init__(self, message: str):
        super().__init__("usage", message, hint="Only a forge's webhooks are taken here.")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook: look at `branch` (or `tag`) of `repo`.

    `after` is the commit that a push led to, None where it deleted. `action` is "created" or "deleted" for a push
    that did so, and a release's own word. `digest` is the SHA-256 of what was signed, in hex. `ignored` is an
    event, a ref or a name that nothing on a box follows.
    """

    event: Kind
    repo: str
    branch: str | None
    tag: str | None
    after: str | None
    action: str
    digest: str


def form_payload(body: bytes) -> bytes:
    """The `payload` of a form, decoded: what the forge signed. Raises BadDelivery where there is not just one."""
    found = [field.removeprefix(_PAYLOAD) for field in body.split(b"&") if field.startswith(_PAYLOAD)]
    if len(found) != 1:
        raise BadDelivery("A form delivery needs one field called `payload`.")
    return unquote_to_bytes(found[0].replace(b"+", b" "))


def parse_delivery(content: bytes, hint: str = "") -> Delivery:
    """The delivery in `content`, which is JSON. `hint` is what a header calls the event, where the shape leaves
    that open. Fields that are not known are no error. Raises BadDelivery."""
    payload = _object(content)
    repository = _field(payload, "repository", dict)
    name = _field(repository, "full_name", str)
    if name is None:
        raise BadDelivery("The delivery names no repository.")
    try:
        repo = check_repo(name)
    except BadValue as error:
        raise BadDelivery(f"The delivery's repository: {error.message}") from None
    digest = hashlib.sha256(content).hexdigest()
    told = {name for name, value in payload.items() if value is not None}
    if "release" in told:
        return _release(payload, repo, digest)
    if "ref_type" in told:
        return _made(payload, repo, digest, hint)
    if "ref" in told and told & {"before", "after"}:
        return _push(payload, repo, digest)
    return _ignored(repo, digest)


def _push(payload: dict[str, Any], repo: str, digest: str) -> Delivery:
    ref, before, after = (_field(payload, name, str) or "" for name in ("ref", "before", "after"))
    commit = _commit(after)
    action = "deleted" if _is_zeros(after) else "created" if _is_zeros(before) else ""
    if ref.startswith(HEADS):
        return _of_branch("push", repo, ref.removeprefix(HEADS), digest, action, commit)
    if ref.startswith(TAGS):
        return _of_tag("push", repo, ref.removeprefix(TAGS), digest, action, commit)
    return _ignored(repo, digest)


def _made(payload: dict[str, Any], repo: str, digest: str, hint: str) -> Delivery:
    """A branch or tag that came or went: Forgejo tells the full ref, Gitea the short one."""
    kind, ref = (_field(payload, name, str) or "" for name in ("ref_type", "ref"))
    commit = _commit(_field(payload, "sha", str) or "")
    deleted = "sha" not in payload and ("pusher_type" in payload or hint == "delete")
    event: Kind = "delete" if deleted else "create"
    if kind == "branch":
        return _of_branch(event, repo, ref.removeprefix(HEADS), digest, "", commit)
    if kind == "tag":
        return _of_tag(event, repo, ref.removeprefix(TAGS), digest, "", commit)
    return _ignored(repo, digest)


def _release(payload: dict[str, Any], repo: str, digest: str) -> Delivery:
    release = _field(payload, "release", dict)
    tag = _field(release, "tag_name", str) or ""
    action = _field(payload, "action", str) or ""
    if action not in RELEASE_ACTIONS:
        return _ignored(repo, digest)
    return _of_tag("release", repo, tag, digest, action, None)


def _of_branch(event: Kind, repo: str, branch: str, digest: str, action: str, commit: str | None) -> Delivery:
    if not _is_followable(branch):
        return _ignored(repo, digest)
    return Delivery(event, repo, branch, None, commit, action, digest)


def _of_tag(event: Kind, repo: str, tag: str, digest: str, action: str, commit: str | None) -> Delivery:
    """A release's tag names its branch; of another tag only the repository is worth a look."""
    if not _is_followable(tag):
        return _ignored(repo, digest)
    parts = split_tag(tag)
    return Delivery(event, repo, parts[0] if parts else None, tag, commit, action, digest)


def _ignored(repo: str, digest: str) -> Delivery:
    return Delivery("ignored", repo, None, None, None, "", digest)


def _is_followable(name: str) -> bool:
    try:
        check_branch(name)
    except BadValue:
        return False
    return True


def _commit(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) and not _is_zeros(text) else None


def _is_zeros(text: str) -> bool:
    return bool(text) and not text.strip("0")


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadDelivery("The delivery's body is not JSON.") from None
    if not isinstance(found, dict):
        raise BadDelivery("The delivery's body is no JSON object.")
    return found


def _field(payload: dict[str, Any] | None, name: str, kind: type[T]) -> T | None:
    """`payload[name]`, None where it is missing or null. Raises BadDelivery where it is something else."""
    found = (payload or {}).get(name)
    if found is None or isinstance(found, kind):
        return found
    words = {dict: "an object", str: "a text", list: "a list", bool: "true or false"}
    raise BadDelivery(
        f"The delivery's `{name}` should be {words[kind]}, but is {words.get(type(found), 'a number')}."
    )
