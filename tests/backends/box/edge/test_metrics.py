"""The numbers, as a Prometheus reads them."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from backends.box.edge.metrics import Metrics
from backends.box.edge.numbers import BUCKETS, Durations, Numbers
from backends.version import VERSION


def read(numbers: Numbers, *, box: str = "dev") -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Each sample by its name and labels."""
    text, content_type = Metrics(box, lambda: numbers, lambda: {"taken": 3}, lambda: 2).render()
    assert content_type.startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_every_number_is_told() -> None:
    durations = Durations().with_one(0.5).with_one(45).with_one(9999)
    found = read(
        Numbers(
            queue={"queued": 4, "running": 1},
            builds_ended={"failed": 2},
            builds=durations,
            slots=3,
            slots_online=2,
            health={"healthy": 7},
            drift={"behind": 5},
            subscribers=6,
            events=1234,
        )
    )
    assert found["hero_box_info", (("box", "dev"), ("version", VERSION))] == 1
    assert found["hero_webhooks_total", (("outcome", "taken"),)] == 3
    assert found["hero_webhooks_waiting", ()] == 2
    assert found["hero_builds", (("state", "queued"),)] == 4
    assert found["hero_builds_ended_total", (("state", "failed"),)] == 2
    assert found["hero_builds_ended_total", (("state", "succeeded"),)] == 0
    assert found["hero_build_duration_seconds_count", ()] == 3
    assert found["hero_build_duration_seconds_sum", ()] == 0.5 + 45 + 9999
    assert found["hero_build_duration_seconds_bucket", (("le", "1"),)] == 1
    assert found["hero_build_duration_seconds_bucket", (("le", "60"),)] == 2
    assert found["hero_build_duration_seconds_bucket", (("le", "+Inf"),)] == 3
    assert (found["hero_slots", ()], found["hero_slots_online", ()]) == (3, 2)
    assert found["hero_services_by_health", (("health", "healthy"),)] == 7
    assert found["hero_services_by_health", (("health", "crashed"),)] == 0
    assert found["hero_services_by_drift", (("drift", "behind"),)] == 5
    assert (found["hero_subscribers", ()], found["hero_event_seq", ()]) == (6, 1234)


def test_the_process_is_told() -> None:
    found = read(Numbers())
    assert found["process_resident_memory_bytes", ()] > 1_000_000
    assert found["process_open_fds", ()] > 0


def test_two_boxes_in_one_process_do_not_mix() -> None:
    assert read(Numbers(slots=1))["hero_slots", ()] == 1
    assert read(Numbers(slots=2))["hero_slots", ()] == 2


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_whatever_a_label_says_the_text_can_be_read(word: str) -> None:
    found = read(Numbers(health={word: 7}), box=word)
    assert found["hero_services_by_health", (("health", word),)] == 7


@given(st.lists(st.floats(0, 1e6)))
def test_every_duration_is_counted_once(seconds: list[float]) -> None:
    durations = Durations()
    for each in seconds:
        durations = durations.with_one(each)
    assert sum(durations.counts) == len(seconds)
    assert math.isclose(durations.total, sum(seconds), abs_tol=1e-6)
    assert durations.counts[-1] == len([each for each in seconds if each > BUCKETS[-1]])


def test_who_asks_for_openmetrics_gets_it() -> None:
    metrics = Metrics("dev", Numbers, dict, lambda: 0)
    text, content_type = metrics.render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")
