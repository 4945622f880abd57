"""A build request's missing parts, and who may make it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from backends.box.builds import completed, login_of, require_right
from backends.model.calls import BuildSubmitParams
from backends.model.errors import HeroError
from backends.model.state import CatalogueEntry, ServiceStatus, SlotStatus
from backends.rpc.sockets import Peer

CATALOGUE = (CatalogueEntry(name="hero_web", repo="lhumina_code/hero_web"),)
NOBODY = 4_000_000_000


def slot(*cells: ServiceStatus) -> SlotStatus:
    return SlotStatus(box="b", slot="mik", services=cells, seen_at=datetime.now(UTC))


def cell(repo: str = "fork/hero_web", branch: str = "development_mik") -> ServiceStatus:
    return ServiceStatus(service="hero_web", repo=repo, branch=branch, source="build")


def ask(**given: str) -> BuildSubmitParams:
    return BuildSubmitParams(user="mik", service=given.pop("service", "hero_web"), **given)


def test_what_a_request_leaves_out_is_the_bindings() -> None:
    found = completed(ask(), slot(cell()), CATALOGUE, "development")
    assert (found.repo, found.branch) == ("fork/hero_web", "development_mik")


def test_what_is_not_bound_is_the_catalogues_on_the_trunk() -> None:
    found = completed(ask(), slot(), CATALOGUE, "development")
    assert (found.repo, found.branch) == ("lhumina_code/hero_web", "development")


def test_what_a_request_says_counts() -> None:
    found = completed(ask(repo="a/b", branch="c"), slot(cell()), CATALOGUE, "development")
    assert (found.repo, found.branch) == ("a/b", "c")


def test_a_service_that_nobody_knows_gets_the_nearest_name() -> None:
    with pytest.raises(HeroError) as caught:
        completed(ask(service="hero_wbe"), slot(), CATALOGUE, "development")
    assert caught.value.data["nearest"] == ["hero_web"]


def test_a_slot_that_is_not_there_is_named() -> None:
    with pytest.raises(HeroError, match="mik"):
        completed(ask(), None, CATALOGUE, "development")


def test_a_teammate_may_not_have_ones_slot_build_but_an_admin_may() -> None:
    stranger = Peer(1, NOBODY, NOBODY)
    with pytest.raises(HeroError) as caught:
        require_right(stranger, "mik", ())
    assert caught.value.code == "denied"
    assert require_right(stranger, "mik", {str(NOBODY)}) == str(NOBODY)
    assert require_right(stranger, str(NOBODY), ()) == str(NOBODY)


def test_who_runs_the_box_may_have_every_slot_build() -> None:
    me = Peer(1, os.getuid(), os.getgid())
    assert require_right(me, "mik", ()) == login_of(me)
