"""The contract of a forge, and what lies beyond it, on a Gitea that is started here."""

from __future__ import annotations

import pytest

from tests.backends.forge import live, test_forgejo_live_beyond
from tests.backends.forge.live import admin, connect, token_file
from tests.backends.forge.test_forgejo_live import TestLiveForge
from tests.backends.forge.test_forgejo_live_beyond import forge, head, work
from tests.forgejo_server.gitea import Gitea, gitea, needs_gitea

__all__ = ["TestLiveForge", "admin", "connect", "forge", "gitea", "head", "token_file", "work"]

pytestmark = [needs_gitea, pytest.mark.slow]

globals().update({name: test for name, test in vars(test_forgejo_live_beyond).items() if name.startswith("test_")})


@pytest.fixture(autouse=True)
def _started_here(gitea: Gitea, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the live tests mean this one, whatever the environment names."""
    monkeypatch.setattr(live, "ADMIN", gitea.admin)
    for module in (live, test_forgejo_live_beyond):
        monkeypatch.setattr(module, "URL", gitea.url)
        monkeypatch.setattr(module, "TOKEN", gitea.token)
