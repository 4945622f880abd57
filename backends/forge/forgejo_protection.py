"""Whether a branch on a Forgejo or Gitea can change without a review: its rules read, and what they leave open."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from pydantic import Field

from backends.forge.forgejo_api import ForgejoApi
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_records import Record, Text, read_all
from backends.model.errors import HeroError
from backends.model.names import check_branch, check_repo
from backends.model.text import safe_line


class _Rule(Record):
    """One rule; `rule_name` is a branch's name or a glob over names, `branch_name` what older forges say."""

    rule_name: Text = ""
    branch_name: Text = ""
    enable_push: bool = False
    enable_push_whitelist: bool = False
    enable_force_push: bool = False
    enable_force_push_allowlist: bool = False
    required_approvals: int = Field(default=0)

    @property
    def name(self) -> str:
        return self.rule_name or self.branch_name


async def weaknesses(api: ForgejoApi, repo: str, branch: str) -> tuple[str, ...]:
    """Why `branch` of `repo` may change without a review, a sentence each; none where it is protected.

    Raises HeroError, `denied` where the token may not read the rules.
    """
    check_branch(branch)
    path = f"/repos/{check_repo(repo)}/branch_protections"
    try:
        # Forges give this list whole, and without the count that says so.
        answer = await api.json("GET", path)
    except HeroError as error:
        if status_of(error) not in (403, 404):
            raise
        raise HeroError(
            "denied",
            f"Whether {repo} is protected cannot be told: {error.message}",
            hint="The token's account has to administer the repository.",
            data=error.data,
        ) from None
    if not isinstance(answer, list):
        raise api.site.no_forge(f"GET {path}", "there is no list in it")
    rule = _for_branch(read_all(_Rule, answer), branch)
    if rule is None:
        return (f"{repo} has no protection for the branch {safe_line(branch, 200)}.",)
    return tuple(_open_doors(rule, safe_line(branch, 200)))


def _for_branch(rules: list[_Rule], branch: str) -> _Rule | None:
    """The rule that holds for `branch`: one that names it goes before globs, as forges do it."""
    exact = (rule for rule in rules if rule.name == branch)
    globs = (rule for rule in rules if fnmatchcase(branch, rule.name))
    return next(exact, None) or next(globs, None)


def _open_doors(rule: _Rule, branch: str) -> Iterator[str]:
    if rule.enable_push and not rule.enable_push_whitelist:
        yield f"Everybody who may write can push to {branch} directly."
    if rule.enable_force_push and not rule.enable_force_push_allowlist:
        yield f"The history of {branch} can be rewritten by a push."
    if rule.required_approvals < 1:
        yield f"A pull request into {branch} needs nobody's approval."
