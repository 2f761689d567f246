"""What waits in Redis and is about a person: jobs of background workers, log entries on the way to their table.

Nothing brings it back, so it goes only after COMMIT (see `erasing`).
"""

import json
import re
from collections.abc import Callable, Iterator

import frappe
from rq import registry
from rq.exceptions import DeserializationError
from rq.job import Job

from ..sessions.coherence import register

WAITING = "insert_queue_for_"  # where frappe.deferred_insert keeps rows for their table
JOB_REGISTRIES = (
	registry.FailedJobRegistry, registry.FinishedJobRegistry, registry.DeferredJobRegistry,
	registry.ScheduledJobRegistry, registry.CanceledJobRegistry,
)  # fmt: skip


def remove(sessions: re.Pattern[str], person: re.Pattern[str]) -> tuple[int, list[str]]:
	"""Remove queued, failed and finished jobs about the sessions (one that names the person alone may be another app's
	business), and waiting log entries about either: how many, and what could not be removed."""
	removed, left = 0, []
	places: tuple[tuple[str, Callable, re.Pattern[str]], ...] = (
		("queued jobs", _remove_jobs, sessions), ("waiting log entries", _remove_waiting, person),
	)  # fmt: skip
	for place, clear, wanted in places:
		try:
			done, kept = clear(wanted)
		except register.ERRORS:
			left.append(f"{place}: Redis does not answer")
			continue
		removed += done
		left += [f"{place}: {kept} running"] if kept else []
	return removed, left


def _remove_jobs(wanted: re.Pattern[str]) -> tuple[int, int]:
	from frappe.utils.background_jobs import get_queues

	removed = running = 0
	for queue in get_queues():
		lists = [kind(queue=queue) for kind in JOB_REGISTRIES]
		ids = {*queue.job_ids, *(one for a_list in lists for one in a_list.get_job_ids())}
		for job in _about(sorted(ids), queue.connection, wanted):
			job.delete()
			removed += 1
		started = registry.StartedJobRegistry(queue=queue).get_job_ids()
		running += sum(1 for _job in _about(started, queue.connection, wanted))
	return removed, running


def _about(ids: list[str], connection, wanted: re.Pattern[str]) -> Iterator[Job]:
	"""Jobs of this site whose arguments name what is wanted. Frappe hands each job its site."""
	for job in Job.fetch_many(ids, connection=connection):
		arguments = _arguments(job) if job else {}
		if arguments.get("site") == frappe.local.site and wanted.search(_text(arguments)):
			yield job


def _arguments(job: Job) -> dict:
	"""What it was called with; nothing if it cannot be read any more (nor be run)."""
	try:
		return job.kwargs
	except DeserializationError:
		return {}


def _text(arguments: dict) -> str:
	return json.dumps(arguments, default=str, ensure_ascii=False)


def _remove_waiting(wanted: re.Pattern[str]) -> tuple[int, int]:
	here, removed = register.connection(), 0
	key = frappe.cache().make_key(f"{WAITING}Error Log")
	for waiting in here.redis.lrange(key, 0, -1):
		if wanted.search(json.dumps(json.loads(waiting), ensure_ascii=False)):
			removed += here.redis.lrem(key, 0, waiting)
	return removed, 0
