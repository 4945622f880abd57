"""Who may do what to a repository: team_sync's check of the trunk's rules, the writer of a secrets repository."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.forge.forgejo import Forgejo
from backends.model.boxfile import TeamSync
from backends.model.errors import HeroError
from backends.team.following import Guard
from backends.team.git_source import Clone
from tests.backends.forge.repositories import commit, run_git
from tests.forgejo_server.sites import Ground, Site, ground, site

__all__ = ["ground", "site"]

GOOD = {"rule_name": "development", "enable_push": False, "required_approvals": 1}
RULES = "/branch_protections"


class Somebody:
    """An account of the forge that owns nothing."""

    def __init__(self, site: Site):
        self.login = f"ann{uuid.uuid4().hex[:8]}"
        self.token = site.account(self.login)
        self.forge = Forgejo(site.url, self.token)
        self.api = httpx.AsyncClient(
            base_url=f"{site.url}/api/v1", headers={"Authorization": f"token {self.token}"}, trust_env=False
        )


@pytest.fixture
async def ann(site: Site) -> AsyncIterator[Somebody]:
    somebody = Somebody(site)
    yield somebody
    await somebody.forge.aclose()
    await somebody.api.aclose()


async def objection(forge: Forgejo, repo: str, branch: str = "development") -> str:
    """What team_sync says to a commit of the team repo, where box.toml asks for protection."""
    guard = Guard(forge, repo, TeamSync(require_protection=True))
    return await guard.objection(Clone(Path("unused"), "", {}), "0" * 40, branch)


async def test_an_unprotected_trunk_is_not_followed_and_a_protected_one_is(ground: Ground) -> None:
    assert "no protection" in await objection(ground.forge, ground.repo)
    await ground.ask("POST", RULES, 201, **GOOD)
    assert await objection(ground.forge, ground.repo) == ""
    assert "no protection" in await objection(ground.forge, ground.repo, "main")
    await ground.ask("DELETE", f"{RULES}/development", 204)
    assert "no protection" in await objection(ground.forge, ground.repo)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"enable_push": True}, "push to development directly"),
        ({"enable_push": True, "enable_push_whitelist": True, "push_whitelist_usernames": ["mik"]}, ""),
        ({"required_approvals": 0}, "nobody's approval"),
        ({"rule_name": "deve*"}, ""),
        ({"rule_name": "other"}, "no protection"),
    ],
)
async def test_a_rule_that_leaves_a_door_open_is_told(
    ground: Ground, change: dict[str, Any], sentence: str
) -> None:
    await ground.ask("POST", RULES, 201, **(GOOD | change))
    found = await objection(ground.forge, ground.repo)
    assert sentence in found
    assert bool(found) == bool(sentence)


async def test_a_rewritten_history_is_a_door_where_the_forge_knows_of_it(ground: Ground) -> None:
    made = await ground.ask("POST", RULES, 201, **GOOD, enable_force_push=True)
    assert await objection(ground.forge, ground.repo) == "", "a new rule without pushes has none that rewrite"
    await ground.ask("PATCH", f"{RULES}/development", 200, enable_force_push=True)
    assert ("rewritten" in await objection(ground.forge, ground.repo)) == (ground.site.flavour == "gitea")
    assert ("enable_force_push" in made) == (ground.site.flavour == "gitea")


async def test_a_rule_changed_on_the_forge_counts_at_the_next_look(ground: Ground) -> None:
    await ground.ask("POST", RULES, 201, **GOOD)
    await ground.ask("PATCH", f"{RULES}/development", 200, required_approvals=0)
    assert "nobody's approval" in await objection(ground.forge, ground.repo)


async def test_many_rules_are_asked_for_once_and_the_one_that_names_the_trunk_counts(ground: Ground) -> None:
    await ground.ask("POST", RULES, 201, **(GOOD | {"rule_name": "*", "required_approvals": 0}))
    for number in range(54):
        await ground.ask("POST", RULES, 201, rule_name=f"topic/{number}")
    await ground.ask("POST", RULES, 201, **GOOD)
    assert len(await ground.ask("GET", f"{RULES}?limit=5", 200)) == 56
    assert await objection(ground.forge, ground.repo) == ""


async def test_a_rule_is_made_once_and_has_a_name(ground: Ground) -> None:
    await ground.ask("POST", RULES, 201, **GOOD)
    await ground.ask("POST", RULES, 403, **GOOD)
    await ground.ask("POST", RULES, 400, required_approvals=1)
    await ground.ask("POST", RULES, 422, rule_name="x", push_whitelist_usernames=["nobody1"])
    await ground.ask("GET", f"{RULES}/other", 404)


async def test_who_may_not_read_the_rules_is_told_so_and_nothing_is_followed(
    ground: Ground, ann: Somebody
) -> None:
    await ground.ask("POST", RULES, 201, **GOOD)
    assert "cannot be checked" in await objection(ann.forge, ground.repo)
    await ground.forge.add_writer(ground.repo, ann.login)
    with pytest.raises(HeroError) as caught:
        await ann.forge.branch_weaknesses(ground.repo, "development")
    assert caught.value.code == "denied"
    assert (await ann.api.get(f"/repos/{ground.repo}{RULES}")).status_code == 403


async def test_a_writer_sees_the_repository_pushes_and_administers_nothing(ground: Ground, ann: Somebody) -> None:
    with pytest.raises(HeroError) as caught:
        await ann.forge.branch(ground.repo, "development")
    assert caught.value.code == "not_found"
    for _ in range(2):
        await ground.forge.add_writer(ground.repo, ann.login)
    assert (await ann.forge.branch(ground.repo, "development")).commit == ground.head
    at = commit(ground.work, "hers")
    address = ground.site.url.replace("://", f"://{ann.login}:{ann.token}@")
    run_git(ground.work, "push", "--quiet", f"{address}/{ground.repo}.git", "HEAD:refs/heads/hers")
    assert (await ann.forge.branch(ground.repo, "hers")).commit == at
    with pytest.raises(HeroError) as caught:
        await ann.forge.add_writer(ground.repo, ann.login)
    assert caught.value.code == "denied"


async def test_a_collaborator_is_told_as_one_until_removed(ground: Ground, ann: Somebody) -> None:
    await ground.forge.add_writer(ground.repo, ann.login.upper())
    listed = await ground.ask("GET", "/collaborators", 200)
    assert [one["login"] for one in listed] == [ann.login]
    await ground.ask("GET", f"/collaborators/{ann.login}", 204)
    told = await ground.ask("GET", f"/collaborators/{ann.login}/permission", 200)
    assert told["permission"] == "write"
    await ground.ask("DELETE", f"/collaborators/{ann.login}", 204)
    await ground.ask("GET", f"/collaborators/{ann.login}", 404)
    with pytest.raises(HeroError):
        await ann.forge.branch(ground.repo, "development")


async def test_an_account_or_repository_that_is_not_there_is_named(ground: Ground) -> None:
    for repo, login in ((ground.repo, "nobody1"), (f"{ground.repo}x", "mik")):
        with pytest.raises(HeroError) as caught:
            await ground.forge.add_writer(repo, login)
        assert caught.value.code == "not_found"
        assert repo in caught.value.message
        assert "forge_user" in caught.value.hint
    await ground.ask("PUT", "/collaborators/mik", 500, permission="everything")
