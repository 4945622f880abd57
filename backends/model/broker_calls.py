"""The calls that the broker of the org's Claude keys answers."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from backends.model.claude import OrgGrant
from backends.model.frozen import Frozen
from backends.model.method import Empty, Method


class KeyGetParams(Frozen):
    """`slot`: the name of a key, like ORG_CLAUDE_KEY_2; none: the first of the user's that is not cooling down.

    `user` is heard on a rootless box only, where all slots have one uid; elsewhere the peer's uid says who asks.
    `session` is who the key is for, `<slot>/<agent>`.
    """

    slot: str = Field(default="", max_length=100)
    user: str = Field(default="", max_length=100)
    session: str = Field(default="", max_length=200)


class ClaudeKey(Frozen):
    """What a session is started with. With `base_url` the secret is a pass for the broker's relay, good for this
    uid only, and the org key stays in the broker; without, it is the key."""

    slot: str
    secret: str = Field(repr=False)
    base_url: str = ""
    oauth: bool = Field(default=False, description="The secret is an OAuth token, not an API key.")
    lease: str = Field(default="", description="By which the broker knows it; not secret.")


class KeyStatusParams(Frozen):
    user: str = Field(default="", max_length=100)


class KeySetParams(Frozen):
    slot: str = Field(max_length=100)
    secret: str = Field(max_length=10_000, repr=False)


class KeyParams(Frozen):
    slot: str = Field(max_length=100)


class LeaseParams(Frozen):
    lease: str = Field(max_length=100)


class KeyUse(Frozen):
    """What was used: by one user on one key. Tokens as the API counted them."""

    slot: str
    user: str
    requests: int = 0
    refused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    last_used: AwareDatetime | None = None


class KeyInfo(Frozen):
    """A key without the key. `fingerprint`: the beginning of its SHA-256."""

    slot: str
    fingerprint: str
    set_at: AwareDatetime
    set_by: str = ""
    generation: int = 1
    cooling_until: AwareDatetime | None = None
    users: tuple[str, ...] = Field(default=(), description="Who is assigned to it by the team repo.")
    sessions: int = Field(default=0, description="Sessions that may use it now.")


class KeyListResult(Frozen):
    keys: tuple[KeyInfo, ...] = ()
    use: tuple[KeyUse, ...] = ()
    problems: tuple[str, ...] = ()


class BrokerAudited(Frozen):
    """What the broker was asked for, a line each; never with a key."""

    lines: tuple[dict[str, Any], ...] = Field(max_length=100)


BROKER_METHODS: tuple[Method, ...] = (
    Method("aibroker.claude_key.get", "broker", KeyGetParams, ClaudeKey, "A credential for a session.", True),
    Method(
        "aibroker.claude_key.status", "broker", KeyStatusParams, OrgGrant, "Which org key a session would get."
    ),
    Method("aibroker.claude_key.set", "broker", KeySetParams, KeyInfo, "Keep a new key; admins only.", True),
    Method("aibroker.claude_key.rotate", "broker", KeySetParams, KeyInfo, "Replace a key; admins only.", True),
    Method("aibroker.claude_key.revoke", "broker", KeyParams, Empty, "Forget a key; admins only.", True),
    Method("aibroker.claude_key.list", "broker", Empty, KeyListResult, "Fingerprints and use; admins only."),
    Method(
        "aibroker.claude_key.release",
        "broker",
        LeaseParams,
        Empty,
        "A session has ended: what it was given is good no more.",
        True,
    ),
    Method("aibroker.down", "broker", Empty, Empty, "End the broker of a rootless box.", True),
    Method(
        "aibroker.leases", "broker", Empty, Empty, "Stream `lease.ended` notifications of the caller's leases."
    ),
    Method("broker.audited", "box", BrokerAudited, Empty, "The broker tells what it was asked for.", True),
)
