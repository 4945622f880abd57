"""Sessions ask the API through the relay: whose pass, which key, what comes back, what is counted."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import closing

import pytest

from tests.backends.broker.made_broker import (
    DEADLINE,
    IS_ROOT,
    ONE,
    SECRET_ONE,
    SECRET_TWO,
    TWO,
    MadeBroker,
)
from tests.messages_api.server import MessagesApi, Reply

OAUTH = "sk-ant-oat01-a-token-of-claude-setup-token"


def test_the_pass_becomes_the_key_and_nothing_of_the_caller_goes_along(running: MadeBroker) -> None:
    session = running.session()
    answer = session.ask("/v1/messages?beta=true", cookie="a=b", x_forwarded_for="1.2.3.4", anthropic_version="x")
    assert answer.status == 200
    assert json.loads(answer.body)["content"][0]["text"] == "STUB-OK"
    (asked,) = running.api.asked
    assert asked.path == "/v1/messages?beta=true"
    assert asked.credential == ("x-api-key", SECRET_ONE)
    assert asked.headers["anthropic-version"] == "x"
    assert not {"cookie", "x-forwarded-for", "authorization"} & set(asked.headers)
    assert session.secret not in str(asked.headers)
    assert session.given["slot"] == ONE
    assert not session.given["oauth"]


def test_a_pass_is_taken_as_a_bearer_too(running: MadeBroker) -> None:
    session = running.session()
    assert session.ask(authorization=f"Bearer {session.secret}").status == 200
    assert running.api.asked[0].key == SECRET_ONE


def test_a_token_goes_as_a_bearer_with_the_beta_that_it_needs(broker: MadeBroker) -> None:
    broker.api.keys = {OAUTH}
    broker.start()
    broker.keep(ONE, OAUTH)
    assert broker.session().ask(anthropic_beta="tools-1,tools-2").status == 200
    (asked,) = broker.api.asked
    assert asked.credential == ("authorization", OAUTH)
    assert asked.headers["anthropic-beta"] == "tools-1,tools-2,oauth-2025-04-20"
    assert "x-api-key" not in asked.headers


def test_an_api_key_goes_without_the_beta_of_tokens(running: MadeBroker) -> None:
    running.session().ask(anthropic_beta="oauth-2025-04-20, tools-1")
    assert running.api.asked[0].headers["anthropic-beta"] == "tools-1"


def test_what_is_streamed_comes_as_it_is_said(running: MadeBroker) -> None:
    gate = threading.Event()
    running.api.script(Reply(gate=gate))
    session = running.session()
    with closing(http.client.HTTPConnection(session.host, timeout=DEADLINE)) as connection:
        session.send(connection, "/v1/messages", "POST", stream="yes")
        answer = connection.getresponse()
        assert answer.readline() == b"event: message_start\n", "before the rest is even said"
        gate.set()
        assert b"STUB-OK" in answer.read()


def test_requests_of_one_connection_are_checked_one_by_one(running: MadeBroker) -> None:
    session = running.session()
    with closing(http.client.HTTPConnection(session.host, timeout=DEADLINE)) as connection:
        session.send(connection, "/v1/messages", "POST")
        first = connection.getresponse()
        first.read()
        running.assign("sara", ONE, enabled=False)
        session.send(connection, "/v1/messages", "POST")
        second = connection.getresponse()
        assert (first.status, second.status) == (200, 403)
        assert "disabled" in json.loads(second.read())["error"]["message"]


@pytest.mark.parametrize("stream", ["", "yes"])
def test_what_was_used_is_counted_by_key_and_user(running: MadeBroker, stream: str) -> None:
    running.api.default = Reply(input_tokens=100, cached_tokens=20, output_tokens=7)
    session = running.session()
    for _ in range(2):
        session.ask(stream=stream)
    use = running.wait(
        lambda: [one for one in running.use() if one["requests"] == 2 and one["output_tokens"]], "use"
    )
    (one,) = use
    assert (one["slot"], one["user"], one["refused"]) == (ONE, "sara", 0)
    assert (one["input_tokens"], one["output_tokens"]) == (240, 14)


def test_a_rate_limit_cools_the_key_for_everybody_and_the_next_one_takes_the_request(running: MadeBroker) -> None:
    running.assign("bob", ONE)
    running.api.for_key[SECRET_ONE] = Reply(status=429, retry_after="120")
    sara = running.session()
    assert sara.ask(stream="yes").status == 200
    assert [one.key for one in running.api.asked] == [SECRET_ONE, SECRET_TWO]
    sara.ask()
    assert [one.key for one in running.api.asked][2:] == [SECRET_TWO]
    bob = running.session("bob", "bob/1")
    refused = bob.ask()
    assert refused.status == 429
    assert 100 < int(refused.headers["retry-after"]) <= 120
    assert "rate limit" in refused.sentence
    assert len(running.api.asked) == 3, "nobody asks with a key that rests"
    assert running.call("claude_key.status", user="bob")["state"] == "cooling"
    assert running.call("claude_key.status", user="sara")["key"] == TWO
    (one, two) = running.call("claude_key.list")["keys"]
    assert one["cooling_until"]
    assert not two["cooling_until"]


def test_when_all_keys_rest_the_caller_is_told_when_the_first_is_free(running: MadeBroker) -> None:
    running.api.for_key = {
        SECRET_ONE: Reply(status=429, retry_after="500"),
        SECRET_TWO: Reply(status=429, retry_after="90"),
    }
    answer = running.session().ask()
    assert answer.status == 429
    assert 80 < int(answer.headers["retry-after"]) <= 90
    assert json.loads(answer.body)["error"]["type"] == "rate_limit_error"


def test_a_key_rests_over_a_restart_too(running: MadeBroker) -> None:
    running.api.for_key[SECRET_ONE] = Reply(status=429, retry_after="500")
    session = running.session()
    session.ask()
    running.kill()
    running.start()
    assert session.ask().status == 200
    assert [one.key for one in running.api.asked][2:] == [SECRET_TWO]


def test_a_session_that_asked_for_a_key_by_name_gets_no_other(running: MadeBroker) -> None:
    running.api.for_key[SECRET_TWO] = Reply(status=429, retry_after="500")
    session = running.session(slot=TWO)
    assert session.ask().status == 429
    assert [one.key for one in running.api.asked] == [SECRET_TWO]


def test_a_key_that_the_api_refuses_is_a_problem_and_the_next_one_is_used(running: MadeBroker) -> None:
    running.api.keys = {SECRET_TWO}
    session = running.session()
    assert session.ask().status == 200
    assert session.ask().status == 200
    assert [one.key for one in running.api.asked] == [SECRET_ONE, SECRET_TWO, SECRET_TWO]
    (problem,) = [one for one in running.call("claude_key.list")["problems"] if "401" in one]
    assert ONE in problem
    running.call("claude_key.rotate", slot=ONE, secret="sk-ant-api03-fresh")
    assert not [one for one in running.call("claude_key.list")["problems"] if "401" in one]


def test_when_the_api_refuses_all_keys_the_caller_is_not_made_to_retry(running: MadeBroker) -> None:
    running.api.keys = set()
    answer = running.session().ask()
    assert answer.status == 403
    assert "An admin of the team has to rotate it" in answer.sentence
    assert running.call("claude_key.status", user="sara")["detail"].startswith("The API refused")


@pytest.mark.parametrize("status", [400, 403, 500, 529])
def test_other_errors_of_the_api_pass_as_they_are(running: MadeBroker, status: int) -> None:
    running.api.script(Reply(status=status, headers={"request-id": "req_1"}))
    answer = running.session().ask()
    assert answer.status == status
    assert answer.headers["request-id"] == "req_1"
    assert len(running.api.asked) == 1


def test_a_revoked_key_stops_at_the_next_request(running: MadeBroker) -> None:
    session = running.session()
    assert session.ask().status == 200
    running.call("claude_key.revoke", slot=ONE)
    assert session.ask().status == 200, "she has another"
    running.call("claude_key.revoke", slot=TWO)
    answer = session.ask()
    assert answer.status == 403
    assert "which the broker does not have" in answer.sentence
    assert [one.key for one in running.api.asked] == [SECRET_ONE, SECRET_TWO]


def test_a_reassigned_key_changes_at_the_next_request(running: MadeBroker) -> None:
    session = running.session()
    session.ask()
    running.assign("sara", TWO)
    session.ask()
    running.assign("sara")
    answer = session.ask()
    assert [one.key for one in running.api.asked] == [SECRET_ONE, SECRET_TWO]
    assert answer.status == 403
    assert "No org key is assigned to sara" in answer.sentence


def test_without_a_pass_or_with_a_wrong_one_nothing_reaches_the_api(running: MadeBroker) -> None:
    session = running.session()
    for _ in range(3):
        assert session.ask(x_api_key="").status == 401
        assert session.ask(x_api_key="hero-pass-guessed").status == 403
    assert not running.api.asked
    refused = [one for one in running.audited if one["kind"] == "relay.refused"]
    assert [one["sentence"].split(":")[0] for one in refused] == [
        "The request has no pass",
        "The pass is not known (any more)",
    ], "each is recorded once a minute"


@pytest.mark.skipif(not IS_ROOT, reason="only root can be another user")
def test_a_stolen_pass_is_no_use_to_another_user(running: MadeBroker) -> None:
    session = running.session()
    assert session.ask_as(65534) == 403
    assert not running.api.asked
    (line,) = [one for one in running.audited if one["kind"] == "relay.refused"]
    assert (line["uid"], line["owner"]) == (65534, "sara")
    assert session.ask().status == 200


def test_a_released_pass_is_good_no_more(running: MadeBroker) -> None:
    session = running.session()
    running.call("claude_key.release", lease=session.given["lease"])
    assert session.ask().status == 403


def test_a_session_that_is_started_again_ends_its_former_pass(running: MadeBroker) -> None:
    first, other = running.session(), running.session(name="sara/2")
    second = running.session()
    assert (first.ask().status, other.ask().status, second.ask().status) == (403, 200, 200)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v2/messages",
        "/v1/../v2/x",
        "/v1/%2e%2e/x",
        "/v1//messages",
        "/v1/messages/..",
        "/v1/a\\b",
        "http://evil.example/v1/messages",
    ],
)
def test_only_plain_paths_below_v1_reach_the_api(running: MadeBroker, path: str) -> None:
    assert running.session().ask(path).status == 404
    assert not running.api.asked


def test_other_methods_do_not_reach_the_api(running: MadeBroker) -> None:
    assert running.session().ask(method="PUT").status == 405
    assert running.session().ask("/v1/models", method="GET").status == 200


def test_a_stream_that_breaks_off_breaks_off_for_the_caller_too(running: MadeBroker) -> None:
    running.api.script(Reply(drops=True))
    session = running.session()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        session.ask(stream="yes")
    assert session.ask().status == 200
    use = running.wait(lambda: [one for one in running.use() if one["requests"] == 2], "both counted")
    assert use[0]["input_tokens"] == 20, "what had been said before counts"


def test_without_the_api_the_caller_is_told_and_may_retry(running: MadeBroker) -> None:
    running.api.stop()
    answer = running.session().ask()
    assert answer.status == 502
    assert "The box cannot reach" in answer.sentence


def test_a_caller_that_leaves_ends_the_request_at_the_api(running: MadeBroker) -> None:
    running.api.script(Reply(hangs=True))
    session = running.session()
    connection = http.client.HTTPConnection(session.host, timeout=DEADLINE)
    session.send(connection, "/v1/messages", "POST", stream="yes")
    assert connection.getresponse().readline()
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    running.wait(lambda: [one for one in running.use() if one["requests"] == 1], "its end")


def test_a_request_that_is_too_long_is_refused_before_it_is_read(running: MadeBroker) -> None:
    session = running.session()
    assert session.ask(content_length=str(65 << 20)).status == 413
    assert not running.api.asked


def test_a_long_request_goes_through_whole(running: MadeBroker) -> None:
    session = running.session()
    body = json.dumps({"model": "x", "messages": ["y" * (3 << 20)]})
    with closing(http.client.HTTPConnection(session.host, timeout=DEADLINE)) as connection:
        connection.request("POST", "/v1/messages", body, {"x-api-key": session.secret})
        assert connection.getresponse().status == 200
    assert running.api.asked[0].size == len(body)


def test_a_long_request_with_a_wrong_pass_still_sees_its_refusal(running: MadeBroker) -> None:
    session = running.session()
    with closing(http.client.HTTPConnection(session.host, timeout=DEADLINE)) as connection:
        connection.request("POST", "/v1/messages", b"y" * (3 << 20), {"x-api-key": "wrong"})
        assert connection.getresponse().status == 403


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00garbage\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 100]
)
def test_garbage_is_no_request_and_harms_nobody(running: MadeBroker, garbage: bytes) -> None:
    session = running.session()
    host, port = session.host.split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        connection.sendall(garbage + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100).startswith((b"HTTP/1.1 400", b""))
    assert session.ask().status == 200


def test_many_sessions_stream_at_the_same_time(running: MadeBroker) -> None:
    gate = threading.Event()
    running.api.default = Reply(gate=gate)
    sessions = [running.session(name=f"sara/{number}") for number in range(20)]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda one=one: statuses.append(one.ask(stream="yes").status)) for one in sessions
    ]
    for thread in threads:
        thread.start()
    running.api.wait(20)
    gate.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert statuses == [200] * 20


def test_the_port_is_the_machines_own(running: MadeBroker, api: MessagesApi) -> None:
    assert running.session().host.startswith("127.0.0.1:")
