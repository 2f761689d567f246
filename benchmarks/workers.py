"""`make scale`, or `python -m benchmarks.workers`: how many turns a second one, two and four processes store.

Each process answers turns of a conversation of its own, one after the other, as a gunicorn worker would whose bot answers
at once; database, Redis and the processes share one machine. What is created is removed.
"""

import multiprocessing
import sys
import time

from . import report, site
from .report import Figure

PROCESSES = (1, 2, 4)
SECONDS = 5
LENGTH = 100  # turns of each conversation at the beginning


def main() -> int:
	try:
		with site.connected():
			try:
				rates = {number: _rate(number) for number in PROCESSES}
			finally:
				_clean()
	except site.BenchMissing as error:
		print(error, file=sys.stderr)
		return 2
	print(report.plain(report.targets(_figures(rates))))
	return 0


def _figures(rates: dict[int, float]) -> list[Figure]:
	figures = [Figure(f"turns a second, {number} processes", rate, "/s") for number, rate in rates.items()]
	return [
		*figures,
		Figure("two processes / one", rates[2] / rates[1]),
		Figure("four processes / one", rates[4] / rates[1]),
	]


def _rate(number: int) -> float:
	context = multiprocessing.get_context("spawn")
	begin = context.Barrier(number)
	with context.Pool(number, _prepare, (begin,)) as pool:
		return sum(pool.map(_answer, range(number), chunksize=1))


_begin = None


def _prepare(begin) -> None:
	global _begin
	_begin = begin


def _answer(_number: int) -> float:
	"""Turns a second of one process."""
	with site.connected(), site.settings(messages_per_minute=10**9):
		from .histories import REPLY
		from .turn import App

		class Talking(App):
			def answer(self, turn) -> None:
				turn.session.transition("TOLD" if turn.session.state == "ASKED" else "ASKED")
				turn.reply(REPLY)

		app = Talking(LENGTH, in_memory=True)
		app.ready()
		_begin.wait()
		ends, done, begun = time.monotonic() + SECONDS, 0, time.monotonic()
		while time.monotonic() < ends:
			app.turn(f"turn-{done}")
			done += 1
		return done / (time.monotonic() - begun)


def _clean() -> None:
	from . import histories

	site.reconnect()
	histories.clean()


if __name__ == "__main__":
	sys.exit(main())
