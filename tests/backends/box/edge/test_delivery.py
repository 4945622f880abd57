"""What a webhook's body says, whatever is in it."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.box.edge.delivery import BadDelivery, Delivery, form_payload, parse_delivery
from backends.model.names import check_branch, check_repo
from tests.backends.box.edge.deliveries import HEAD, REPO, ZEROS, encoded, form, push, release

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(
    ["refs/heads/development", "refs/tags/v1", "branch", "tag", "published", HEAD, ZEROS, "refs/heads/", ""]
)
FIELDS = ("ref", "ref_type", "before", "after", "sha", "action", "release", "pusher_type", "commits", "repository")
REPOSITORY = st.fixed_dictionaries({"full_name": st.one_of(st.just(REPO), st.text())})
RELEASE = st.fixed_dictionaries({"tag_name": st.one_of(st.just(f"development-{HEAD[:8]}"), st.text(), JSON)})


def parsed(content: bytes, hint: str = "") -> Delivery:
    delivery = parse_delivery(content, hint)
    assert delivery.digest == hashlib.sha256(content).hexdigest()
    assert delivery.repo == REPO
    return delivery


def test_a_push_tells_its_branch_and_where_it_led() -> None:
    found = parsed(push("feature/x"))
    assert (found.event, found.branch, found.tag, found.after, found.action) == (
        "push",
        "feature/x",
        None,
        HEAD,
        "",
    )


def test_a_push_of_a_new_branch_is_a_creation() -> None:
    assert parsed(push(before=ZEROS)).action == "created"


def test_a_push_that_deletes_leads_nowhere() -> None:
    found = parsed(push(after=ZEROS))
    assert (found.branch, found.after, found.action) == ("development", None, "deleted")


def test_a_push_of_a_release_tag_is_of_its_branch() -> None:
    found = parsed(encoded(REPO, ref=f"refs/tags/development-{HEAD[:8]}", before=ZEROS, after=HEAD))
    assert (found.event, found.branch, found.tag) == ("push", "development", f"development-{HEAD[:8]}")


def test_a_push_of_another_tag_is_of_no_branch() -> None:
    found = parsed(encoded(REPO, ref="refs/tags/v1", before=ZEROS, after=HEAD))
    assert (found.event, found.branch, found.tag) == ("push", None, "v1")


@pytest.mark.parametrize("ref", ["topic", "refs/heads/topic"])
def test_a_created_branch_is_told_by_both_forges(ref: str) -> None:
    found = parsed(encoded(REPO, ref=ref, ref_type="branch", sha=HEAD))
    assert (found.event, found.branch, found.after) == ("create", "topic", HEAD)


def test_a_deleted_branch_is_known_by_its_shape() -> None:
    found = parsed(encoded(REPO, ref="topic", ref_type="branch", pusher_type="user"), hint="push")
    assert (found.event, found.branch) == ("delete", "topic")


def test_a_header_decides_only_what_the_body_leaves_open() -> None:
    body = encoded(REPO, ref="v1", ref_type="tag")
    assert parsed(body, hint="delete").event == "delete"
    assert parsed(body).event == "create"
    assert parsed(push(), hint="release").event == "push"


@pytest.mark.parametrize("action", ["published", "updated", "deleted"])
def test_a_release_is_of_the_branch_that_its_tag_names(action: str) -> None:
    found = parsed(release(f"feature/x-{HEAD[:8]}", action=action))
    assert (found.event, found.branch, found.action) == ("release", "feature/x", action)


@pytest.mark.parametrize(
    "body",
    [
        encoded(REPO, action="opened", number=3, pull_request={"id": 3}),
        encoded(REPO, action="prereleased", release={"tag_name": "v1"}),
        encoded(REPO, ref="refs/pull/3/head", before=ZEROS, after=HEAD),
        encoded(REPO, ref="x", ref_type="note"),
        encoded(REPO, zen="Keep it small."),
        push("with space"),
        push("-rf"),
        push("a\u202eb"),
        push("a\x1b[31m"),
        push("x" * 300),
        push("../up"),
        push(""),
        release(""),
    ],
)
def test_what_nothing_follows_is_ignored(body: bytes) -> None:
    found = parsed(body)
    assert (found.event, found.branch, found.tag) == ("ignored", None, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"7",
        b"{",
        b"\xff\xfe{}",
        b'{"repository": {}}',
        b'{"repository": []}',
        b'{"repository": {"full_name": 7}}',
        b'{"repository": {"full_name": "../etc"}}',
        b'{"repository": {"full_name": "a/b/c"}}',
        b'{"repository": {"full_name": "a/\\u001b[31m"}}',
        encoded(REPO, ref=7, after=HEAD),
        encoded(REPO, ref="refs/heads/x", after={"id": 1}),
        encoded(REPO, release="v1", action="published"),
        encoded(REPO, release={"tag_name": ["v1"]}, action="published"),
        b"[" * 100_000,
        b'{"repository":' * 50_000,
        b'{"n": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_delivery_is_refused_with_a_sentence(body: bytes) -> None:
    with pytest.raises(BadDelivery) as told:
        parse_delivery(body)
    assert told.value.message.endswith((".", "`"))
    assert told.value.message.isprintable()
    assert len(told.value.message) < 400


def test_fields_that_are_not_known_are_no_error() -> None:
    assert parsed(encoded(REPO, ref="refs/heads/x", after=HEAD, future={"a": [1]})).branch == "x"


@given(st.binary())
def test_bytes_are_a_delivery_or_refused(body: bytes) -> None:
    check(body)


@given(
    st.dictionaries(st.sampled_from(FIELDS), st.one_of(WORDS, RELEASE, REPOSITORY, JSON)),
    st.one_of(REPOSITORY, JSON),
    st.text(),
)
def test_json_is_a_delivery_or_refused(fields: dict[str, Any], repository: Any, hint: str) -> None:
    check(json.dumps(fields | {"repository": repository}).encode(), hint)


def check(body: bytes, hint: str = "") -> None:
    try:
        found = parse_delivery(body, hint)
    except BadDelivery:
        return
    assert check_repo(found.repo)
    for name in (found.branch, found.tag):
        assert name is None or check_branch(name)
    assert found.after is None or set(found.after) <= set("0123456789abcdef")
    assert found.event != "ignored" or (found.branch, found.tag, found.after) == (None, None, None)


@given(st.binary())
def test_a_form_gives_its_payload_or_is_refused(body: bytes) -> None:
    with suppress(BadDelivery):
        form_payload(body)


@given(st.text())
def test_a_payload_comes_out_of_its_form_as_it_went_in(text: str) -> None:
    content = text.encode("utf-8", "replace")
    assert form_payload(form(content)) == content


@pytest.mark.parametrize("body", [b"", b"payload", b"other=1", b"payload=1&payload=2"])
def test_a_form_has_one_payload(body: bytes) -> None:
    with pytest.raises(BadDelivery):
        form_payload(body)
