"""The user's own Claude login, as its file tells it: whether it works and when it ends; its secrets stay there."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from backends.claude.private import Unreadable, read_own
from backends.model.claude import PersonalLogin
from backends.model.text import safe_line

EXPIRING = timedelta(days=3)
"""How long before its end a login is said to be expiring."""
_SCOPE = "user:inference"
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def credentials_file(home: Path) -> Path:
    """Where the program keeps the login of the user whose home this is."""
    return home / ".claude" / ".credentials.json"


def read_login(home: Path, now: datetime) -> PersonalLogin:
    """The login as its file says, without asking anybody. Never raises."""
    path = credentials_file(home)
    try:
        found = json.loads(read_own(path))
        if not isinstance(found, dict):
            raise Unreadable("it holds no object")
        oauth = found.get("claudeAiOauth")
        if oauth is None:
            return PersonalLogin(state="absent", detail=f"{path.name} has no claude.ai login")
        login = _judge(oauth, now)
    except FileNotFoundError:
        return PersonalLogin(state="absent")
    except Unreadable as why:
        return PersonalLogin(state="unreadable", detail=f"{path}: {why}")
    except (ValueError, RecursionError):
        return PersonalLogin(state="unreadable", detail=f"{path}: it is no JSON")
    if login.state == "usable" and _others_can_read(path):
        return login.model_copy(update={"detail": f"others can read it: chmod 600 {path}"})
    return login


def is_expiring(login: PersonalLogin, now: datetime) -> bool:
    """Whether the login works now and soon will not."""
    return login.state == "usable" and login.expires_at is not None and login.expires_at - now <= EXPIRING


def _judge(oauth: Any, now: datetime) -> PersonalLogin:
    """Raises Unreadable where the file says something else than a login does."""
    if not isinstance(oauth, dict):
        raise Unreadable("claudeAiOauth is no object")
    access, refresh = _text(oauth, "accessToken"), _text(oauth, "refreshToken")
    scopes = oauth.get("scopes") or []
    if not isinstance(scopes, list):
        raise Unreadable("scopes is no list")
    plan = safe_line(_text(oauth, "subscriptionType"), 40)
    ends, refresh_ends = _moment(oauth, "expiresAt"), _moment(oauth, "refreshTokenExpiresAt")
    last = refresh_ends if refresh else ends
    if not access:
        return PersonalLogin(state="expired", plan=plan, detail="it could not be refreshed")
    if _SCOPE not in scopes:
        return PersonalLogin(state="expired", plan=plan, detail=f"it lacks {_SCOPE}")
    works = ends is None or ends > now or (bool(refresh) and (refresh_ends is None or refresh_ends > now))
    return PersonalLogin(state="usable" if works else "expired", plan=plan, expires_at=last)


def _text(oauth: dict[str, Any], key: str) -> str:
    value = oauth.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"{key} is no text")
    return value


def _moment(oauth: dict[str, Any], key: str) -> datetime | None:
    """A moment in milliseconds since 1970; None where the file says none. Raises Unreadable."""
    value = oauth.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise Unreadable(f"{key} is no time")
    if value >= _LATEST.timestamp() * 1000:
        return _LATEST
    return datetime.fromtimestamp(max(value, 0) / 1000, UTC)


def _others_can_read(path: Path) -> bool:
    """Neither its own mode nor its folder's keeps others out."""
    try:
        return all(stat.S_IMODE(one.stat().st_mode) & 0o077 for one in (path, path.parent))
    except OSError:
        return False
