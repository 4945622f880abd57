"""The rules of names.py as pydantic field types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

from backends.model.names import (
    check_branch,
    check_commit,
    check_hash,
    check_label,
    check_login,
    check_relative_path,
    check_repo,
    check_service,
    check_sha256,
)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is too far away") from None


ServiceName = Annotated[str, AfterValidator(check_service)]
BranchName = Annotated[str, AfterValidator(check_branch)]
TagName = Annotated[str, AfterValidator(check_branch)]
"""A git tag; its name follows the same rules as a branch's."""
RepoName = Annotated[str, AfterValidator(check_repo)]
Login = Annotated[str, AfterValidator(check_login)]
Commit = Annotated[str, AfterValidator(check_commit)]
CommitPrefix = Annotated[str, AfterValidator(check_hash)]
Sha256 = Annotated[str, AfterValidator(check_sha256)]
RelativePath = Annotated[str, AfterValidator(check_relative_path)]
Label = Annotated[str, AfterValidator(check_label)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its zone, kept in UTC."""
