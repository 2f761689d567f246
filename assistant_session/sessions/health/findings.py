"""The kinds of damage there are, and what is said of one case."""

from dataclasses import dataclass

BROKEN_JSON, UNREADABLE, IMPOSSIBLE = "broken JSON", "unreadable", "impossible value"
TURNS_MISSING, EVENTS_BROKEN, TURN_ALTERED = "turns missing", "audit trail broken", "turn altered"
ORPHAN_TURNS, ORPHAN_EVENTS = "turns without a session", "events without a session"
# Those below have a remedy.
TURNS_UNCOUNTED, EVENTS_UNCOUNTED, OVERDUE_LOCK = "turns uncounted", "events uncounted", "agent lock overdue"
OVERDUE_AUTHENTICATION, OVERDUE_SESSION = "authentication overdue", "session overdue"
NOT_ENDED, ROW_ALTERED = "ended but not cleared", "row altered"
REMEDIES = {
	TURNS_UNCOUNTED: "count them", EVENTS_UNCOUNTED: "count them", OVERDUE_LOCK: "release it",
	OVERDUE_AUTHENTICATION: "end it", OVERDUE_SESSION: "expire it", NOT_ENDED: "clear it",
	ROW_ALTERED: "end the authentication, seal it anew",
}  # fmt: skip
# Mended only when somebody says so, never by the nightly round: it is for them to look at first.
ON_PURPOSE = frozenset({ROW_ALTERED})


@dataclass(frozen=True)
class Finding:
	"""One thing that is wrong with one session."""

	session: str
	kind: str
	detail: str
	stored: int = 0  # so many turns or events where they are uncounted
	head: str | None = None  # the digest of the last of these events
	evidence: bool = False  # beside something without a remedy that it belongs to: left alone as well

	@property
	def remedy(self) -> str | None:
		return None if self.evidence else REMEDIES.get(self.kind)
