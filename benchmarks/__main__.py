"""`make bench`, or `python -m benchmarks [--quick] [--markdown]` with FRAPPE_BENCH and FRAPPE_SITE set.

Measures on a real site, in one process and one run: a full turn by this app, by naive Frappe code and by bare
statements, at four lengths of history; a validated read; worker memory. What it creates it removes. The
figures are printed beside what they should be and written to benchmarks/results/. A missed target does not
fail the run: times on a busy machine prove nothing.
"""

import argparse
import json
import signal
import sys
from datetime import datetime, timezone
from pathlib import Path

from . import report, site
from .report import Figure

LENGTHS = (10, 100, 1_000, 10_000)  # turns of history
SHORT, LONG = LENGTHS[0], LENGTHS[-1]
RESULTS = Path(__file__).resolve().parent / "results"
ROUNDS, QUICK_ROUNDS = 300, 40
UNLIMITED = 10**9


def main() -> int:
	arguments = _arguments()
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was created is removed
	try:
		with site.connected(), site.settings(memory_sessions=6000, messages_per_minute=UNLIMITED):
			measured = _measured(arguments.rounds)
	except site.BenchMissing as error:
		print(error, file=sys.stderr)
		return 2
	_show(measured, arguments.markdown)
	_write(measured)
	return 0


def _arguments() -> argparse.Namespace:
	parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure turns, reads, memory.")
	parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of turns ({ROUNDS})")
	parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds, for a first look")
	parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
	arguments = parser.parse_args()
	if arguments.quick:
		arguments.rounds = QUICK_ROUNDS
	return arguments


def _measured(rounds: int) -> dict:
	from . import histories, naive

	_say("laying out histories")
	try:
		histories.clean()
		naive.make()
		return _measure(rounds)
	finally:
		_say("removing what was created")
		site.reconnect()
		try:
			histories.clean()
		finally:
			naive.remove()


def _measure(rounds: int) -> dict:
	from . import race, reads

	contenders = _contenders()
	times = race.race(contenders, rounds, lambda number: _say(f"turns, round {number + 1} of {rounds}"))
	_check_floor(contenders)
	trips = {kind: found for (kind, length), found in race.trips(contenders).items() if length == SHORT}
	_say("reads and memory")
	conversation = contenders["warm", SHORT].conversation
	read = reads.validated(conversation, rounds * 10)
	again, weight = reads.second(conversation, max(rounds // 10, 5)), reads.weight(conversation)
	medians = race.medians(times)
	figures = [*_turn_figures(medians), *_read_figures(read, again, weight)]
	return {
		"machine": site.description(), "rounds": rounds, "medians": medians, "trips": trips, "read": read,
		"weight": weight, "figures": figures, "times": times,
	}  # fmt: skip


def _contenders() -> dict:
	"""By kind and length of history; each has a conversation of its own."""
	from .floor import Floor
	from .naive import Naive
	from .turn import App, Endpoint, Gated, answer_at_once

	answer_at_once()
	made = {}
	for length in LENGTHS:
		made["floor", length] = Floor(length)
		made["gated", length] = Gated(length, in_memory=True)
		made["naive once", length] = Naive(length, saves=1)
		made["naive each", length] = Naive(length, saves=2)
		for kind, in_memory in (("warm", True), ("cold", False)):
			made[kind, length] = App(length, in_memory=in_memory)
			made[f"endpoint {kind}", length] = Endpoint(length, in_memory=in_memory)
	return made


def _check_floor(contenders: dict) -> None:
	"""The floor is only one if it writes what the app writes: the same columns of the same rows."""
	wanted = contenders["warm", SHORT].conversation.written()
	found = contenders["floor", SHORT].conversation.written()
	if wanted != found:
		raise RuntimeError(f"the floor writes other columns than the app: {found} instead of {wanted}")


def _turn_figures(medians: dict) -> list[Figure]:
	figures = []
	for kind, target in (("cold", 1.75), ("warm", 1.55)):
		for length in LENGTHS:
			ratio = medians[kind, length] / medians["floor", length]
			figures.append(Figure(f"{report.LABELS[kind]} / floor, {length:,} turns", ratio, target=target))
	for length in LENGTHS:
		ratio = medians["gated", length] / medians["warm", length]
		figures.append(Figure(f"verified turn / one without the gate, {length:,} turns", ratio, target=1.05))
	for kind in ("cold", "warm"):
		ratio = medians[kind, LONG] / medians[kind, SHORT]
		figures.append(Figure(f"{report.LABELS[kind]}, {LONG:,} turns / {SHORT} turns", ratio, target=1.1))
	return [*figures, *_naive_figures(medians)]


def _naive_figures(medians: dict) -> list[Figure]:
	figures = []
	for naive in ("naive each", "naive once"):
		for length, target in ((10, 4), (1_000, 14)):
			for kind in ("cold", "warm"):
				ratio = medians[naive, length] / medians[kind, length]
				name = f"{report.LABELS[naive]} / {report.LABELS[kind]}, {length:,} turns"
				figures.append(Figure(name, ratio, target=target, at_least=True))
	return figures


def _read_figures(read: dict, again: float, weight: dict) -> list[Figure]:
	return [
		Figure("bare Redis GET", read["get"], "µs"),
		Figure("validated read from memory", read["read"], "µs"),
		Figure("validated read / bare GET", read["read"] / read["get"], target=1.5),
		Figure("second read in the same request", again, "µs", target=3),
		Figure("memory per cached session beyond its text", weight["beyond"], "bytes", target=1536),
		Figure(
			"without the strings' headers, reckoned as OVERHEAD_BYTES",
			weight["overhead"],
			"bytes",
			target=weight["accounted"],
		),  # memory's bound holds if it reckons at least that
	]


def _show(measured: dict, as_markdown: bool) -> None:
	table = report.markdown if as_markdown else report.plain
	print(table(report.turns(measured["medians"], measured["trips"], LENGTHS)), end="\n\n")
	print(table(report.targets(measured["figures"])), end="\n\n")
	print(f"{measured['rounds']} rounds; " + ", ".join(f"{k} {v}" for k, v in measured["machine"].items()))


def _write(measured: dict) -> None:
	RESULTS.mkdir(exist_ok=True)
	moment = datetime.now(timezone.utc)
	content = {
		"measured_at": moment.isoformat(timespec="seconds"), "machine": measured["machine"],
		"rounds": measured["rounds"], "figures": report.as_json(measured["figures"]),
		"read": measured["read"], "weight": measured["weight"], "turns": _turns_as_json(measured),
	}  # fmt: skip
	path = RESULTS / f"{moment:%Y%m%d-%H%M%S}.json"
	path.write_text(json.dumps(content, indent="\t", ensure_ascii=False) + "\n")
	print(f"written to {path}")


def _turns_as_json(measured: dict) -> list[dict]:
	"""Times in microseconds, with the tenth and ninetieth percentile."""
	rows = []
	for (kind, length), times in measured["times"].items():
		ordered = sorted(times)
		low, high = ordered[len(ordered) // 10], ordered[len(ordered) * 9 // 10]
		statements, redis = measured["trips"][kind]
		rows.append(
			{
				"contender": kind, "history": length, "median": round(measured["medians"][kind, length], 1),
				"p10": round(low, 1), "p90": round(high, 1), "sql": statements, "redis": redis,
			}
		)  # fmt: skip
	return rows


def _say(text: str) -> None:
	"""Progress, to standard error: over itself on a terminal, and otherwise only the beginnings."""
	if sys.stderr.isatty():
		print(f"\r\033[K[bench] {text}", end="\n" if text.startswith("removing") else "", file=sys.stderr)
	elif "round" not in text or ", round 1 of" in text:
		print(f"[bench] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
	sys.exit(main())
