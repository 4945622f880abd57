"""The HTTP side as a forge, a proxy, a monitor and an attacker meet it: a real server on a real UNIX socket."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from backends.box.edge.inbox import Look
from backends.box.edge.receive import BODY_LIMIT
from backends.model.errors import HeroError
from backends.model.forge_calls import WebhookParams
from tests.backends.box.edge.conftest import SECONDS, Served, idle
from tests.backends.box.edge.deliveries import REPO, TEAM_REPO, encoded, form, headers, push, release

FORM = "application/x-www-form-urlencoded"
MEGABYTE = b" " * 1024 * 1024


async def test_a_signed_push_is_taken_and_handled(served: Served) -> None:
    answer = await served.send(push("topic"))
    assert (answer.status_code, answer.text) == (202, "The delivery is taken.\n")
    assert await served.looked() == Look(REPO, "topic", frozenset({"push"}), 1)
    assert served.count("taken") == 1


async def test_a_release_and_a_push_to_the_team_repo_are_taken(served: Served) -> None:
    assert (await served.send(release("development-aaaaaaaa"))).status_code == 202
    assert (await served.looked()).events == {"release"}
    assert (await served.send(push(repo=TEAM_REPO), repo=TEAM_REPO)).status_code == 202
    assert (await served.looked()).repo == TEAM_REPO


async def test_a_form_is_signed_over_its_payload(served: Served) -> None:
    content = push("föö & bar=1")
    sent = headers(served.secret(), content, kind=f"{FORM}; charset=utf-8")
    answer = await served.client.post("/hooks/forge", content=form(content), headers=sent)
    assert answer.status_code == 202
    wrong = headers(served.secret(), form(content), kind=FORM)
    assert (await served.client.post("/hooks/forge", content=form(content), headers=wrong)).status_code == 401


async def test_the_same_delivery_as_json_and_as_a_form_is_one(served: Served) -> None:
    content = push("topic")
    assert (await served.send(content)).status_code == 202
    sent = headers(served.secret(), content, kind=FORM)
    assert (await served.client.post("/hooks/forge", content=form(content), headers=sent)).status_code == 200


@pytest.mark.parametrize(
    "signature", ["0" * 64, "", "sha256=", "f" * 63, "\u0661".encode().decode("latin-1") * 32]
)
async def test_a_wrong_or_empty_signature_is_refused(served: Served, signature: str) -> None:
    content = push()
    sent = {"Content-Type": "application/json", "X-Gitea-Signature": signature.encode("latin-1")}
    answer = await served.client.post("/hooks/forge", content=content, headers=sent)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert served.looks.empty()
    assert served.count("wrong_signature") + served.count("no_signature") == 1


async def test_a_missing_signature_is_refused(served: Served) -> None:
    sent = {"Content-Type": "application/json"}
    answer = await served.client.post("/hooks/forge", content=push(), headers=sent)
    assert (answer.status_code, answer.text) == (401, "The delivery has no signature.\n")
    assert served.count("no_signature") == 1


async def test_a_signature_that_is_sent_twice_is_refused(served: Served) -> None:
    content = push()
    sent = [*headers(served.secret(), content).items(), ("X-Gitea-Signature", "0" * 64)]
    assert (await served.client.post("/hooks/forge", content=content, headers=sent)).status_code == 401


async def test_a_body_that_was_changed_is_refused(served: Served) -> None:
    sent = headers(served.secret(), push("one"))
    answer = await served.client.post("/hooks/forge", content=push("two"), headers=sent)
    assert answer.status_code == 401


async def test_a_signature_of_another_repository_is_refused(served: Served) -> None:
    assert (await served.send(push(), repo=TEAM_REPO)).status_code == 401


async def test_a_replay_under_another_delivery_id_is_a_duplicate(served: Served) -> None:
    content = push("topic")
    assert (await served.send(content)).status_code == 202
    await served.looked()
    again = await served.send(content, **{"X-Forgejo-Delivery": "another", "X-Forgejo-Event": "release"})
    assert (again.status_code, again.text) == (200, "That delivery was taken already.\n")
    await idle(served.edge.inbox)
    assert served.looks.empty()


async def test_one_that_is_delivered_twice_at_once_is_taken_once(served: Served) -> None:
    content = push("topic")
    answers = await asyncio.gather(*(served.send(content) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    await served.looked()
    await idle(served.edge.inbox)
    assert served.looks.empty()


async def test_deliveries_out_of_order_ask_for_the_same_look(served: Served) -> None:
    newer, older = push("topic", before="b" * 40, after="c" * 40), push("topic", before="a" * 40, after="b" * 40)
    for content in (newer, older):
        assert (await served.send(content)).status_code == 202
        assert (await served.looked()).branch == "topic"


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
async def test_another_content_type_is_refused(served: Served, kind: str) -> None:
    answer = await served.send(push(), **{"Content-Type": kind})
    assert answer.status_code == 415
    assert served.count("content_type") == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
async def test_a_compressed_delivery_is_refused(served: Served, encoding: str) -> None:
    content = gzip.compress(push())
    answer = await served.send(content, **{"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert served.count("encoding") == 1


async def test_a_delivery_that_says_it_is_not_compressed_is_taken(served: Served) -> None:
    assert (await served.send(push(), **{"Content-Encoding": "identity"})).status_code == 202


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
async def test_a_body_that_is_no_delivery_is_refused(served: Served, content: bytes) -> None:
    assert (await served.send(content)).status_code == 400
    assert served.count("malformed") == 1


async def test_fifty_megabytes_are_refused_by_what_they_say_of_their_length(served: Served) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(50):
            read += 1
            yield MEGABYTE

    sent = headers(served.secret(), b"") | {"Content-Length": str(50 * len(MEGABYTE))}
    answer = await served.client.post("/hooks/forge", content=body(), headers=sent)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert answer.text == "A delivery has at most 2 MiB.\n"
    assert read < 10


async def test_fifty_megabytes_in_chunks_are_refused_while_they_come(served: Served) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(50):
            read += 1
            yield MEGABYTE

    answer = await served.client.post("/hooks/forge", content=body(), headers=headers(served.secret(), b""))
    assert answer.status_code == 413
    assert read < 20
    assert served.count("too_large") == 1


async def test_a_delivery_of_just_the_limit_is_read(served: Served) -> None:
    content = push("topic")
    content += b" " * (BODY_LIMIT - len(content))
    assert (await served.send(content)).status_code == 202
    assert (await served.send(content + b" ")).status_code == 413


async def test_an_unknown_repository_is_refused_like_a_wrong_signature(served: Served) -> None:
    unknown = await served.send(push(repo="evil/repo"))
    wrong = await served.send(push(), **{"X-Gitea-Signature": "0" * 64, "X-Forgejo-Signature": "0" * 64})
    assert unknown.status_code == wrong.status_code == 401
    one = await served.send(push(repo="evil/repo"), repo="evil/other")
    two = await served.send(push(), repo="evil/other")
    assert (one.status_code, one.text, one.headers) == (two.status_code, two.text, two.headers)


async def test_a_repository_that_nothing_follows_is_thanked_and_forgotten(served: Served) -> None:
    content = push(repo="lhumina_code/gone")
    answer = await served.send(content, repo="lhumina_code/gone")
    assert (answer.status_code, answer.text) == (202, "Nothing here follows that repository.\n")
    assert served.edge.inbox.depth == 0
    assert served.count("not_followed") == 1


async def test_an_event_that_nothing_follows_is_thanked_and_forgotten(served: Served) -> None:
    answer = await served.send(encoded(REPO, action="opened", issue={"id": 1}))
    assert (answer.status_code, answer.text) == (202, "Nothing here follows that event.\n")
    assert served.count("ignored") == 1


async def test_a_disk_that_refuses_is_told_so_that_nobody_believes_it_was_taken(served: Served) -> None:
    await served.database.run(lambda db: db.execute("PRAGMA query_only=ON"))
    assert (await served.send(push())).status_code == 503
    await served.database.run(lambda db: db.execute("PRAGMA query_only=OFF"))
    assert (await served.send(push())).status_code == 202


async def test_eight_senders_lose_nothing(served: Served) -> None:
    served.gate.clear()

    async def sender(name: int) -> list[int]:
        bodies = [push(f"topic{name}", after=f"{number:040x}") for number in range(1, 26)]
        return [(await served.send(body)).status_code for body in bodies]

    answers = await asyncio.gather(*(sender(name) for name in range(8)))
    assert answers == [[202] * 25] * 8
    assert served.edge.inbox.depth == 200
    served.gate.set()
    await idle(served.edge.inbox)
    looks = [served.looks.get_nowait() for _ in range(served.looks.qsize())]
    assert {look.branch for look in looks} == {f"topic{name}" for name in range(8)}
    assert sum(look.deliveries for look in looks) == 200
    assert len(looks) <= 9


async def test_a_slow_body_is_given_up(served: Served) -> None:
    sent = headers(served.secret(), b"{}") | {"Content-Length": "2"}
    reader, writer = await asyncio.open_unix_connection(str(served.socket))
    lines = [f"{name}: {value}" for name, value in {"Host": "x", **sent}.items()]
    writer.write(("POST /hooks/forge HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n{").encode())
    async with asyncio.timeout(SECONDS):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert served.count("slow") == 1
    writer.close()


async def test_half_a_request_costs_nothing(served: Served) -> None:
    sent = headers(served.secret(), b"{}") | {"Content-Length": "2"}
    _, writer = await asyncio.open_unix_connection(str(served.socket))
    lines = [f"{name}: {value}" for name, value in {"Host": "x", **sent}.items()]
    writer.write(("POST /hooks/forge HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n{").encode())
    await writer.drain()
    writer.close()
    async with asyncio.timeout(SECONDS):
        while not served.count("cut"):
            await asyncio.sleep(0.005)
    assert (await served.send(push())).status_code == 202


async def test_refusals_are_logged_rarely_and_without_the_body(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(20):
            await served.send(push("very-private"), **{"X-Gitea-Signature": "0" * 64})
    assert len([each for each in caplog.records if "refused" in each.message]) == 1
    assert "very-private" not in caplog.text
    assert served.secret() not in caplog.text


async def test_a_webhook_over_rpc_follows_the_same_rule(served: Served) -> None:
    content = push("topic")
    params = WebhookParams(headers=headers(served.secret(), content), body=base64.b64encode(content).decode())
    found = await served.edge.receiver.handle(params)
    assert (found.status, found.message) == (202, "The delivery is taken.")
    assert (await served.edge.receiver.handle(params)).status == 200
    unsigned = params.model_copy(update={"headers": {"content-type": "application/json"}})
    assert (await served.edge.receiver.handle(unsigned)).status == 401


async def test_a_webhook_over_rpc_needs_base64(served: Served) -> None:
    with pytest.raises(HeroError) as told:
        await served.edge.receiver.handle(WebhookParams(headers={}, body="no base64!"))
    assert told.value.code == "usage"


@pytest.mark.parametrize("path", ["/", "/hooks", "/hooks/", "/hooks/forge/", "/docs", "/openapi.json", "/../etc"])
async def test_there_is_nothing_else(served: Served, path: str) -> None:
    answer = await served.client.get(path)
    assert (answer.status_code, answer.text) == (404, "There is nothing here.\n")
    assert "server" not in answer.headers


@pytest.mark.parametrize(("method", "path"), [("GET", "/hooks/forge"), ("POST", "/metrics"), ("PUT", "/healthz")])
async def test_another_method_is_refused_with_those_that_are_there(served: Served, method: str, path: str) -> None:
    answer = await served.client.request(method, path)
    assert (answer.status_code, answer.text) == (405, "That cannot be done here.\n")
    assert answer.headers["allow"]


async def test_who_accepts_json_gets_json(served: Served) -> None:
    answer = await served.client.get("/nothing", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()) == (404, {"message": "There is nothing here."})


async def test_a_healthy_box_says_so(served: Served) -> None:
    served.troubles = ["The forge\x1b[31m cannot be reached."]
    answer = await served.client.get("/healthz")
    found = answer.json()
    assert (answer.status_code, found["status"], found["box"]) == (200, "ok", "dev")
    assert found["version"]
    assert len(found["problems"]) == 1
    assert "\x1b" not in found["problems"][0]
    head = await served.client.head("/healthz")
    assert (head.status_code, head.content) == (200, b"")


async def test_a_box_that_is_not_open_is_unavailable(served: Served) -> None:
    served.is_open = False
    answer = await served.client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert (await served.client.head("/healthz")).status_code == 503


async def test_a_database_that_refuses_makes_the_box_unavailable(served: Served) -> None:
    await served.database.close()
    answer = await served.client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["problems"]


async def test_what_breaks_inside_is_told_in_a_sentence(served: Served) -> None:
    def broken() -> tuple[str, ...]:
        raise RuntimeError("secret inner life")

    served.edge._asks = served.edge._asks.__class__(
        served.edge._asks.follows, served.look, lambda: served.numbers, lambda: True, broken
    )
    answer = await served.client.get("/healthz")
    assert (answer.status_code, answer.text) == (500, "The box failed at this; its log says why.\n")


async def test_the_numbers_tell_what_became_of_the_webhooks(served: Served) -> None:
    await served.send(push())
    await served.looked()
    await served.send(push(), **{"X-Gitea-Signature": "0" * 64})
    answer = await served.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    assert 'hero_webhooks_total{outcome="taken"} 1.0' in lines
    assert 'hero_webhooks_total{outcome="no_signature"} 1.0' in lines
    assert served.secret() not in answer.text
    assert (await served.client.head("/metrics")).content == b""


async def test_a_head_of_endless_headers_is_refused(served: Served) -> None:
    reader, writer = await asyncio.open_unix_connection(str(served.socket))
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"x" * 100_000)
    async with asyncio.timeout(SECONDS):
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_the_loopback_address_answers_too(served: Served) -> None:
    http = served.edge._http
    assert http is not None
    assert http.address is not None
    assert http.address.port
    async with httpx.AsyncClient(base_url=f"http://{http.address}") as client:
        assert json.loads((await client.get("/healthz")).text)["status"] == "ok"
