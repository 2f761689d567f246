"""Which figures there are, and which of them one write to a session stands for.

Every label comes from a short list: what a caller may name freely (channels, flows, agents, reasons) is either in
Settings or counted under "other".
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...counters import Key
from .. import config
from ..tables.row import Row, decode

OTHER = "other"


@dataclass(frozen=True)
class Measure:
	"""A figure that only grows. `label` names what it is counted by, if by anything."""

	name: str
	text: str
	label: str | None = None
	values: tuple[str, ...] = ()  # of the label, shown as 0 before anything was counted


MEASURES = (
	Measure("sessions_created", "Sessions opened.", "channel"),
	Measure("sessions_restored", "Sessions taken up again by open, resume or a turn, by where they were found.", "source", ("memory", "database")),
	Measure("sessions_not_found", "Sessions asked for that do not exist (unknown) or not for this caller (refused).", "why", ("unknown", "refused")),
	Measure("sessions_closed", "Sessions closed."),
	Measure("sessions_expired", "Sessions marked as expired."),
	Measure("turns", "Messages stored, by who said them.", "role", ("user", "assistant", "system")),
	Measure("flows_started", "Flows begun."),
	Measure("flows_completed", "Flows that reached their end."),
	Measure("conflicts", "Two writers of one session at once: merged, or one was refused.", "outcome", ("merged", "refused")),
	Measure("busy", "Messages and writes refused because the session stayed busy."),
	Measure("authenticated", "People who proved who they are."),
	Measure("authentication_failed", "Credentials that were wrong."),
	Measure("verification_locked", "Attempts that met or caused a lock."),
	Measure("deauthenticated", "Authentications ended."),
	Measure("agent_locks_granted", "Agent locks granted or extended."),
	Measure("agent_locks_ended", "Agent locks that ended: released, expired, or with their session."),
	Measure("agent_lock_seconds", "Seconds for which the agent locks that ended had been held."),
	Measure("memory_reads", "Sessions looked for in worker memory: hit, or miss (the database was read).", "outcome", ("hit", "miss")),
)  # fmt: skip

# Seconds. A turn without a chatbot takes a few milliseconds; one that asks a language model takes many seconds.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TURN_BUCKET, TURN_SECONDS = "turn_time_bucket", "turn_time_seconds"
BOUNDS = (*map(str, BUCKETS), "+Inf")

EVENTS = {
	"closed": "sessions_closed",
	"expired": "sessions_expired",
	"flow_completed": "flows_completed",
	"authenticated": "authenticated",
	"authentication_failed": "authentication_failed",
	"verification_locked": "verification_locked",
	"deauthenticated": "deauthenticated",
	"agent_locked": "agent_locks_granted",
}


def of_creation(channel: str) -> dict[Key, float]:
	return {("sessions_created", channel_label(channel)): 1}


def of_write(
	before: Row, after: Row, happened: Sequence[str], roles: Sequence[str], now: datetime
) -> dict[Key, float]:
	"""What one write stands for: the events it recorded, the roles of its turns, flows begun, an agent lock ended."""
	keys = [
		*((EVENTS[event], "") for event in happened if event in EVENTS),
		*(("turns", role) for role in roles),
	]
	counts: dict[Key, float] = {key: keys.count(key) for key in keys}
	if begun := _flows_begun(before, after):
		counts["flows_started", ""] = begun
	if before.agent_locked_at and before.agent_locked_at != after.agent_locked_at:
		until = min(now, before.agent_lock_expires_at or now)
		counts["agent_locks_ended", ""] = 1
		counts["agent_lock_seconds", ""] = max((until - before.agent_locked_at).total_seconds(), 0)
	return counts


def of_turn(seconds: float) -> dict[Key, float]:
	"""How long one turn took, from asking for the lease until it was written."""
	return {(TURN_BUCKET, BOUNDS[bisect_left(BUCKETS, seconds)]): 1, (TURN_SECONDS, ""): seconds}


def channel_label(channel: str) -> str:
	"""The channel as Settings name it, else "other"."""
	return channel if channel in config.settings().channels else OTHER


def _flows_begun(before: Row, after: Row) -> int:
	"""How many flows are there now that were not, or that began anew after their time was over."""
	if before.flows == after.flows or not after.flows:
		return 0
	known = {name: flow.get("started_at") for name, flow in decode(before.flows).items()}
	found = decode(after.flows)
	return sum(name not in known or known[name] != flow.get("started_at") for name, flow in found.items())
