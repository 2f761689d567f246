"""Judges a run by what clients were told and what the database holds. Shares no code with the app or Frappe.

`check` is a pure function of the log's entries and the rows; each rule returns violations as sentences. The one
documented exception to "no read is older than an acknowledged write" is known here, counted, and bounded: a write
of a worker that alone was cut off from Redis may be missed, until that write is as old as an entry of the register
lives.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import answers, refusals, trust
from .stories import CREDENTIALS, MASKED, NEVER, Cuts, Entry, Message, Seen, Story, by_session, tell

COUNTED = re.compile(r"Question (\d+): your branch will answer “(.*)” today\.")
MISSED = "write of a worker cut off from Redis missed by a read"
OLD_ROW = "message answered from a row that missed such a write"


@dataclass
class Result:
	violations: list[str] = field(default_factory=list)
	exceptions: Counter = field(default_factory=Counter)  # documented ones that were used, by kind
	figures: dict[str, Any] = field(default_factory=dict)


def check(entries: list[Entry], sessions_rows: list[Entry], turns_rows: list[Entry]) -> Result:
	"""Violations, exceptions used and figures of one run. Rows as `database.read_rows` gives them."""
	run = next(entry["run"] for entry in entries if "run" in entry)
	stories, turns = tell(entries), by_session(turns_rows)
	rows = {row["name"]: row for row in sessions_rows}
	result, cuts = Result(), Cuts(entries, run["register_ttl"])
	found = result.violations
	for story in stories.values():
		refusals.place(story, turns[story.name])
		found += refusals.check(story, turns[story.name])
		found += check_stored(story, turns[story.name])
		found += check_order(story)
		found += check_reads(story, turns[story.name], cuts, result.exceptions)
		found += trust.check(story, rows.get(story.name), run, cuts, result.exceptions)
	for name in rows.keys() | turns.keys() | stories.keys():
		found += check_row(name, rows.get(name), turns[name], stories.get(name))
		if rows.get(name, {}).get("channel") == "Bank":
			found += check_context(stories.get(name) or Story(name), turns[name], cuts, result.exceptions)
	found += _check_orphans(entries, rows, turns, stories, result.exceptions)
	found += answers.check(entries, stories, run, result.exceptions)
	result.figures = answers.figures(entries, stories)
	return result


def check_stored(story: Story, turns: list[Entry]) -> Iterator[str]:
	"""Every acknowledged message is there once, with the very replies that were given; no other more than once."""
	by_sequence = {turn["sequence"]: turn for turn in turns}
	copies = Counter(turn["content"] for turn in turns if turn["role"] == "user")
	for message in story.messages.values():
		if message.kind not in CREDENTIALS and message.kind != "question" and copies[message.said] > 1:
			yield f"{story.name}: “{message.said}” is stored {copies[message.said]} times"
		if message.acks:
			yield from _check_acknowledged(story, message, by_sequence)
	yield from _check_not_shared(story)


def _check_acknowledged(story: Story, message: Message, by_sequence: dict[int, Entry]) -> Iterator[str]:
	stored = by_sequence.get(message.sequence)
	if not message.replies:
		yield f"{story.name}: “{message.said}” was acknowledged without the chatbot's answer"
	elif stored is None or stored["role"] != "user" or not _is_kept_as(message, stored["content"]):
		yield f"{story.name}: acknowledged “{message.said}” is not stored as turn {message.sequence}"
	for ack in message.acks:
		if _said(ack["body"].get("replies") or []) != _said(message.replies):
			yield f"{story.name}: “{message.said}” was answered differently when it was repeated"
	for reply in message.replies:
		if _plain(by_sequence.get(reply["sequence"])) != _plain(reply):
			yield f"{story.name}: the answer given as turn {reply['sequence']} is not what is stored there"


def _is_kept_as(message: Message, content: str) -> bool:
	return bool(MASKED.fullmatch(content)) if message.kind in CREDENTIALS else content == message.said


def _said(replies: list[Entry]) -> list[tuple[int, str]]:
	return [(reply["sequence"], reply["content"]) for reply in replies]


def _plain(turn: Entry | None) -> tuple | None:
	return turn and (turn["sequence"], turn["role"], turn["content"], turn["reply_to"] or None)


def _check_not_shared(story: Story) -> Iterator[str]:
	"""Two messages were never given the same place."""
	places = Counter(message.sequence for message in story.told if message.sequence)
	for place, times in places.items():
		if times > 1:
			yield f"{story.name}: {times} different messages were acknowledged as turn {place}"


def check_order(story: Story) -> Iterator[str]:
	"""What was said after something had been acknowledged stands after it."""
	placed = [message for message in story.told if message.sequence]
	by_end = sorted(placed, key=lambda message: message.told_at)
	highest, before = 0, iter(by_end)
	earlier = next(before, None)
	for message in sorted(placed, key=lambda message: message.first_start):
		while earlier and earlier.told_at < message.first_start:
			highest, earlier = max(highest, earlier.sequence), next(before, None)
		if message.sequence < highest:
			yield f"{story.name}: “{message.said}” stands before a message that had been acknowledged before it was sent"


def check_row(name: str, row: Entry | None, turns: list[Entry], story: Story | None) -> Iterator[str]:
	"""A session's row and its turns fit together and hold nothing that was said elsewhere."""
	if row is None:
		yield f"{name}: the session is not in the database"
		return
	sequences = [turn["sequence"] for turn in turns]
	if sequences != list(range(1, len(turns) + 1)):
		yield f"{name}: the turns are numbered {_short(sequences)}, with a gap or twice"
	if row["turn_count"] != len(turns):
		yield f"{name}: the row counts {row['turn_count']} turns, {len(turns)} are stored"
	if story:
		yield from _check_foreign(story, turns)


def _check_foreign(story: Story, turns: list[Entry]) -> Iterator[str]:
	places = {turn["sequence"] for turn in turns if turn["role"] == "user"}
	for turn in turns:
		if turn["role"] == "user" and not _was_said(story, turn["content"]):
			yield f"{story.name}: turn {turn['sequence']} was never said in this session"
		if turn["role"] != "user" and turn["reply_to"] not in places:
			yield f"{story.name}: turn {turn['sequence']} answers nothing that is stored"


def _was_said(story: Story, content: str) -> bool:
	return any(_is_kept_as(message, content) for message in story.messages.values())


def check_context(story: Story, turns: list[Entry], cuts: Cuts, exceptions: Counter) -> Iterator[str]:
	"""The bank's bot counts in the context and quotes: a lost update or a foreign answer shows in its replies.

	Two messages answered at once from the same row, because one missed what a cut-off worker wrote, count once.
	"""
	users = {turn["sequence"]: turn["content"] for turn in turns if turn["role"] == "user"}
	counted = 0
	for turn in turns:
		if turn["role"] == "user":
			continue
		said = COUNTED.fullmatch(turn["content"])
		if not said or said[2] != users.get(turn["reply_to"]):
			yield f"{story.name}: turn {turn['sequence']} does not answer turn {turn['reply_to']}"
		elif int(said[1]) != counted + 1 and not _is_excused_answer(story, turn, cuts):
			yield f"{story.name}: turn {turn['sequence']} counts {said[1]} after {counted}: an update was lost"
		elif int(said[1]) != counted + 1:
			exceptions[OLD_ROW] += 1
		counted = int(said[1]) if said else counted


def _is_excused_answer(story: Story, turn: Entry, cuts: Cuts) -> bool:
	"""The message was sent while a write of a cut-off worker in its session might be missed, or is one itself."""
	answered = next((one for one in story.acknowledged if one.sequence == turn["reply_to"]), None)
	at = answered.first_start if answered else NEVER
	return any(
		cuts.excuse(message.tries, at) and message.first_start < (answered.acknowledged_at if answered else 0)
		for message in story.messages.values()
	)


def check_reads(story: Story, turns: list[Entry], cuts: Cuts, exceptions: Counter) -> Iterator[str]:
	"""No read shows less than was acknowledged before it began, or what is not stored."""
	by_sequence = {turn["sequence"]: turn for turn in turns}
	for seen in story.seen:
		for turn in seen.history:
			if _plain(by_sequence.get(turn["sequence"])) != _plain(turn):
				yield f"{story.name}: {seen.by} showed a turn {turn['sequence']} that is not stored"
	fresh = [seen for seen in story.seen if seen.turns is not None and not seen.stale]
	for seen in fresh:
		unseen = _unseen(story, seen)
		if unseen and all(cuts.excuse(message.tries, seen.start) for message in unseen):
			exceptions[MISSED] += 1
		elif unseen:
			yield f"{story.name}: {seen.by} showed {seen.turns} turns when {_newest(unseen)} had been acknowledged"
	yield from _check_monotonic(story, fresh)


def _unseen(story: Story, seen: Seen) -> list[Message]:
	"""Messages acknowledged, or refused and stored, before the read began that it does not show."""
	return [message for message in story.told if message.told_at < seen.start and message.last > seen.turns]


def _newest(messages: list[Message]) -> int:
	return max(message.last for message in messages)


def _check_monotonic(story: Story, fresh: list[Seen]) -> Iterator[str]:
	"""A read does not show less than one that had ended before. Missed acknowledged writes were judged already."""
	ended = sorted(fresh, key=lambda seen: seen.end)
	most, before = 0, iter(ended)
	earlier = next(before, None)
	for seen in fresh:
		while earlier and earlier.end < seen.start:
			most, earlier = max(most, earlier.turns), next(before, None)
		if seen.turns < most and not _unseen(story, seen):
			yield f"{story.name}: {seen.by} showed {seen.turns} turns after an earlier read had shown {most}"


def _check_orphans(
	entries: list[Entry], rows: dict, turns: dict, stories: dict[str, Story], exceptions: Counter
) -> Iterator[str]:
	"""A session nobody was told of comes from an open_session whose answer got lost, and is empty."""
	unknown = [name for name in rows if name not in stories]
	lost = [entry for entry in entries if entry.get("call") == "open_session" and entry["status"] != 200]
	for name in unknown:
		if turns.get(name):
			yield f"{name}: nobody was told of this session, and it has turns"
	if len(unknown) > len(lost):
		yield f"{len(unknown)} sessions nobody was told of, {len(lost)} calls of open_session without an answer"
	exceptions["session opened whose answer got lost"] += len(unknown)


def _short(sequences: list[int]) -> str:
	text = ", ".join(map(str, sequences[:20]))
	return f"{text}, …" if len(sequences) > 20 else text
