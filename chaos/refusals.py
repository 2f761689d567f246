"""Messages refused because all attempts were used up: `submit_credentials` answers them 429, and has stored them.

The answer does not say where. The one place that fits is found in the rows: a masked message that no acknowledgement
names, answered with the very sentence of the refusal and with nothing else.
"""

from collections.abc import Iterator

from .stories import CREDENTIALS, MASKED, Entry, Story


def place(story: Story, turns: list[Entry]) -> None:
	"""Give each refused message of the session the place it was stored in, the first that fits; none if there is none."""
	taken = {message.sequence for message in story.acknowledged}
	for message in sorted(story.refused, key=lambda message: message.told_at):
		fitting = (found for found in _answered(turns, message.refusal) if found[0] not in taken)
		message.refused_at = next(fitting, None)
		if message.refused_at:
			taken.add(message.refused_at[0])


def check(story: Story, turns: list[Entry]) -> Iterator[str]:
	"""A refused message is stored masked with its refusal and nothing else, and no message with credentials twice."""
	for message in story.refused:
		if message.kind not in CREDENTIALS:
			yield f"{story.name}: “{message.said}” was refused with 429, and is no credential"
		elif message.refused_at is None:
			yield f"{story.name}: a message refused with 429 is not stored masked, with that refusal and nothing else"
	masked = sum(turn["role"] == "user" and bool(MASKED.fullmatch(turn["content"])) for turn in turns)
	sent = sum(message.kind in CREDENTIALS for message in story.messages.values())
	if masked > sent:
		yield f"{story.name}: {masked} messages with credentials are stored, {sent} were sent"


def _answered(turns: list[Entry], refusal: Entry) -> Iterator[tuple[int, int]]:
	"""Sequences of masked messages and of the answer to them, where that is the refusal alone."""
	said = refusal["body"]["error"]["message"]
	for turn in turns:
		if turn["role"] != "user" or not MASKED.fullmatch(turn["content"]):
			continue
		answers = [one for one in turns if one["role"] != "user" and one["reply_to"] == turn["sequence"]]
		if [one["content"] for one in answers] == [said]:
			yield turn["sequence"], answers[0]["sequence"]
