"""Routes of who may do what to a repository: its collaborators, and the rules that protect its branches."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from tests.forgejo_server.api import ApiError, Ask
from tests.forgejo_server.state import Repository

_PERMISSIONS = ("read", "write", "admin")
_LISTS = (
    "push_whitelist_usernames", "push_whitelist_teams", "merge_whitelist_usernames", "merge_whitelist_teams",
    "approvals_whitelist_username", "approvals_whitelist_teams",
)  # fmt: skip
_GITEA_LISTS = ("force_push_allowlist_usernames", "force_push_allowlist_teams")
_SWITCHES = (
    "enable_push", "enable_push_whitelist", "push_whitelist_deploy_keys", "enable_merge_whitelist",
    "enable_status_check", "enable_approvals_whitelist", "block_on_rejected_reviews",
    "block_on_official_review_requests", "block_on_outdated_branch", "dismiss_stale_approvals",
    "ignore_stale_approvals", "require_signed_commits",
)  # fmt: skip
_GITEA_SWITCHES = (
    "enable_force_push", "enable_force_push_allowlist", "force_push_allowlist_deploy_keys",
    "block_admin_merge_override",
)  # fmt: skip
_FORGEJO_SWITCHES = ("apply_to_admins",)


def _absent() -> ApiError:
    return ApiError(404, "not found", errors=None)


def _signed_in(ask: Ask, *, admin: bool = False) -> Repository:
    """The repository, for somebody with a token: who may not see it learns nothing at all."""
    ask.repo()
    ask.need("repository")
    return ask.repo(admin=admin)


def _named(ask: Ask) -> str:
    """The account of the path. Raises ApiError 422."""
    login = ask.part("user")
    if not ask.world.knows(login):
        raise ApiError(422, f"user does not exist [uid: 0, name: {login}]")
    return login.lower()


def collaborators(ask: Ask) -> Response:
    repo = _signed_in(ask)
    return ask.page(sorted(repo.collaborators), lambda login: {"login": login})


def collaborator(ask: Ask) -> Any:
    repo = _signed_in(ask)
    if _named(ask) not in repo.collaborators:
        raise _absent()
    return 204, None


def add_collaborator(ask: Ask) -> Any:
    """An organisation is taken too; a permission that is none fails with 500 and no word."""
    repo = _signed_in(ask, admin=True)
    login = _named(ask)
    permission = ask.body.get("permission", "write")
    if permission not in _PERMISSIONS:
        raise ApiError(500)
    repo.collaborators[login] = permission
    return 204, None


def remove_collaborator(ask: Ask) -> Any:
    repo = _signed_in(ask, admin=True)
    repo.collaborators.pop(_named(ask), None)
    return 204, None


def permission(ask: Ask) -> Any:
    repo = _signed_in(ask)
    login = ask.part("user").lower()
    may = repo.collaborators.get(login, "none" if repo.private else "read")
    return {"permission": may, "role_name": may, "user": {"login": login}}


def _rule(ask: Ask, fields: dict[str, Any]) -> dict[str, Any]:
    """A rule as this flavour tells it: what it does not know is not in it."""
    gitea = ask.world.flavour == "gitea"
    switches = (*_SWITCHES, *(_GITEA_SWITCHES if gitea else _FORGEJO_SWITCHES))
    lists = (*_LISTS, *(_GITEA_LISTS if gitea else ()))
    name = fields["rule_name"]
    return {
        "branch_name": "" if set(name) & set("*?[{") else name,
        "rule_name": name,
        "required_approvals": max(0, int(fields.get("required_approvals") or 0)),
        "status_check_contexts": fields.get("status_check_contexts"),
        **{one: bool(fields.get(one)) for one in switches},
        **{one: list(fields.get(one) or ()) for one in lists},
    }


def _find(ask: Ask, repo: Repository) -> dict[str, Any]:
    found = next((one for one in repo.protections if one["rule_name"] == ask.part("rule")), None)
    if found is None:
        raise _absent()
    return found


def protections(ask: Ask) -> Response:
    """All of them, on one page and without their count."""
    repo = _signed_in(ask, admin=True)
    return JSONResponse([_rule(ask, one) for one in repo.protections])


def protect(ask: Ask) -> Any:
    repo = _signed_in(ask, admin=True)
    name = ask.body.get("rule_name") or ask.body.get("branch_name")
    if not name:
        raise ApiError(400, "both rule_name and branch_name are empty")
    if any(one["rule_name"] == name for one in repo.protections):
        raise ApiError(403, "Branch protection already exist")
    for login in ask.body.get("push_whitelist_usernames") or ():
        if not ask.world.knows(login):
            raise ApiError(422, f"user does not exist [uid: 0, name: {login}]")
    made = {**ask.body, "rule_name": str(name)}
    if not ask.body.get("enable_push"):
        # Only so in a new rule: a changed one may allow a push that rewrites, and no other.
        made |= {"enable_force_push": False, "enable_push_whitelist": False}
    repo.protections.append(made)
    return 201, _rule(ask, made)


def protection(ask: Ask) -> Any:
    return _rule(ask, _find(ask, _signed_in(ask, admin=True)))


def change_protection(ask: Ask) -> Any:
    found = _find(ask, _signed_in(ask, admin=True))
    found |= {name: value for name, value in ask.body.items() if name not in ("rule_name", "branch_name")}
    return _rule(ask, found)


def unprotect(ask: Ask) -> Any:
    repo = _signed_in(ask, admin=True)
    repo.protections.remove(_find(ask, repo))
    return 204, None
