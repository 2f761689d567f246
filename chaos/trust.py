"""Whether anybody was taken for somebody without a proof, or forgotten although they had given one.

A session may say "authenticated" only from the first try of a message with the right credentials until an
acknowledged logout or close. Once it said so it must go on saying so until a logout or close may have taken effect.
"""

from collections import Counter
from collections.abc import Iterator

from .stories import NEVER, Cuts, Entry, Message, Seen, Story

MISSED_END = "logout or close by a worker cut off from Redis missed"
MISSED_PROOF = "proof taken by a worker cut off from Redis missed"


def check(story: Story, row: Entry | None, run: Entry, cuts: Cuts, exceptions: Counter) -> Iterator[str]:
	"""Violations in the answers of one session, and in its row as it was left."""
	yield from _check_granted(story, cuts, exceptions)
	yield from _check_forgotten(story, cuts, exceptions)
	yield from _check_closed(story, cuts, exceptions)
	yield from _check_outcomes(story, run)
	yield from _check_secrets(story, run, cuts, exceptions)
	if row and row["authenticated"] and not may_be_authenticated(story, NEVER, NEVER):
		yield f"{story.name}: the row was left authenticated, and nobody had proven anything"


def may_be_authenticated(story: Story, start: float, end: float, cuts: Cuts | None = None) -> bool:
	"""Whether a proof may be in force for an answer that began at `start` and ended at `end`; with `cuts` also because
	the end of it was written by a cut-off worker and missed."""
	return any(
		message.kind == "right" and message.first_start < end and not _ended(story, message, start, cuts)
		for message in story.messages.values()
	)


def _ended(story: Story, proof: Message, start: float, cuts: Cuts | None) -> bool:
	"""Whether it surely was over before `start`: something that ends it began after it and was acknowledged."""
	return any(
		proof.acknowledged_at < ending.start and ending.end < start
		for ending in story.endings
		if ending.acknowledged and not (cuts and cuts.excuse(ending.tries, start))
	)


def _check_granted(story: Story, cuts: Cuts, exceptions: Counter) -> Iterator[str]:
	for seen in story.seen:
		if not seen.authenticated or may_be_authenticated(story, seen.start, seen.end):
			continue
		if may_be_authenticated(story, seen.start, seen.end, cuts):
			exceptions[MISSED_END] += 1
		else:
			yield f"{story.name}: {seen.by} said “authenticated”, and nobody had proven anything"


def _check_forgotten(story: Story, cuts: Cuts, exceptions: Counter) -> Iterator[str]:
	"""The latest answer that said so, before each that does not."""
	said = [
		one for one in story.seen if one.authenticated and may_be_authenticated(story, one.start, one.end)
	]
	said.sort(key=lambda one: one.end)
	proofs = [one for message in story.messages.values() if message.kind == "right" for one in message.tries]
	for seen in story.seen:
		if seen.authenticated is not False or seen.stale:
			continue
		known = next((one for one in reversed(said) if one.end < seen.start), None)
		if known is None or _may_have_ended(story, known, seen):
			continue
		if cuts.excuse(proofs, seen.start):
			exceptions[MISSED_PROOF] += 1
		else:
			yield f"{story.name}: {seen.by} did not know the person, who was authenticated and had not logged out"


def _may_have_ended(story: Story, known: Seen, seen: Seen) -> bool:
	return any(ending.start < seen.end and ending.end > known.start for ending in story.endings)


def _check_closed(story: Story, cuts: Cuts, exceptions: Counter) -> Iterator[str]:
	"""Nothing is shown or taken once the close was acknowledged (its own repetition is refused, too)."""
	closed = [close for close in story.closes if close.acknowledged]
	for seen in story.seen:
		over = [close for close in closed if close.end < seen.start]
		if over and not seen.stale and all(cuts.excuse(close.tries, seen.start) for close in over):
			exceptions[MISSED_END] += 1
		elif over and not seen.stale:
			yield f"{story.name}: {seen.by} answered after the session had been closed"


def _check_outcomes(story: Story, run: Entry) -> Iterator[str]:
	refused = 0
	for message in story.acknowledged:
		outcome = next((_outcome(ack) for ack in message.acks if _outcome(ack)), None)
		if message.kind in ("wrong", "late") and outcome == "verified":
			yield f"{story.name}: credentials that must not help were accepted ({message.kind})"
		refused += outcome == "not_matched"
	if refused > run["attempts_allowed"]:
		yield f"{story.name}: {refused} guesses were judged, {run['attempts_allowed']} are allowed"


def _outcome(ack: Entry) -> str | None:
	return (ack["body"].get("verification") or {}).get("outcome")


def _check_secrets(story: Story, run: Entry, cuts: Cuts, exceptions: Counter) -> Iterator[str]:
	"""What is for authenticated people alone was told to nobody else."""
	for message in story.acknowledged:
		told = " ".join(reply["content"] for reply in message.replies)
		when = message.first_start, message.acknowledged_at
		if not any(secret in told for secret in run["secrets"]) or may_be_authenticated(story, *when):
			continue
		if may_be_authenticated(story, *when, cuts):
			exceptions[MISSED_END] += 1
		else:
			yield f"{story.name}: “{message.said}” was answered with a person's data, and nobody had proven anything"
