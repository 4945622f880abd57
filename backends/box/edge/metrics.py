"""The box's numbers in Prometheus' words, collected the moment when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from backends.box.edge.numbers import BUCKETS, Durations, Numbers
from backends.model.state import BuildState, Drift, Health
from backends.version import VERSION

_WAITING = ("queued", "running")


class Metrics:
    """Renders what `numbers`, `hooks` (deliveries by outcome) and `inbox` (deliveries that wait) say."""

    def __init__(
        self,
        box: str,
        numbers: Callable[[], Numbers],
        hooks: Callable[[], Mapping[str, int]],
        inbox: Callable[[], int],
    ):
        self._registry = CollectorRegistry()
        self._registry.register(_BoxCollector(box, numbers, hooks, inbox))
        ProcessCollector(registry=self._registry)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """All of them in the format that `accept` (the header) prefers, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class _BoxCollector(Collector):
    def __init__(
        self,
        box: str,
        numbers: Callable[[], Numbers],
        hooks: Callable[[], Mapping[str, int]],
        inbox: Callable[[], int],
    ):
        self._box = box
        self._numbers = numbers
        self._hooks = hooks
        self._inbox = inbox

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that registering asks no number yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        now = self._numbers()
        yield InfoMetricFamily("hero_box", "The box and its version.", {"box": self._box, "version": VERSION})
        yield _counter("hero_webhooks", "Webhooks by what became of them.", "outcome", self._hooks())
        yield _gauge("hero_webhooks_waiting", "Webhooks that are taken and not yet handled.", self._inbox())
        queue = dict.fromkeys(_WAITING, 0) | dict(now.queue)
        yield _gauges("hero_builds", "Builds in the queue by state.", "state", queue)
        ended = {state: 0 for state in get_args(BuildState) if state not in _WAITING} | dict(now.builds_ended)
        yield _counter("hero_builds_ended", "Builds that ended, by how.", "state", ended)
        yield _histogram("hero_build_duration_seconds", "How long builds ran.", now.builds)
        yield _gauge("hero_slots", "Slots of the box.", now.slots)
        yield _gauge("hero_slots_online", "Slots whose daemon is there.", now.slots_online)
        health = dict.fromkeys(get_args(Health), 0) | dict(now.health)
        yield _gauges("hero_services_by_health", "Services of all slots by health.", "health", health)
        drift = dict.fromkeys(get_args(Drift), 0) | dict(now.drift)
        yield _gauges("hero_services_by_drift", "Services of all slots by drift.", "drift", drift)
        yield _gauge("hero_subscribers", "Clients that follow the box's events.", now.subscribers)
        yield _gauge("hero_event_seq", "The number of the newest event.", now.events)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family


def _counter(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family


def _histogram(name: str, text: str, durations: Durations) -> Metric:
    bounds = [*(f"{bound:g}" for bound in BUCKETS), "+Inf"]
    buckets = list(zip(bounds, map(float, accumulate(durations.counts)), strict=True))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=durations.total)
