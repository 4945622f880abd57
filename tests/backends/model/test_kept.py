"""A kept status is the status that it stands for, whatever is asked of it."""

from __future__ import annotations

import pytest

from backends.model.kept import compact
from backends.model.state import ServiceStatus


def status(**fields: object) -> ServiceStatus:
    known = {"service": "hero_db", "repo": "team/hero_db", "branch": "development", "from": "release"}
    return ServiceStatus.model_validate(known | {"hash": "ab" * 20, "since": "2026-11-20T10:00:00Z"} | fields)


def test_every_field_is_the_same() -> None:
    whole = status(health="crashed", pid=7, depends_on=("a", "b"))
    kept = compact(whole)
    assert all(getattr(kept, name) == getattr(whole, name) for name in ServiceStatus.model_fields)
    assert kept == whole
    assert whole == kept
    assert kept.model_dump() == whole.model_dump()
    assert hash(kept) == hash(whole)
    assert repr(kept) == repr(whole)


def test_it_is_told_apart_by_any_field() -> None:
    assert compact(status()) == compact(status())
    assert compact(status()) != compact(status(pid=8))
    assert compact(status()) != compact(status(branch="development_mik"))
    assert compact(status()).__eq__("hero_db") is not True


def test_equal_texts_are_one_object_and_what_is_kept_is_not_kept_again() -> None:
    one, other = compact(status()), compact(status(service="".join(("hero", "_db"))))
    assert one.service is other.service
    assert one.hash is other.hash
    assert compact(one) is one


def test_what_a_model_can_do_it_can() -> None:
    assert compact(status()).model_copy(update={"pid": 9}).pid == 9
    with pytest.raises(AttributeError):
        _ = compact(status()).nothing  # type: ignore[attr-defined]
