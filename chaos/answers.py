"""The answers themselves: statuses nobody should see, calls that hang, messages never acknowledged; and the figures."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .stories import CLOCK, CUT_OFF, MESSAGES, NEVER, Entry, Message, Story, windows

OUTAGES = ("MariaDB killed", "Redis stopped, back empty", CUT_OFF, "Redis flushed")
DATABASE = "MariaDB killed"
KILLS = ("a worker killed", "all workers killed")
AROUND = 2.0  # seconds: connections break before a fault's end is logged, and a call outlives it
EXPECTED = frozenset({None, 200, 409, 423, 503})
LOST_TOKEN = "token lost with two answers in a row"


def check(entries: list[Entry], stories: dict[str, Story], run: Entry, exceptions: Counter) -> Iterator[str]:
	"""Violations in how calls were answered."""
	outages, later = windows(entries, *OUTAGES), _told(stories)
	for entry in entries:
		if "call" in entry:
			yield from _check_status(entry, stories, outages, exceptions)
			yield from _check_time(entry, run["longest_answer"])
		elif "read" in entry:
			yield from _check_read(entry, run, later)
		elif "gave_up" in entry:
			what = f"{entry['gave_up']} {entry['message_id'] or ''}".strip()
			yield f"{entry['session']}: {what} was never acknowledged, although the faults had ended"


def _check_time(entry: Entry, longest: float) -> Iterator[str]:
	took = entry["end"] - entry["start"]
	if took > longest and not entry["patience"]:
		yield f"{entry['session']}: {entry['call']} took {took:.1f} s, the bound is {longest:.0f} s"


def _check_status(
	entry: Entry, stories: dict[str, Story], outages: list[Entry], exceptions: Counter
) -> Iterator[str]:
	status, story = entry["status"], stories.get(entry["session"])
	if status == 503 and not entry["retry_after"]:
		yield f"{entry['session']}: {entry['call']} was answered 503 without Retry-After"
	if status in EXPECTED:
		return
	if status == 404 and story and _lost_its_token(story, entry):
		exceptions[LOST_TOKEN] += 1
	elif not (_is_during(entry, outages) if status == 500 else _is_answer(entry, story)):
		yield f"{entry['session']}: {entry['call']} was answered {status}: {_text(entry)}"


def _is_answer(entry: Entry, story: Story | None) -> bool:
	"""410 once the session may have been closed; 429 where credentials are locked."""
	if entry["status"] == 410:
		return any(close.start < entry["end"] for close in story.closes)
	return entry["status"] == 429 and entry["call"] == "submit_credentials"


def _is_during(entry: Entry, outages: list[Entry]) -> bool:
	return any(
		entry["start"] < outage["end"] + AROUND and outage["start"] - AROUND < entry["end"]
		for outage in outages
	)


def _lost_its_token(story: Story, entry: Entry) -> bool:
	"""A token is replaced by a proof; who loses that answer may ask once more, and loses the token with that one."""
	return any(
		message.kind == "right" and message.lost > 1 and message.first_start < entry["start"]
		for message in story.messages.values()
	)


def _text(entry: Entry) -> str:
	return ((entry["body"] or {}).get("error") or {}).get("message", "not one of the app's own answers")


def _told(stories: dict[str, Story]) -> dict[str, float]:
	"""When the first close of a session was sent."""
	return {
		story.name: min(close.start for close in story.closes) for story in stories.values() if story.closes
	}


def _check_read(entry: Entry, run: Entry, closed: dict[str, float]) -> Iterator[str]:
	took = entry["end"] - entry["start"]
	if took > run["longest_read"]:
		yield f"{entry['session']}: sessions.get took {took:.1f} s, the bound is {run['longest_read']:.0f} s"
	outcome = entry["read"]
	if outcome == "SessionClosed" and closed.get(entry["session"], entry["end"]) < entry["end"]:
		return
	if outcome not in ("memory", "database", "stale", "SessionStoreUnavailable"):
		yield f"{entry['session']}: sessions.get raised {outcome}"


def figures(entries: list[Entry], stories: dict[str, Story]) -> dict[str, Any]:
	"""Numbers for the report."""
	calls = [entry for entry in entries if "call" in entry]
	reads = [entry for entry in entries if "read" in entry]
	messages = [message for story in stories.values() for message in story.messages.values()]
	return {
		"sessions": len(stories),
		"turns acknowledged": sum(len(message.acks) > 0 for message in messages),
		"retries": sum(max(len(message.tries) - 1, 0) for message in messages),
		"reads checked": sum(len(story.seen) for story in stories.values()),
		"answers": dict(Counter(_named(entry) for entry in calls).most_common()),
		"answers 500": dict(Counter(_text(entry) for entry in calls if entry["status"] == 500)),
		"during database outages": _during_outages(calls, entries),
		"Python reads": dict(Counter(entry["read"] for entry in reads).most_common()),
		"longest silence after a kill": _longest_silence(entries, messages),
		"longest answer": _longest(call for call in calls if not call["patience"]),
		"longest Python read": _longest(reads),
	}


def _named(entry: Entry) -> str:
	return str(entry["status"] or f"none ({entry['failure']})")


def _during_outages(calls: list[Entry], entries: list[Entry]) -> dict[str, int]:
	"""What writers got while the database was away."""
	outages, counted = windows(entries, DATABASE), Counter()
	for entry in calls:
		if entry["call"] in MESSAGES and any(
			outage["start"] <= entry["end"] and entry["start"] <= outage["end"] for outage in outages
		):
			counted[_kind(entry)] += 1
	return dict(counted.most_common())


def _kind(entry: Entry) -> str:
	if entry["status"] == 503:
		return "503 with Retry-After"
	if entry["status"] == 500:
		return "500 of Frappe's own" if not entry["body"] else "500 of the app"
	return _named(entry)


def _longest_silence(entries: list[Entry], messages: list[Message]) -> float:
	"""Seconds from the kill of a worker to the acknowledgement of a message whose answer died with it."""
	kills = [entry["start"] for entry in entries if entry.get("fault") in KILLS]
	return max(
		(
			message.acknowledged_at - kill
			for kill in kills
			for message in messages
			if message.acknowledged_at < NEVER and any(_died_with(one, kill) for one in message.tries)
		),
		default=0.0,
	)


def _died_with(entry: Entry, kill: float) -> bool:
	return entry["failure"] == "ConnectionError" and entry["start"] < kill < entry["end"] + CLOCK


def _longest(entries) -> float:
	return max((entry["end"] - entry["start"] for entry in entries), default=0.0)
