"""The rule of who pays: nobody but whom the preference allows, and every step is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.claude import NOBODY_PAYS, Credential, OrgGrant, PersonalLogin, Preference, resolve

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = ("ORG_CLAUDE_KEY_1", "ORG_CLAUDE_KEY_2")
USABLE = PersonalLogin(state="usable", plan="max", expires_at=NOON + timedelta(days=20))
ABSENT = PersonalLogin(state="absent")
GRANTED = OrgGrant(state="granted", key=KEYS[1], names=KEYS)
COOLING = OrgGrant(state="cooling", names=KEYS, cooling_until=NOON)
AWAY = OrgGrant(state="unreachable", detail="refused")
UNASSIGNED = OrgGrant(state="not_assigned")

logins = st.builds(
    PersonalLogin,
    state=st.sampled_from(["usable", "expired", "absent", "unreadable"]),
    plan=st.text(max_size=10),
    expires_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    detail=st.text(max_size=10),
)
grants = st.builds(
    OrgGrant,
    state=st.sampled_from(["granted", "not_assigned", "cooling", "missing", "unreachable"]),
    key=st.sampled_from(["", *KEYS]),
    names=st.sampled_from([(), KEYS[:1], KEYS]),
    cooling_until=st.none() | st.datetimes(timezones=st.just(UTC)),
    detail=st.text(max_size=10),
)
preferences: st.SearchStrategy[Preference] = st.sampled_from(["auto", "personal", "org"])


@given(preferences, logins, grants)
def test_nobody_pays_but_whom_the_preference_allows_and_who_can(
    preference: Preference, login: PersonalLogin, org: OrgGrant
) -> None:
    found = resolve(preference, login, org)
    kind = found.credential.kind
    if kind == "personal":
        assert preference != "org"
        assert login.state == "usable"
    if kind == "org":
        assert preference != "personal"
        assert org.state in ("granted", "cooling")
        assert found.credential.key in KEYS
        assert preference == "org" or login.state != "usable"
    assert bool(found.problem) == bool(found.hint) == (kind == "none")


@given(preferences, logins, grants)
def test_every_step_has_an_answer_and_one_decides_where_somebody_pays(
    preference: Preference, login: PersonalLogin, org: OrgGrant
) -> None:
    found = resolve(preference, login, org)
    assert found.steps[0].answer == preference
    assert all(one.question and one.answer for one in found.steps)
    assert sum(one.taken for one in found.steps) == (found.credential.kind != "none")


@given(logins, grants)
def test_a_broker_that_is_away_never_brings_another_payer_in(login: PersonalLogin, org: OrgGrant) -> None:
    away = org.model_copy(update={"state": "unreachable"})
    assert resolve("org", login, away).credential.kind == "none"
    if login.state != "usable":
        found = resolve("auto", login, away)
        assert found.credential.kind == "none"
        assert "does not answer" in found.problem


@pytest.mark.parametrize(
    ("preference", "login", "org", "name"),
    [
        ("auto", USABLE, GRANTED, "personal"),
        ("auto", USABLE, AWAY, "personal"),
        ("auto", ABSENT, GRANTED, "org-key-2"),
        ("auto", ABSENT, COOLING, "org-key-1"),
        ("auto", ABSENT, UNASSIGNED, "none"),
        ("personal", ABSENT, GRANTED, "none"),
        ("personal", USABLE, AWAY, "personal"),
        ("org", USABLE, GRANTED, "org-key-2"),
        ("org", USABLE, UNASSIGNED, "none"),
        ("org", USABLE, AWAY, "none"),
    ],
)
def test_who_pays(preference: Preference, login: PersonalLogin, org: OrgGrant, name: str) -> None:
    assert resolve(preference, login, org).credential.name == name


def test_with_no_login_and_no_key_it_says_what_to_do() -> None:
    assert resolve("auto", ABSENT, UNASSIGNED).problem == NOBODY_PAYS


def test_a_login_that_pays_while_the_broker_is_away_says_so() -> None:
    assert resolve("auto", USABLE, AWAY).steps[-1].answer.endswith("the broker of the org's keys does not answer")


def test_keys_that_cool_down_say_when_the_first_is_free() -> None:
    (decided,) = [one for one in resolve("org", ABSENT, COOLING).steps if one.taken]
    assert "2026-11-21 12:00 UTC" in decided.answer


def test_a_grant_that_names_no_key_makes_nobody_pay() -> None:
    assert resolve("org", ABSENT, OrgGrant(state="granted")).credential == Credential()
