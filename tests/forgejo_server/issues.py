"""Routes of issues: numbered with the pull requests, their comments given whole, an absent one's a bare 500."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from tests.forgejo_server.api import ApiError, Ask
from tests.forgejo_server.pulls import _pull
from tests.forgejo_server.state import Comment, Issue, Repository, moment

CATEGORY = "issue"


def _issue(ask: Ask, repo: Repository, issue: Issue) -> dict[str, Any]:
    return {
        "id": issue.number,
        "number": issue.number,
        "html_url": f"{ask.world.root_url}/{repo.name}/issues/{issue.number}",
        "title": issue.title,
        "body": issue.body,
        "state": "closed" if issue.closed else "open",
        "is_locked": issue.locked,
        "user": {"login": issue.author},
        "labels": [{"id": number, "name": name} for number, name in enumerate(issue.labels, 1)],
        "comments": len(issue.comments),
        "assignees": None,
        "pull_request": None,
        "created_at": moment(0),
        "updated_at": moment(0),
    }


def _comment(ask: Ask, repo: Repository, issue: Issue, comment: Comment) -> dict[str, Any]:
    page = f"{ask.world.root_url}/{repo.name}/issues/{issue.number}"
    return {
        "id": comment.id,
        "html_url": f"{page}#issuecomment-{comment.id}",
        "issue_url": page,
        "user": {"login": comment.author},
        "body": comment.body,
        "created_at": moment(comment.created),
        "updated_at": moment(comment.created),
    }


def _one(ask: Ask, repo: Repository) -> Issue | None:
    return next((one for one in repo.issues if str(one.number) == ask.part("number")), None)


def create(ask: Ask) -> Any:
    repo = ask.repo(category=CATEGORY)
    account = ask.need(CATEGORY)
    title = str(ask.body.get("title") or "")
    if not title:
        raise ApiError(422, "[Title]: Required")
    made = Issue(repo.next_number, title, str(ask.body.get("body") or ""), account.login)
    repo.issues.append(made)
    return 201, _issue(ask, repo, made)


def get(ask: Ask) -> Any:
    repo = ask.repo(category=CATEGORY)
    if found := _one(ask, repo):
        return _issue(ask, repo, found)
    pull = next((one for one in repo.pulls if str(one.number) == ask.part("number")), None)
    if pull is None:
        raise ApiError(404, "not found", errors=None)
    shown = _pull(repo, pull)
    told = {name: shown[name] for name in ("number", "state", "title", "body")}
    return {**told, "comments": 0, "pull_request": {"merged": pull.merged, "draft": False}}


def lock(ask: Ask) -> Any:
    found = _one(ask, ask.repo(write=True, category=CATEGORY))
    if found is None:
        raise ApiError(404, "not found", errors=None)
    found.locked = True
    return 204, None


def comments(ask: Ask) -> Response:
    """All of them, whatever `page` and `limit` say; an issue that is not there fails with 500 and no word."""
    repo = ask.repo(category=CATEGORY)
    found = _one(ask, repo)
    if found is None:
        raise ApiError(500)
    shown = [_comment(ask, repo, found, one) for one in found.comments]
    return JSONResponse(shown, headers={"X-Total-Count": str(len(shown))})


def comment(ask: Ask) -> Any:
    repo = ask.repo(category=CATEGORY)
    account = ask.need(CATEGORY)
    if repo.archived:
        raise ApiError(423, f"{repo.name} is archived")
    body = str(ask.body.get("body") or "")
    if not body:
        raise ApiError(422, "[Body]: Required")
    found = _one(ask, repo)
    if found is None:
        raise ApiError(500)
    if found.locked and not (account.admin or account.writer):
        raise ApiError(403, "You cannot comment on a locked issue.")
    made = Comment(next(ask.world.numbers), account.login, body)
    found.comments.append(made)
    return 201, _comment(ask, repo, found, made)
