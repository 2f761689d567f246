"""Calls of this process at the same moment, each in a thread of its own."""

import threading
from collections.abc import Callable


def together(calls: list[Callable[[], object]]) -> None:
	"""Let all go when all are ready; the first error is raised when all have ended."""
	errors: list[BaseException] = []
	barrier = threading.Barrier(len(calls))

	def run(call: Callable[[], object]) -> None:
		barrier.wait()
		try:
			call()
		except BaseException as error:
			errors.append(error)

	threads = [threading.Thread(target=run, args=(call,)) for call in calls]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	if errors:
		raise errors[0]
