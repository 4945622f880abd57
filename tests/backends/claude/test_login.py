"""A personal login is read from its file without asking anybody, and no file can do harm."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.claude.login import credentials_file, is_expiring, read_login
from backends.claude.private import SIZE_LIMIT
from backends.model.claude import PersonalLogin

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def in_ms(ahead: timedelta) -> int:
    return int((NOW + ahead).timestamp() * 1000)


SOON, PAST = in_ms(timedelta(hours=8)), in_ms(timedelta(hours=-8))
LATER = in_ms(timedelta(days=20))
GOOD: dict[str, Any] = {
    "accessToken": "access",
    "refreshToken": "refresh",
    "expiresAt": SOON,
    "refreshTokenExpiresAt": LATER,
    "scopes": ["user:inference", "user:profile"],
    "subscriptionType": "max",
}


def written(home: Path, content: bytes) -> PersonalLogin:
    file = credentials_file(home)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o600)
    return read_login(home, NOW)


def login(home: Path, **changes: Any) -> PersonalLogin:
    return written(home, json.dumps({"claudeAiOauth": {**GOOD, **changes}}).encode())


def test_a_login_is_usable_and_says_its_plan_and_end(tmp_path: Path) -> None:
    found = login(tmp_path)
    assert (found.state, found.plan) == ("usable", "max")
    assert found.expires_at == NOW + timedelta(days=20)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"expiresAt": PAST}, "usable"),
        ({"expiresAt": PAST, "refreshTokenExpiresAt": None}, "usable"),
        ({"expiresAt": PAST, "refreshTokenExpiresAt": PAST}, "expired"),
        ({"expiresAt": PAST, "refreshToken": ""}, "expired"),
        ({"expiresAt": PAST, "refreshToken": None}, "expired"),
        ({"expiresAt": None, "refreshToken": None}, "usable"),
        ({"accessToken": "", "refreshToken": "", "expiresAt": 0}, "expired"),
        ({"scopes": ["user:profile"]}, "expired"),
        ({"scopes": None}, "expired"),
        ({"expiresAt": 10**400}, "usable"),
        ({"expiresAt": "soon"}, "unreadable"),
        ({"expiresAt": True}, "unreadable"),
        ({"accessToken": 5}, "unreadable"),
        ({"scopes": "user:inference"}, "unreadable"),
    ],
)
def test_the_states_of_a_login(tmp_path: Path, changes: dict[str, Any], state: str) -> None:
    assert login(tmp_path, **changes).state == state


def test_without_a_file_there_is_no_login(tmp_path: Path) -> None:
    assert read_login(tmp_path, NOW).state == "absent"
    assert written(tmp_path, b'{"mcpOAuth": {}}').state == "absent"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[1]", b"nothing", b'{"claudeAiOauth": 3}', b"[" * 100_000, b" " * (SIZE_LIMIT + 1)],
)
def test_a_file_that_makes_no_sense_is_unreadable(tmp_path: Path, content: bytes) -> None:
    found = written(tmp_path, content)
    assert found.state == "unreadable"
    assert found.detail


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    login(tmp_path)
    file = credentials_file(tmp_path)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    found = read_login(tmp_path, NOW)
    assert (found.state, "link" in found.detail) == ("unreadable", True)


def test_a_pipe_in_its_place_does_not_hold_anybody_up(tmp_path: Path) -> None:
    credentials_file(tmp_path).parent.mkdir()
    os.mkfifo(credentials_file(tmp_path))
    assert read_login(tmp_path, NOW).state == "unreadable"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_not_taken(tmp_path: Path) -> None:
    login(tmp_path)
    os.chown(credentials_file(tmp_path), 12345, 12345)
    assert read_login(tmp_path, NOW).state == "unreadable"


def test_a_file_that_others_can_read_is_used_and_told(tmp_path: Path) -> None:
    login(tmp_path)
    credentials_file(tmp_path).chmod(0o644)
    assert read_login(tmp_path, NOW).detail == ""
    credentials_file(tmp_path).parent.chmod(0o755)
    assert "chmod 600" in read_login(tmp_path, NOW).detail


def test_no_secret_is_in_what_is_told(tmp_path: Path) -> None:
    secret = "sk-ant-oat01-secret"
    assert secret not in repr(login(tmp_path, accessToken=secret, refreshToken=secret))
    assert secret not in repr(written(tmp_path, f'{{"claudeAiOauth": {{"accessToken": {secret}'.encode()))


def test_a_login_is_expiring_three_days_before_its_end(tmp_path: Path) -> None:
    assert is_expiring(login(tmp_path, refreshTokenExpiresAt=in_ms(timedelta(days=2))), NOW)
    assert not is_expiring(login(tmp_path), NOW)
    assert not is_expiring(login(tmp_path, refreshTokenExpiresAt=None), NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), json_values))
def test_no_content_makes_it_raise(tmp_path_factory: pytest.TempPathFactory, oauth: dict[str, Any]) -> None:
    home = tmp_path_factory.mktemp("home")
    written(home, json.dumps({"claudeAiOauth": {**GOOD, **oauth}}).encode())


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    assert written(tmp_path_factory.mktemp("home"), content).state in ("unreadable", "absent")
