"""Whether people could sign in by the forge: what it knows of the box, and what the box has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backends.doctor import web
from backends.doctor.context import Context
from tests.backends.doctor.contexts import context_in, found_by
from tests.forgejo_server.faults import Fault
from tests.forgejo_server.server import ForgejoServer, running_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForgejoServer]:
    with running_server(tmp_path / "forge") as running:
        yield running


def known_as(context: Context, client: str) -> Context:
    assert context.file
    file = context.file.model_copy(update={"web": context.file.web.model_copy(update={"oauth_client": client})})
    return replace(context, file=file)


async def state_of(context: Context) -> tuple[str, str, str]:
    (found,) = await found_by(web.CHECKS, "web.sign_in", context)
    return found.state, found.what, found.mend


async def test_without_a_forge_or_an_application_there_is_nothing_to_look_at(
    tmp_path: Path, server: ForgejoServer
) -> None:
    assert (await state_of(context_in(tmp_path)))[0] == "skipped"
    state, what, _ = await state_of(context_in(tmp_path, forge=server.url))
    assert (state, "`hero_dev web register`" in what) == ("skipped", True)
    assert server.faults.requests == []


async def test_a_secret_that_the_forge_wants_and_the_box_has_not_is_bad(
    tmp_path: Path, server: ForgejoServer
) -> None:
    context = known_as(context_in(tmp_path, forge=server.url), server.oauth.register().client)
    state, what, mend = await state_of(context)
    assert (state, what) == ("bad", "The forge wants a secret of this box, and there is none.")
    assert mend.endswith("hero_dev web register")
    context.box.web.mkdir(parents=True)
    (context.box.web / "oauth_secret").write_text("s")
    assert (await state_of(context))[0] == "ok"


async def test_a_public_application_needs_none_and_one_that_is_gone_is_bad(
    tmp_path: Path, server: ForgejoServer
) -> None:
    context = context_in(tmp_path, forge=server.url)
    assert (await state_of(known_as(context, server.oauth.register(public=True).client)))[0] == "ok"
    state, what, _ = await state_of(known_as(context, "gone"))
    assert (state, what) == ("bad", "The forge does not know the application that box.toml names.")


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=404), Fault(status=400, body=b"<html>"), None])
async def test_a_forge_that_says_nothing_of_it_says_nothing_against_it(
    tmp_path: Path, server: ForgejoServer, fault: Fault | None
) -> None:
    if fault:
        server.faults.add("POST", "access_token", fault)
    else:
        server.stop()
    assert (await state_of(known_as(context_in(tmp_path, forge=server.url), "c")))[0] == "skipped"


def test_who_may_not_see_the_secret_is_not_told_that_it_is_missing() -> None:
    assert web.judge("wants_secret", None, "").state == "skipped"
    assert web.judge("known", None, "").state == "ok"
