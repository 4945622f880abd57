"""Routes of the server itself and of its repositories."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from tests.forgejo_server.api import ApiError, Ask
from tests.forgejo_server.state import Repository, moment

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


def show(ask: Ask, repo: Repository) -> dict[str, Any]:
    branches = repo.refs("refs/heads/")
    return {
        "id": 1,
        "full_name": repo.name,
        "name": repo.name.partition("/")[2],
        "private": repo.private,
        "archived": repo.archived,
        "empty": not branches,
        "default_branch": repo.default_branch,
        "clone_url": f"{ask.world.root_url}/{repo.name}.git",
        "html_url": f"{ask.world.root_url}/{repo.name}",
        "updated_at": moment(repo.updated),
        "release_counter": sum(not one.draft and not one.hidden for one in repo.releases),
        "branch_count": len(branches),
    }


def version(ask: Ask) -> Any:
    return {"version": ask.world.version}


def user(ask: Ask) -> Any:
    account = ask.need("user")
    return {"login": account.login, "full_name": account.login.title(), "is_admin": account.admin, "id": 1}


def settings(ask: Ask) -> Any:
    return {"max_response_items": ask.world.page_limit, "default_paging_num": 30}


def search(ask: Ask) -> Response:
    ask.allow("repository")
    seen = [one for one in ask.world.repositories.values() if ask.account or not one.private]
    word = ask.text("q").lower()
    found = [one for one in seen if word in one.name.partition("/")[2].lower()]
    newest = ask.text("order") == "desc"
    found.sort(key=lambda one: int(one.updated) if ask.text("sort") == "updated" else 0, reverse=newest)
    return ask.page(found, lambda one: show(ask, one), inside="data")


def create_in_organisation(ask: Ask) -> Any:
    ask.need("organization")
    if ask.part("org") not in ask.world.organisations:
        raise ApiError(404, "user redirect does not exist", errors=[])
    return _create(ask, ask.part("org"))


def create_own(ask: Ask) -> Any:
    ask.need("user")
    return _create(ask, ask.need("repository").login)


def _create(ask: Ask, owner: str) -> Any:
    name = ask.body.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith((".git", ".wiki")):
        raise ApiError(422, "name is invalid")
    if ask.world.find(f"{owner}/{name}"):
        raise ApiError(409, "The repository with the same name already exists.")
    branch = ask.body.get("default_branch") or "main"
    made = ask.world.create(f"{owner}/{name}", private=bool(ask.body.get("private")), default_branch=branch)
    return 201, show(ask, made)


def organisation_repositories(ask: Ask) -> Response:
    owned = [one for one in ask.world.repositories.values() if one.name.startswith(f"{ask.part('org')}/")]
    return ask.page(owned, lambda one: show(ask, one))


def get(ask: Ask) -> Any:
    return show(ask, ask.repo())


def change(ask: Ask) -> Any:
    repo = ask.repo(write=True)
    repo.default_branch = ask.body.get("default_branch") or repo.default_branch
    repo.archived = bool(ask.body.get("archived", repo.archived))
    repo.git("symbolic-ref", "HEAD", f"refs/heads/{repo.default_branch}")
    return show(ask, repo)


def remove(ask: Ask) -> Any:
    repo = ask.repo()
    ask.need("organization" if ask.world.flavour == "forgejo" else "repository")
    del ask.world.repositories[repo.name.lower()]
    return 204, None
