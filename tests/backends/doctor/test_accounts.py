"""Accounts that are as the team repo wants them, and those that are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.doctor.accounts import CHECKS, Person, judge, uid_table
from tests.backends.doctor.contexts import context_in, found_by

GOOD = Person("sara", 20_001, "/home/sara", in_team=True, home_owner=20_001, home_mode=0o700)


def test_an_account_that_is_as_it_should_be_has_no_fault() -> None:
    assert judge(GOOD, 20_001) == judge(GOOD, None) == []


@pytest.mark.parametrize(
    ("person", "told"),
    [
        (Person("sara"), "has no account"),
        (replace(GOOD, uid=20_002, home_owner=20_002), "has uid 20002, the table says 20001"),
        (replace(GOOD, in_team=False), "is not in the group hero-team"),
        (replace(GOOD, home_owner=None), "has no home /home/sara"),
        (replace(GOOD, home_owner=0), "does not own /home/sara (uid 0 does)"),
        (replace(GOOD, home_mode=0o755), "has a home that others can enter (/home/sara, mode 0755)"),
    ],
)
def test_each_fault_of_an_account_is_told(person: Person, told: str) -> None:
    assert judge(person, 20_001) == [told]


def test_the_uid_table_is_read_from_the_reconcilers_state() -> None:
    assert uid_table('{"users": {"sara": {"uid": 20001}, "bad": {"uid": "x"}}}') == {"sara": 20_001}


@given(st.text() | st.sampled_from(["[]", "{}", '{"users": []}', '{"users": {"a": 1}}', "null", "1"]))
def test_any_other_text_is_an_empty_table(text: str) -> None:
    assert uid_table(text) == {}


async def test_a_rootless_box_has_no_accounts_to_look_at(tmp_path: Path) -> None:
    for check in CHECKS:
        (found,) = await found_by(CHECKS, check.id, context_in(tmp_path / check.id))
        assert found.state == "skipped"


async def test_a_user_who_does_not_linger_is_named_with_what_root_must_type(tmp_path: Path) -> None:
    context = replace(context_in(tmp_path, system=True), users=("root", "no-such-user"), uid=1000)
    (found,) = await found_by(CHECKS, "accounts.linger", context)
    assert (found.state, found.what) == ("bad", "root does not linger.")
    assert found.mend == "As root: loginctl enable-linger root"
    assert found.repair is None
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger" / "root").touch()
    (found,) = await found_by(CHECKS, "accounts.linger", context)
    assert found.state == "ok"
