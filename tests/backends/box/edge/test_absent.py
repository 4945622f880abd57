"""The page for a service that does not answer: whose, why, what helps; harmless whatever the names are."""

from __future__ import annotations

import httpx
import pytest

from backends.box.edge.absent import SOON, Known, Page, answer
from backends.box.edge.absent_text import render
from tests.backends.box.edge.conftest import Served
from tests.router.known import cell, known, slot


def about(user: str, short: str) -> Page:
    return answer(user, short, known())


def test_each_state_is_told_with_what_helps() -> None:
    stopped = about("alice", "slides")
    assert (stopped.status, stopped.verb, stopped.again) == (503, "hero_dev start hero_slides", 0)
    assert stopped.title == "alice's hero_slides does not answer"
    crashed = about("alice", "web")
    assert "It has crashed: exit 3; given up after 3 restarts." in crashed.sentences
    assert crashed.verb == "hero_dev logs hero_web"
    starting = about("alice", "chat")
    assert (starting.status, starting.verb, starting.again) == (503, "", SOON)
    assert "started again after exit 3" in starting.sentences[0]
    unreachable = about("alice", "mail")
    assert (unreachable.status, unreachable.again) == (503, SOON)
    assert "0660" in unreachable.sentences[0]
    assert "neither a `web` nor a `ui` socket" in about("alice", "db").sentences[0]


def test_a_service_that_is_not_bound_is_not_found_and_those_who_have_it_are_named() -> None:
    page = about("alice", "api")
    assert (page.status, page.verb) == (404, "hero_dev bind hero_api")
    assert [link.href for link in page.links] == ["/bob/api/"]


def test_a_slot_whose_daemon_is_away_is_told_as_what_was_last_known() -> None:
    page = about("bob", "api")
    assert page.sentences[0] == "bob's slot is not connected to the box; the last that it told:"
    assert page.again == 0


def test_a_service_that_is_not_enabled_says_so() -> None:
    fleet = Known("dev", (slot("alice", cell("web", "stopped", enabled=False)),), known().catalogue)
    assert answer("alice", "web", fleet).sentences[0] == "It is stopped, and not enabled."


@pytest.mark.parametrize(("user", "short"), [("../bob", "x"), ("alice", "<b>"), ("A", ""), ("alice\n", "web")])
def test_what_is_no_name_is_not_repeated(user: str, short: str) -> None:
    page = answer(user, short, known())
    assert page.status == 404
    for accept in ("text/html", "application/json", "*/*"):
        assert "<b>" not in bytes(render(page, accept).body).decode()


def test_nothing_from_outside_is_markup() -> None:
    evil = '<script>alert("x")</script>\x1b[31m'
    page = Page(503, evil, (evil,), evil, 1)
    html = bytes(render(page, "text/html").body).decode()
    assert "<script" not in html
    fleet = Known("dev", (slot("alice", cell("web", "crashed", evil)),), known().catalogue)
    text = bytes(render(answer("alice", "web", fleet), "*/*").body).decode()
    assert "\x1b" not in text


def test_no_page_shows_what_a_service_said() -> None:
    for short in ("slides", "web", "chat", "mail", "db", "api"):
        assert b"SECRET" not in bytes(render(about("alice", short), "application/json").body)


def test_a_page_may_run_and_load_nothing() -> None:
    response = render(about("alice", "chat"), "text/html")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert response.headers["retry-after"] == str(SOON)
    body = bytes(response.body).decode()
    assert f'<meta http-equiv="refresh" content="{SOON}">' in body
    assert "color-scheme:light dark" in body
    assert len(body) < 4096


async def test_the_edge_answers_what_the_router_asks(served: Served) -> None:
    said = await served.client.get("/absent", headers={"X-Hero-User": "nobody", "X-Hero-Service": "web"})
    assert (said.status_code, said.text) == (404, "There is no slot called nobody on this box.\n")
    everything = await served.client.get("/absent", headers={"Accept": "application/json"})
    assert everything.json() == {
        "message": "What runs on dev.",
        "user": "",
        "service": "",
        "state": "",
        "verb": "",
        "links": [],
    }


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/absent", "/hooks/forge"])
async def test_what_was_meant_for_a_service_gets_nothing_from_the_box(served: Served, path: str) -> None:
    answer = await served.client.request("GET", path, headers={"X-Forwarded-Prefix": "/alice/x"})
    assert (answer.status_code, answer.text) == (404, "There is nothing here.\n")


async def test_a_page_can_be_asked_for_its_head(served: Served) -> None:
    said: httpx.Response = await served.client.head("/absent")
    assert (said.status_code, said.text) == (200, "")
