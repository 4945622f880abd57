"""The calls about what the forge has: releases, webhooks, and whether each trunk is fit for everybody."""

from __future__ import annotations

from pydantic import Field

from backends.model.forge import CommitInfo, Gate, HookState, ReleaseInfo
from backends.model.frozen import Frozen
from backends.model.method import Method


class ReleaseListParams(Frozen):
    service: str
    branch: str | None = None
    page: int = 1
    limit: int = 30


class ReleaseListResult(Frozen):
    releases: tuple[ReleaseInfo, ...]
    next_page: int | None = None


class CompareParams(Frozen):
    service: str
    base: str = Field(description="A tag, branch or full hash.")
    head: str
    page: int = Field(default=1, ge=1)
    limit: int = Field(default=50, ge=1, le=200)


class CompareResult(Frozen):
    """Commits that `head` has and `base` has not, newest first."""

    commits: tuple[CommitInfo, ...]
    next_page: int | None = None


class HooksParams(Frozen):
    rotate: bool = Field(default=False, description="Make new secrets; the old ones hold for ten minutes more.")
    url: str | None = Field(default=None, description="Where the forge reaches the box; default: box.toml's.")
    repos: tuple[str, ...] = Field(default=(), description="None named: the catalogue's and the team repo.")


class HooksResult(Frozen):
    hooks: tuple[HookState, ...]
    url: str = ""


class WebhookParams(Frozen):
    """A delivery as it came over HTTP."""

    headers: dict[str, str]
    body: str = Field(description="Base64.")


class WebhookResult(Frozen):
    status: int = Field(description="The HTTP status that answers it.")
    message: str


class GatesParams(Frozen):
    service: str | None = None
    fresh: bool = Field(default=False, description="Ask the forge again before answering.")


class GatesResult(Frozen):
    gates: tuple[Gate, ...]


FORGE_METHODS: tuple[Method, ...] = (
    Method("release.list", "box", ReleaseListParams, ReleaseListResult, "Published archives of a service."),
    Method("release.compare", "box", CompareParams, CompareResult, "The commits between two releases."),
    Method("hooks.status", "box", HooksParams, HooksResult, "The webhooks on the forge."),
    Method("hooks.install", "box", HooksParams, HooksResult, "Create or rotate the webhooks.", True),
    Method("webhook.handle", "box", WebhookParams, WebhookResult, "A delivery of the forge.", True),
    Method("gate.list", "box", GatesParams, GatesResult, "Whether each service's trunk is fit for everybody."),
)
