"""A build request's missing parts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backends.box.builds import completed
from backends.model.build_calls import BuildSubmitParams
from backends.model.errors import HeroError
from backends.model.state import CatalogueEntry, ServiceStatus, SlotStatus

CATALOGUE = (CatalogueEntry(name="hero_web", repo="lhumina_code/hero_web"),)


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
