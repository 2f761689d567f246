"""Settings that the workers of these tests have."""

import pytest
import requests

from tests.callers import READ_ANEW


@pytest.fixture
def configured(workers, site):
	"""`configured(name=…)` saves Settings for the workers; what was there before comes back."""
	from assistant_session.sessions import config

	before: dict = {}

	def save(values: dict) -> None:
		settings = site.get_single(config.DOCTYPE)
		settings.update(values)
		settings.save()
		site.db.commit()
		_every_worker_reads_them(workers)

	def change(**values) -> None:
		settings = site.get_single(config.DOCTYPE)
		before.update({name: settings.get(name) for name in values if name not in before})
		save(values)

	yield change
	if before:
		save(before)
		config.forget()


def _every_worker_reads_them(workers) -> None:
	"""At once: not when what it has read is five seconds old. There are two."""
	told: set[str] = set()
	while len(told) < 2:
		told.add(requests.get(workers.url + READ_ANEW).headers["X-Worker"])
