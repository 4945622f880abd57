"""Every refusal of a forge is a sentence that says what to do, and none of them shows the token."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.forge.forgejo import Forgejo
from backends.forge.forgejo_redact import Redactor
from backends.model.errors import HeroError
from tests.backends.forge.forgejo_wire import TOKEN, URL, Answer, Wire, answer, in_turn

REPO = "lhumina_code/hero_router"
COMMIT = "a" * 40
SCOPE_FORGEJO = "token does not have at least one of required scope(s): [write:repository]"
SCOPE_GITEA = (
    "token does not have at least one of required scope(s), "
    "required=[write:repository,read:user], token scope=read:issue"
)
TOO_LARGE = "<html><head><title>413 Request Entity Too Large</title></head></html>"


async def refused(said: httpx.Response) -> HeroError:
    """The error of a POST that is answered so."""
    with pytest.raises(HeroError) as caught:
        await Wire(in_turn(said)).forge().create_hook(REPO, "u", "s")
    return caught.value


@pytest.mark.parametrize(
    ("said", "code", "message", "hint"),
    [
        (answer({"message": "no"}, 401), "denied", "does not know the token", f"{URL}/user/settings/applications"),
        (answer({"message": SCOPE_FORGEJO}, 403), "denied", "lacks the scope `write:repository`", "/applications"),
        (answer({"message": SCOPE_GITEA}, 403), "denied", "`write:repository` and `read:user`", "/applications"),
        (answer({"message": "user should be the site admin"}, 403), "denied", "should be the site admin", "right"),
        (answer({"message": "there"}, 409), "conflict", "there", "Somebody was faster"),
        (answer({"message": "quota exceeded"}, 413), "no_space", "quota", "Delete old releases"),
        (httpx.Response(413, html=TOO_LARGE), "failed", "A proxy before the forge", "limit for a body"),
        (answer({"message": "attachment exceeds limit 5"}, 413), "failed", "exceeds limit 5", "FILE_MAX_SIZE"),
        (answer({"message": "[TagName]: Required"}, 422), "usage", "[TagName]: Required", "names"),
        (answer({}, 423), "denied", "archived", "archive"),
        (answer({}, 429), "unreachable", "no more requests", "in a minute"),
        (answer({"message": ""}, 500), "unreachable", "status 500", "log"),
        (httpx.Response(502, html="<html>Bad Gateway</html>"), "unreachable", "web page", "Try again"),
        (httpx.Response(418, html="<html>I'm a teapot</html>"), "failed", "Is that a Forgejo?", "browser"),
        (answer({"message": "hm"}, 418), "failed", "status 418: hm", ""),
        (answer({"message": {"a": 1}}, 409), "conflict", "collides", ""),
        (httpx.Response(409, content=b"\xff\xfe"), "conflict", "collides", ""),
        (httpx.Response(304), "failed", "status 304", ""),
    ],
)
async def test_a_refusal_is_a_sentence(said: httpx.Response, code: str, message: str, hint: str) -> None:
    error = await refused(said)
    assert error.code == code
    assert error.data.get("status") in (said.status_code, None)
    assert message in error.message
    assert hint in error.hint


async def test_without_a_token_a_refusal_says_how_to_get_one() -> None:
    with pytest.raises(HeroError) as caught:
        await Wire(in_turn(answer({"message": "token is required"}, 401))).forge(token="").user()
    assert "there is no token" in caught.value.message
    assert "600" in caught.value.hint


async def test_what_a_forge_says_is_harmless() -> None:
    error = await refused(answer({"message": "a\x1b[2J\x1b]0;owned\x07\nb\u202ec"}, 409))
    assert str(error).replace("\n", "").isprintable()
    assert "owned" not in str(error)


def percent(text: str) -> str:
    return "".join(f"%{ord(letter):02X}" for letter in text)


HIDDEN: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "quoted": quote,
    "percent": percent,
    "percent twice": lambda token: quote(percent(token)),
    "basic": lambda token: base64.b64encode(f"{token}:".encode()).decode(),
    "basic with x-oauth-basic": lambda token: base64.b64encode(f"{token}:x-oauth-basic".encode()).decode(),
    "basic as password": lambda token: base64.b64encode(f"hero:{token}".encode()).decode(),
    "basic as password of mik": lambda token: base64.b64encode(f"mik:{token}".encode()).decode(),
    "basic as password of x": lambda token: base64.urlsafe_b64encode(f"x:{token}".encode()).decode(),
    "torn by an escape": lambda token: f"{token[:9]}\x1b[31m{token[9:]}",
}


def leaks(text: str) -> bool:
    """Whether half of the token stands in `text`, in any of the ways in which it is written."""
    heads = [form(TOKEN)[:20] for form in HIDDEN.values()] + [base64.b64encode(TOKEN.encode()).decode()[4:24]]
    return any(one.lower() in text.lower() for one in heads)


@settings(max_examples=150, deadline=None)
@given(
    before=st.text(max_size=700),
    after=st.text(max_size=50),
    form=st.sampled_from(sorted(HIDDEN)),
    status=st.sampled_from([400, 401, 403, 404, 409, 413, 418, 422, 423, 429, 500, 503]),
    web=st.booleans(),
)
def test_no_error_ever_shows_the_token(before: str, after: str, form: str, status: int, web: bool) -> None:
    text = before + " " + HIDDEN[form](TOKEN) + " " + after
    clean = text.encode(errors="replace").decode()
    said = httpx.Response(status, html=f"<p>{clean}") if web else answer({"message": clean}, status)
    error = asyncio.run(refused(said))
    assert not leaks(f"{error} {error.message} {error.hint} {error.data!r} {error!r}")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60), st.binary(max_size=9))
def test_a_token_is_found_inside_of_base64_wherever_it_begins(token: str, before: bytes) -> None:
    whole = base64.b64encode(before + token.encode() + b"!").decode()
    assert len(Redactor(token)(whole)) < len(whole)
    assert token not in Redactor(token)(f"x{token}y")


async def test_a_token_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    for token in (f"{TOKEN}\nX: y", "geheim geheim", "gehéim"):
        with pytest.raises(HeroError) as caught:
            Forgejo(URL, token)
        assert caught.value.code == "usage"
        assert token[:5] not in str(caught.value)


async def test_nothing_of_a_whole_run_shows_the_token(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Each method against a forge that repeats all headers in what it says, with all there is to log."""
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []

    def echo(status: int) -> Callable[[httpx.Request], Answer]:
        return lambda request: answer({"message": str(request.headers)}, status)

    (tmp_path / "file").write_bytes(b"content")
    for status in (200, 400, 401, 403, 404, 409, 422, 500, 503):
        forge = Wire(echo(status)).forge()
        for call in (
            forge.repositories(),
            forge.branch(REPO, "development"),
            forge.raw_file(REPO, COMMIT, "a"),
            forge.releases(REPO),
            forge.create_draft(REPO, tag="b-abcdef12", commit=COMMIT, title="", body="", author=""),
            forge.upload_asset(REPO, "1", tmp_path / "file"),
            forge.publish(REPO, "1"),
            forge.set_status(REPO, COMMIT, "success", context="c"),
            forge.hooks(REPO),
            forge.check(REPO),
            forge.user(),
            anext(forge.changes()),
        ):
            try:
                seen.append(repr(await call))
            except HeroError as error:
                seen.append(f"{error} {error.data} {error!r} {error.__cause__!r}")
        seen += [repr(forge), str(vars(forge))]
        await forge.aclose()
    assert len(seen) > 100
    assert not [text for text in [*seen, caplog.text] if leaks(text)]
