"""Which credential Claude Code runs on in a slot, and why: the rule alone, over what others found out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from backends.model.frozen import Frozen

Preference = Literal["auto", "personal", "org"]
CredentialKind = Literal["personal", "org", "none"]

NOBODY_PAYS = "Run `claude login` or ask an admin to assign you an org key."


class Credential(Frozen):
    """What a session runs on. `key` is the name of an org key, like ORG_CLAUDE_KEY_2; it is never the key."""

    kind: CredentialKind = "none"
    key: str = ""

    @property
    def name(self) -> str:
        """As people read it: `personal`, `org-key-2` or `none`."""
        if self.kind != "org":
            return self.kind
        return self.key.lower().replace("org_claude_key_", "org-key-").replace("_", "-")


_NONE = Credential()


class PersonalLogin(Frozen):
    """The user's own login as its file tells it. `expires_at`: when it ends by itself, where that is known."""

    state: Literal["usable", "expired", "absent", "unreadable"]
    plan: str = ""
    expires_at: AwareDatetime | None = None
    detail: str = ""


class OrgGrant(Frozen):
    """What the broker says of a user's org keys; `key` is the one that a session would get now.

    `cooling`: every assigned key waits for its rate limit, the first is free at `cooling_until`. `missing`: the
    broker has a key for none of the assigned names. `unreachable`: the broker does not answer.
    """

    state: Literal["granted", "not_assigned", "cooling", "missing", "unreachable"]
    key: str = ""
    names: tuple[str, ...] = Field(default=(), description="The assigned keys, in the order of their use.")
    cooling_until: AwareDatetime | None = None
    detail: str = ""


class ResolutionStep(Frozen):
    """One question on the way to the credential, with its answer; `taken` marks the one that decided."""

    question: str
    answer: str
    taken: bool = False


class Resolution(Frozen):
    """The credential of the next session, and each step to it. With kind `none`, `problem` and `hint` say why."""

    preference: Preference
    credential: Credential = Credential()
    steps: tuple[ResolutionStep, ...] = ()
    personal: PersonalLogin
    org: OrgGrant
    problem: str = ""
    hint: str = ""


class ClaudeProgram(Frozen):
    """The `claude` program that a slot would start; `path` is empty where there is none."""

    path: str = ""
    version: str = ""
    hint: str = ""


_LOGIN = {"absent": "there is none", "expired": "it has expired", "unreadable": "its file cannot be read"}


def resolve(preference: Preference, personal: PersonalLogin, org: OrgGrant) -> Resolution:
    """Who pays for the next session: never another payer than the one that `preference` allows.

    `auto` takes the personal login where it is usable, else the org's key. Keys that all wait for their rate limit
    are still who pays, from the moment when the first is free. A broker that does not answer makes nobody pay.
    """
    steps = [ResolutionStep(question="Which credential do you prefer?", answer=preference)]
    if preference != "org":
        usable = personal.state == "usable"
        steps.append(_step("Does your own login work?", _login_answer(personal), taken=usable))
        if usable:
            steps.append(_step("Does an org key pay?", _not_needed(org)))
            return _resolved(preference, personal, org, steps, Credential(kind="personal"))
    if preference == "personal":
        steps.append(_step("Does an org key pay?", "no: you prefer your own login"))
        problem = f"You prefer your own login, and {_LOGIN[personal.state]}."
        hint = "`hero_dev claude login` logs you in; `hero_dev claude use auto` lets an org key pay."
        return _resolved(preference, personal, org, steps, problem=problem, hint=hint)
    key = org.key or (org.names[0] if org.names else "")
    pays = org.state in ("granted", "cooling") and bool(key)
    steps.append(_step("Does an org key pay?", _org_answer(org, key), taken=pays))
    if pays:
        return _resolved(preference, personal, org, steps, Credential(kind="org", key=key))
    problem, hint = _why_no_key(preference, org)
    return _resolved(preference, personal, org, steps, problem=problem, hint=hint)


def _resolved(
    preference: Preference,
    personal: PersonalLogin,
    org: OrgGrant,
    steps: list[ResolutionStep],
    credential: Credential = _NONE,
    *,
    problem: str = "",
    hint: str = "",
) -> Resolution:
    return Resolution(
        preference=preference,
        credential=credential,
        steps=tuple(steps),
        personal=personal,
        org=org,
        problem=problem,
        hint=hint,
    )


def _step(question: str, answer: str, *, taken: bool = False) -> ResolutionStep:
    return ResolutionStep(question=question, answer=answer, taken=taken)


def _login_answer(login: PersonalLogin) -> str:
    if login.state != "usable":
        return f"no: {_LOGIN[login.state]}{_told(login.detail)}"
    plan = f", plan {login.plan}" if login.plan else ""
    ends = f", ends {_moment(login.expires_at)}" if login.expires_at else ""
    return f"yes{plan}{ends}{_told(login.detail)}"


def _org_answer(org: OrgGrant, key: str) -> str:
    name = Credential(kind="org", key=key).name
    match org.state:
        case "granted":
            return f"yes: {name}" if key else "no: the broker names none"
        case "cooling":
            until = f"; the first is free at {_moment(org.cooling_until)}" if org.cooling_until else ""
            return f"yes, {name}, but all wait for their rate limit{until}"
        case "missing":
            return f"no: the broker has none of {', '.join(org.names) or 'your keys'}{_told(org.detail)}"
        case "unreachable":
            return f"not known: the broker does not answer{_told(org.detail)}"
    return f"no: none is assigned to you{_told(org.detail)}"


def _not_needed(org: OrgGrant) -> str:
    if org.state == "unreachable":
        return "not needed; the broker of the org's keys does not answer"
    return "not needed"


def _why_no_key(preference: Preference, org: OrgGrant) -> tuple[str, str]:
    """The problem and the hint where no org key pays, and nothing else may."""
    own = " `hero_dev claude use auto` lets your own login pay." if preference == "org" else ""
    if org.state == "unreachable":
        problem = "The broker of the org's keys does not answer, so no org key can be had."
        return (
            problem,
            f"`hero_dev doctor` looks at it; `hero_dev claude login` gives you a login of your own.{own}",
        )
    if org.state == "missing":
        problem = f"The broker has no key for {', '.join(org.names) or 'the names that are assigned to you'}."
        return problem, f"An admin sets it: `hero_dev claude keys set NAME`.{own}"
    if preference == "org":
        return "You prefer an org key, and none is assigned to you.", f"Ask an admin for one.{own}"
    return NOBODY_PAYS, "`hero_dev claude login` runs the login; a key is assigned in the team repo's users/."


def _told(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
