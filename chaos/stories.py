"""The log, told per session: what was said to it, what was seen of it, and what may have happened when.

Shares no code with the app. A call that got no answer may have taken effect at any time after it was sent; a message
may have taken effect from its first try to its first acknowledgement, whatever became of the other tries.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

NEVER = float("inf")
CLOCK = 0.5  # seconds: a fault's times in the log are those of the one who caused it
CUT_OFF = "one worker cut off from Redis"
MESSAGES = ("send_message", "submit_credentials")
CREDENTIALS = ("right", "wrong", "late")  # `late`: the right ones, after all attempts were used up
MASKED = re.compile(r"[• ]+")  # how a message with credentials is kept
LOCKED = 429

Entry = dict[str, Any]


@dataclass
class Message:
	"""A text with one message_id, over all its tries."""

	message_id: str
	said: str
	kind: str
	first_start: float
	acks: list[Entry] = field(default_factory=list)  # answers with status 200, in order of their end
	tries: list[Entry] = field(default_factory=list)
	refused_at: tuple[int, int] | None = (
		None  # where a refused one and its refusal are stored (see `refusals`)
	)

	@property
	def acknowledged_at(self) -> float:
		return self.acks[0]["end"] if self.acks else NEVER

	@property
	def refusal(self) -> Entry | None:
		"""The answer that all attempts were used up, where there was no other: it is stored, too."""
		return None if self.acks else next((entry for entry in self.tries if entry["status"] == LOCKED), None)

	@property
	def told_at(self) -> float:
		"""When the person had been told that it is stored: acknowledged, or refused."""
		return self.refusal["end"] if self.refusal else self.acknowledged_at

	@property
	def lost(self) -> int:
		"""How many tries got no answer."""
		return sum(entry["status"] is None for entry in self.tries)

	@property
	def last(self) -> int:
		"""The sequence of the last turn that the first acknowledgement named, or of the refusal; 0 if there is none."""
		if self.refused_at:
			return self.refused_at[1]
		return max((reply["sequence"] for reply in self.replies), default=0)

	@property
	def replies(self) -> list[Entry]:
		return (self.acks[0]["body"].get("replies") or []) if self.acks else []

	@property
	def sequence(self) -> int | None:
		"""Where the message itself was stored, as its replies say."""
		if self.refused_at:
			return self.refused_at[0]
		return self.replies[0].get("reply_to") if self.replies else None


@dataclass(frozen=True)
class Seen:
	"""What one answer showed of a session."""

	start: float
	end: float
	turns: int | None
	authenticated: bool | None
	history: tuple[Entry, ...]
	by: str  # for the sentence
	stale: bool = False
	message_id: str | None = None


@dataclass
class Span:
	"""A call that ends something (logout, close): when it may have taken effect, and when it surely had."""

	start: float
	end: float
	acknowledged: bool
	tries: tuple[Entry, ...]


@dataclass
class Story:
	"""One session."""

	name: str
	messages: dict[str, Message] = field(default_factory=dict)
	seen: list[Seen] = field(default_factory=list)
	logouts: list[Span] = field(default_factory=list)
	closes: list[Span] = field(default_factory=list)
	gone: list[Entry] = field(default_factory=list)  # answers 404 and 410

	@property
	def acknowledged(self) -> list[Message]:
		return [message for message in self.messages.values() if message.acks]

	@property
	def refused(self) -> list[Message]:
		return [message for message in self.messages.values() if message.refusal]

	@property
	def told(self) -> list[Message]:
		"""What the person knows to be stored."""
		return self.acknowledged + self.refused

	@property
	def endings(self) -> list[Span]:
		return self.logouts + self.closes


class Cuts:
	"""The documented exception: when workers behind one address alone were cut off from Redis, and for how long what
	they wrote then may be missed by others (the life of a register entry, in seconds)."""

	def __init__(self, entries: list[Entry], register_ttl: float):
		self.faults, self.life = windows(entries, CUT_OFF), register_ttl + CLOCK

	def excuse(self, tries: Iterable[Entry], seen_at: float) -> bool:
		"""Whether one of these calls may have written unmarked, so lately that it may be missed at `seen_at`."""
		return any(self._unmarked(entry) and seen_at <= entry["end"] + self.life for entry in tries)

	def _unmarked(self, entry: Entry) -> bool:
		return any(
			entry["address"] == cut["address"]
			and entry["start"] <= cut["end"] + CLOCK
			and cut["start"] - CLOCK <= entry["end"]
			for cut in self.faults
		)


def tell(entries: list[Entry]) -> dict[str, Story]:
	"""The stories of all sessions a client was told of, by session id."""
	stories: dict[str, Story] = {}
	for entry in entries:
		if entry.get("session") and ("call" in entry or "read" in entry):
			story = stories.setdefault(entry["session"], Story(entry["session"]))
			_add(story, entry)
	for story in stories.values():
		for message in story.messages.values():
			message.acks.sort(key=lambda ack: ack["end"])
		story.seen.sort(key=lambda seen: seen.start)
	return stories


def _add(story: Story, entry: Entry) -> None:
	if "read" in entry:
		_add_read(story, entry)
		return
	if entry["call"] in MESSAGES:
		_add_message(story, entry)
	elif entry["call"] in ("logout", "close_session"):
		spans = story.logouts if entry["call"] == "logout" else story.closes
		spans.append(Span(entry["start"], _effect_end(entry), entry["status"] == 200, (entry,)))
	if entry["status"] == 200:
		story.seen.append(_seen(entry))
	elif entry["status"] in (404, 410):
		story.gone.append(entry)


def _effect_end(entry: Entry) -> float:
	return entry["end"] if entry["status"] is not None else NEVER


def _add_message(story: Story, entry: Entry) -> None:
	key = entry["message_id"]
	message = story.messages.get(key)
	if message is None:
		message = story.messages[key] = Message(key, entry["said"], entry["kind"], entry["start"])
	message.tries.append(entry)
	message.first_start = min(message.first_start, entry["start"])
	if entry["status"] == 200:
		message.acks.append(entry)


def _add_read(story: Story, entry: Entry) -> None:
	if entry["turns"] is not None:
		by, stale = f"sessions.get ({entry['read']})", entry["read"] == "stale"
		shown = entry["turns"], entry["authenticated"]
		story.seen.append(Seen(entry["start"], entry["end"], *shown, (), by, stale))


def _seen(entry: Entry) -> Seen:
	body = entry["body"] or {}
	history = tuple(body.get("history") or ())
	turns = body.get("turns")
	if turns is None and "history" in body:
		turns = max((turn["sequence"] for turn in history), default=0)
	by = f"{entry['call']} by worker {entry['worker']}"
	message_id = entry.get("message_id")
	stale = body.get("origin") == "stale"
	authenticated = body.get("authenticated")
	return Seen(entry["start"], entry["end"], turns, authenticated, history, by, stale, message_id)


def windows(entries: list[Entry], *kinds: str) -> list[Entry]:
	"""The faults of these kinds, in order."""
	return [entry for entry in entries if entry.get("fault") in kinds]


def by_session(rows: list[Entry], key: str = "session") -> dict[str, list[Entry]]:
	found = defaultdict(list)
	for row in rows:
		found[row[key]].append(row)
	return found
