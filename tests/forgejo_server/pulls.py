"""Routes of pull requests: whether one can be merged is computed after it was asked for, as in the real ones."""

from __future__ import annotations

import time
from typing import Any

from starlette.responses import Response

from tests.forgejo_server.api import ApiError, Ask
from tests.forgejo_server.state import Pull, Repository


def _pull(repo: Repository, pull: Pull) -> dict[str, Any]:
    return {
        "number": pull.number,
        "state": "closed" if pull.merged or pull.closed else "open",
        "title": pull.title,
        "body": pull.body,
        "merged": pull.merged,
        "mergeable": pull.computed > 1 and not pull.merged,
        "head": {"ref": pull.head, "sha": repo.find(pull.head) or ""},
        "base": {"ref": pull.base, "sha": repo.find(pull.base) or ""},
    }


def listed(ask: Ask) -> Response:
    repo = ask.repo()
    wanted = [one for one in repo.pulls if ask.text("state") != "open" or not (one.merged or one.closed)]
    return ask.page(wanted, lambda one: _pull(repo, one))


def create(ask: Ask) -> Any:
    repo = ask.repo(write=True)
    head, base = str(ask.body.get("head", "")), str(ask.body.get("base", ""))
    if head == base:
        raise ApiError(422, "Invalid pull request: head and base are the same")
    if repo.find(head) is None or repo.find(base) is None:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    if any((one.head, one.base) == (head, base) and not one.merged for one in repo.pulls):
        raise ApiError(409, "pull request already exists for these targets")
    made = Pull(repo.next_number, head, base, str(ask.body.get("title", "")), str(ask.body.get("body", "")))
    repo.pulls.append(made)
    return 201, _pull(repo, made)


def find(ask: Ask) -> Any:
    repo = ask.repo()
    for one in repo.pulls:
        if (one.base, one.head) == (ask.part("base"), ask.part("head")) and not one.merged:
            return _pull(repo, one)
    raise ApiError(404, "The target couldn't be found.", errors=[])


def get(ask: Ask) -> Any:
    repo = ask.repo()
    found = next((one for one in repo.pulls if one.number == int(ask.part("number"))), None)
    if found is None:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    found.computed += 1
    return _pull(repo, found)


def merge(ask: Ask) -> Any:
    repo = ask.repo(write=True)
    found = next((one for one in repo.pulls if one.number == int(ask.part("number"))), None)
    if found is None:
        raise ApiError(404, "The target couldn't be found.", errors=[])
    if found.merged or found.computed < 2:
        raise ApiError(405, "Please try again later")
    if (wanted := ask.body.get("head_commit_id")) and wanted != repo.find(found.head):
        raise ApiError(409, "head out of date")
    repo.git("update-ref", f"refs/heads/{found.base}", repo.find(found.head) or "")
    found.merged = True
    repo.updated = time.time()
    return 200, None
