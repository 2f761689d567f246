"""When a worker brings its counts into the database: after a request or job, at most once a minute (hooks).

"assistant_session_metrics_interval": 60        # site_config.json, seconds between two flushes of a process
"""

from .. import database
from ..counters import counters
from ..sessions import config
from ..sessions.coherence import flushing
from ..sessions.coherence.memory import memory
from . import workers


def after_request() -> None:
	"""Hook of Frappe's, after every request of the site."""
	memory.forget_old()
	if _is_due():
		flush()


def after_job() -> None:
	"""Hook of Frappe's, after every job: in a process of its own, whose memory is nobody's figure."""
	if _is_due():
		flushing.flush()


def flush() -> bool:
	"""Store the counts, and publish the figures of this worker's memory; whether that went well."""
	if not flushing.flush():
		return False
	workers.publish()
	return True


def _is_due() -> bool:
	return database.is_connected() and counters.due(config.metrics_interval())
