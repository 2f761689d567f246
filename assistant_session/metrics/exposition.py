"""All figures in the text format of Prometheus, by its own library."""

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
	CounterMetricFamily,
	GaugeMetricFamily,
	HistogramMetricFamily,
	Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from ..counters import Key
from ..sessions import config
from ..sessions.coherence.figures import BOUNDS, MEASURES, TURN_BUCKET, TURN_SECONDS, Measure
from ..sessions.tables import totals
from . import gauges, workers

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "assistant_session_"

Totals = dict[Key, float]


def text() -> bytes:
	"""The site's figures as committed now. Without Redis those of single workers are missing."""
	registry = CollectorRegistry(auto_describe=False)
	registry.register(_Collector())
	return generate_latest(registry)


class _Collector:
	"""What the library asks for every metric of the site."""

	def collect(self) -> Iterator[Metric]:
		found = totals.read()
		for measure in MEASURES:
			yield _counter(measure, found)
		yield _turn_time(found)
		yield from _gauges(gauges.read())
		yield from _memory(workers.read())

	def describe(self) -> list[Metric]:
		return []


def _counter(measure: Measure, found: Totals) -> Metric:
	labels = [measure.label] if measure.label else []
	family = CounterMetricFamily(PREFIX + measure.name, measure.text, labels=labels)
	values = dict.fromkeys(_known(measure), 0.0)
	values.update({label: value for (metric, label), value in found.items() if metric == measure.name})
	for label, value in sorted(values.items()):
		family.add_metric([label] if labels else [], value)
	return family


def _known(measure: Measure) -> tuple[str, ...]:
	if measure.label == "channel":
		return tuple(config.settings().channels)
	return measure.values if measure.label else ("",)


def _turn_time(found: Totals) -> Metric:
	counts = accumulate(found.get((TURN_BUCKET, bound), 0) for bound in BOUNDS)
	family = HistogramMetricFamily(
		PREFIX + "turn_duration_seconds",
		"From asking for a session until its message and answers were written.",
	)
	family.add_metric([], list(zip(BOUNDS, counts, strict=True)), found.get((TURN_SECONDS, ""), 0))
	return family


def _gauges(now: gauges.Now) -> Iterator[Metric]:
	overdue = {kind.replace(" ", "_"): number for kind, number in now.overdue.items()}
	yield _gauge("sessions_active", "Sessions with the status Active.", now.active, "channel")
	yield _gauge("overdue", "Rows past their time that the next job ends.", overdue, "kind")
	yield _gauge("agent_locks_held", "Agent locks held.", {"": now.held})
	yield _gauge("agent_lock_oldest_seconds", "Age of the oldest agent lock held.", {"": now.oldest_seconds})


def _memory(found: dict[str, workers.Figures] | None) -> Iterator[Metric]:
	yield _gauge("redis_up", "Whether redis_cache answered.", {"": int(found is not None)})
	shown = (found or {}).items()
	hits = CounterMetricFamily(
		PREFIX + "worker_memory_hits", "Reads answered from this worker's memory.", labels=["worker"]
	)
	misses = CounterMetricFamily(
		PREFIX + "worker_memory_misses", "Reads this worker had to ask the database for.", labels=["worker"]
	)
	for worker, figures in shown:
		hits.add_metric([worker], figures.hits)
		misses.add_metric([worker], figures.misses)
	yield from (hits, misses)
	entries, size = (
		{name: getattr(figures, kind) for name, figures in shown} for kind in ("entries", "bytes")
	)
	yield _gauge("worker_memory_entries", "Sessions in this worker's memory.", entries, "worker")
	yield _gauge("worker_memory_bytes", "Size of this worker's memory of sessions.", size, "worker")


def _gauge(name: str, help_text: str, values: Mapping[str, float], label: str | None = None) -> Metric:
	family = GaugeMetricFamily(PREFIX + name, help_text, labels=[label] if label else [])
	for value_label, value in values.items():
		family.add_metric([value_label] if label else [], value)
	return family
