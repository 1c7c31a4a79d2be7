"""Prometheus metrics that every process has, and the buckets that all histograms share."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from service.vitals import Health, Vitals

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 10, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000)


def seconds(name: str, words: str, labels: tuple[str, ...] = ()) -> Histogram:
    """Return a histogram of durations; ``name`` ends with ``_seconds``."""
    return Histogram(name, words, labels, buckets=SECONDS)


def sizes(name: str, words: str, labels: tuple[str, ...] = ()) -> Histogram:
    """Return a histogram of counts."""
    return Histogram(name, words, labels, buckets=SIZES)


class VitalsCollector(Collector):
    """The vital signs of a process, with its name as label."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        """Yield what ``/health`` tells, as numbers; what is not known is left out."""
        health, stalled = self._vitals.health(), self._vitals.stalled_for()
        yield _gauge(health, "healthy", "1 when the process is well", float(health.healthy))
        words = "Seconds without progress while work waits"
        yield _gauge(health, "stalled_seconds", words, stalled)
        if health.lag is not None:
            yield _gauge(health, "lag_messages", "Messages that wait to be handled", health.lag)
        if health.newest_observed_at is not None:
            newest = health.newest_observed_at.timestamp()
            words = "Event time of the newest reading handled"
            yield _gauge(health, "newest_observed_timestamp_seconds", words, newest)
        if health.rows_total is not None:
            name, words = "cityops_process_rows", "Rows handled since the start"
            rows = CounterMetricFamily(name, words, labels=["process"])
            rows.add_metric([health.process], health.rows_total)
            yield rows


def vitals_registry(vitals: Vitals) -> CollectorRegistry:
    """Return a registry of the vital signs alone, beside the global one."""
    registry = CollectorRegistry()
    registry.register(VitalsCollector(vitals))
    return registry


def _gauge(health: Health, name: str, words: str, value: float) -> Metric:
    gauge = GaugeMetricFamily(f"cityops_process_{name}", words, labels=["process"])
    gauge.add_metric([health.process], value)
    return gauge
