"""`Session`, what callers hold in their hands: a value that belongs to nobody else.

Reading an attribute decodes the stored row on demand. Changing one changes this object alone; `changes()`
says what differs from the row it started from, and the API decides whether and how to store that.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from . import addresses, bounds, columns, config, flows, tokens
from .coherence.writing import ORDINARY, Decide, Kind, Write
from .errors import NotPermitted, SessionAltered
from .flows import Flow
from .flows import check as check_flows
from .secrets import encryption, masking
from .tables import proof, seals
from .tables.audit_chain import Event
from .tables.row import JSON_COLUMNS, Row, decode, same_json

ACTIVE, CLOSED, EXPIRED = "Active", "Closed", "Expired"


class Session:
	"""One conversation as it was when it was read.

	`origin` says where from: "created", "memory" or "database". `stale` is true if the database could not be
	asked; such a one is for showing only, and never authenticated.
	"""

	__slots__ = ("_changed", "_row", "happened", "origin", "stale")

	def __init__(self, row: Row, origin: str):
		self._row = row
		self._changed: dict[str, Any] = {}
		self.happened: list[Event] = []  # what the changes are to the audit trail
		self.stale = origin == "stale"
		self.origin = "memory" if self.stale else origin

	@property
	def row(self) -> Row:
		"""The stored row this Session started from."""
		return self._row

	id = session_id = columns.stored("name", "The session id.")
	channel = columns.stored("channel", "Where the conversation takes place, as named in Settings.")
	external_id = columns.stored(
		"external_id", "The person's address on that channel, a phone number for instance."
	)
	device_id = columns.stored("device_id", "The device a web session is bound to, a UUID.")
	user = columns.stored("user", "The logged-in Frappe user it belongs to, if any.")
	party_type = columns.stored("party_type", "DocType of the party it belongs to, if any.")
	party = columns.stored("party", "Name of that party.")
	status = columns.stored("status", "Active, Closed or Expired.")
	ttl = columns.stored("ttl", "Seconds it lives past its last turn.")
	creation = columns.stored("creation", "When it was opened, in the site's time zone.")
	last_activity = columns.stored("last_activity", "When its last turn was stored.")
	expires_at = columns.stored("expires_at", "When it expires unless there is another turn.")
	closed_at = columns.stored("closed_at", "When it was closed or found expired.")
	close_reason = columns.stored("close_reason", "Why it was closed.")
	auth_method = columns.changing("auth_method", "How the person proved who they are.")
	authenticated_at = columns.changing("authenticated_at", "When they did.")
	auth_expires_at = columns.changing("auth_expires_at", "When that ends at the latest.")
	identity_hash = columns.changing("identity_hash", "A keyed hash of who was known here last.")
	locked_intent = columns.short_text(
		"locked_intent", "The intent an authenticated person is being served for."
	)
	pending_intent = columns.short_text("pending_intent", "The intent that waits for an authentication.")
	current_state = state = columns.short_text("current_state", "Its place in the controller's workflow.")
	previous_state = columns.stored("previous_state", "The state before that.")
	context = columns.json_object("context", "Whatever the controller keeps with the conversation (JSON).")
	flows = columns.json_object(
		"flows", "Forms being filled in, by name; use set_flow, get_flow and clear_flow.", check_flows
	)
	agent_fence = columns.changing("agent_fence", "Grows with every grant of the agent lock.")
	agent_lock_expires_at = columns.changing("agent_lock_expires_at", "When the agent lock ends.")
	hidden_turns = columns.changing(
		"hidden_turns", "Up to here turns belong to somebody else, and are not shown."
	)
	version = columns.stored("version", "Grows with every write.")
	purged_turns = columns.stored(
		"purged_turns", "So many of its first turns are past their retention and gone."
	)
	turn_count = columns.stored("turn_count", "Number of turns it has had.")
	restored_count = columns.stored(
		"restored_count", "How often a worker had to take it up from the database."
	)

	@property
	def authenticated(self) -> bool:
		"""Whether the person is known right now: proven, not timed out, not idle for too long, not closed."""
		if "authenticated" in self._changed:  # a moment ago, here
			return bool(self._changed["authenticated"]) and self._row.status == ACTIVE
		return not self.stale and proof.holds(self._row, config.now())

	@property
	def user_profile(self) -> dict[str, Any]:
		"""What the verifier told about the person; empty while nobody is authenticated. Decrypted on use."""
		if not self.authenticated:
			return {}
		return decode(encryption.decrypted(self._changed.get("user_profile", self._row.user_profile)))

	@property
	def pending_message(self) -> str | None:
		"""What the person asked before being asked who they are. Decrypted on use."""
		stored = self._changed.get("pending_message", self._row.pending_message)
		return encryption.decrypted(stored) if stored else None

	@pending_message.setter
	def pending_message(self, value: str | None) -> None:
		"""What looks like a credential is masked, as in every message of a person."""
		if value:
			patterns = config.settings().credential_patterns
			value = encryption.encrypted(masking.masked(patterns, bounds.message(value, "pending_message")))
		self._changed["pending_message"] = value or None

	def authenticate(
		self,
		profile: dict[str, Any],
		*,
		method: str,
		identity: str | None = None,
		namespace: str = proof.PERSON,
		expires_in: int | None = None,
	) -> None:
		"""The person is known from now on. See sessions.authenticate."""
		if seals.is_altered(self._row):
			raise SessionAltered.of(self.id)
		if addresses.proves_nothing(self._row):
			raise NotPermitted(addresses.situation(self.channel), self.id)
		self._changed.update(proof.granted(profile, method, identity, namespace, expires_in))
		self.happened.append(Event("authenticated", {"method": method}))

	def deauthenticate(self, reason: str = "logout") -> bool:
		"""The person is not known any more; says whether they were."""
		if not self._changed.get("authenticated", self._row.authenticated):
			return False
		self._changed.update(proof.ENDED)
		self.happened.append(Event("deauthenticated", {"reason": masking.reason(reason)}))
		return True

	def hide_history(self) -> None:
		"""The messages so far are not for whoever is here now: over HTTP they are shown no more."""
		self._changed["hidden_turns"] = self._row.turn_count

	def rotate_token(self, message_key: str | None = None) -> str | None:
		"""Replace the session's token, if it has one; returns the new one. With the key of the message being
		answered the old one is good for asking that once more."""
		if not self._row.token_hash:
			return None
		token, changes = tokens.rotated(self._row, message_key, config.now())
		self._changed.update(changes)
		return token

	def end_replaced_token(self) -> None:
		"""The new token has arrived: the one before is good for nothing any more."""
		if self._row.old_token_hash:
			self._changed.update(dict.fromkeys(tokens.REPLACED))

	@property
	def active_agent(self) -> str | None:
		"""The agent it is routed to, None when that lock's time is over."""
		expires = self.agent_lock_expires_at
		held = expires is not None and expires > config.now()
		return self._changed.get("active_agent", self._row.active_agent) if held else None

	@property
	def should_greet(self) -> bool:
		"""A session without turns has not been greeted; a restored one never is again."""
		return not self._row.turn_count

	@property
	def expired(self) -> bool:
		return self._row.status == EXPIRED or (
			self._row.status == ACTIVE and self._row.expires_at <= config.now()
		)

	@property
	def closed(self) -> bool:
		return self._row.status == CLOSED

	def transition(self, state: str) -> None:
		"""Move to `state`; the old one becomes previous_state."""
		before = self.current_state
		self.current_state = state
		if self.current_state != before:
			self._changed["previous_state"] = before

	def clear_context(self, *, state: str | None = None, keep: tuple[str, ...] = ()) -> None:
		"""Drop context and flows but for the context keys in `keep`, and move to `state` if given."""
		self.context = {key: value for key, value in self.context.items() if key in keep}
		self.flows = {}
		if state is not None:
			self.transition(state)

	def set_flow(
		self,
		flow: str,
		step: str,
		data: dict | None = None,
		*,
		version: int | None = None,
		ttl: int | None = None,
		public: Iterable[str] | None = None,
	) -> Flow:
		"""Start a flow or move it to another step; `data` is added to what it has. See sessions.set_flow."""
		return flows.put(self.flows, flow, step, data, version=version, ttl=ttl, public=public)

	def get_flow(self, flow: str, *, version: int | None = None) -> Flow | None:
		"""The flow in the code's version, None if there is none. See sessions.get_flow."""
		return flows.take(self.flows, flow, version=version)

	def live_flows(self) -> list[Flow]:
		"""The flows whose time is not over, each in the version it was stored in."""
		found = (flows.as_stored(self.flows, name) for name in self.flows)
		return [flow for flow in found if flow]

	def clear_flow(self, flow: str, *, completed: bool = False) -> bool:
		"""End a flow, `completed` if it reached its end; says whether there was one."""
		found = self.flows.pop(bounds.label(flow, "flow"), None) is not None
		if found and completed:
			self.happened.append(Event("flow_completed", {"flow": flow}))
		return found

	def lock_agent(self, agent: str, *, ttl: int | None = None, steal: bool = False) -> bool:
		"""Route the session to `agent` for `ttl` seconds (Settings); False if another agent has it.

		The same agent gets its lock extended, with a new fence. `steal` takes it from whoever has it.
		"""
		agent = bounds.label(agent, "agent")
		seconds = config.settings().agent_lock_ttl if ttl is None else bounds.ttl(ttl)
		if self.active_agent not in (None, agent) and not steal:
			return False
		now = config.now()
		self._changed.update(
			active_agent=agent,
			agent_locked_at=now,
			agent_lock_expires_at=now + timedelta(seconds=seconds),
			agent_fence=self._row.agent_fence + 1,
		)
		self.happened.append(Event("agent_locked", {"agent": agent, "seconds": seconds}))
		return True

	def release_agent(self, why: str = "released") -> bool:
		"""End the agent lock, whoever has it; says whether there was one, overdue or not."""
		holder = self._changed.get("active_agent", self._row.active_agent)
		if not holder:
			return False
		self._changed.update(active_agent=None, agent_locked_at=None, agent_lock_expires_at=None)
		self.happened.append(Event("agent_released", {"agent": holder, "why": why}))
		return True

	def lock_intent(self, intent: str | None) -> None:
		"""Serve the person for `intent` from now on; None for no particular one."""
		before = self.locked_intent
		self.locked_intent = intent
		if self.locked_intent != before:
			kind = "intent_changed" if before else "intent_locked"
			self.happened.append(Event(kind, {"from": before, "to": self.locked_intent}))

	def as_write(self, kind: Kind = ORDINARY, *, touch: bool = False) -> Write:
		"""What is to be stored: its changes, and what they are to the audit trail. `touch` counts as activity
		of the person."""
		return Write(self.changes(), events=self.happened, kind=kind, touch=touch)

	def changes(self) -> dict[str, Any]:
		"""Columns that differ from the row this Session started from, in their stored form. What looks like a credential
		of one person's own is not kept in context and flows either."""
		differing = {column: value for column, value in self._changed.items() if self._differs(column, value)}
		return {
			column: _stored_form(column, value) if column in JSON_COLUMNS else value
			for column, value in differing.items()
		}

	def _differs(self, column: str, value: Any) -> bool:
		before = getattr(self._row, column)
		if column not in JSON_COLUMNS:
			return before != value
		return bool(before) != bool(value) or (bool(value) and not same_json(decode(before), value))

	def __repr__(self) -> str:
		return f"<Session {self.id} {self.status} v{self.version} {self.current_state or '-'}>"


def _stored_form(column: str, value: dict[str, Any]) -> str | None:
	if not value:
		return None
	text = bounds.json_object(value, column)
	patterns = config.settings().own_patterns
	return bounds.json_object(masking.masked_json(patterns, value), column) if patterns else text


def changing(change: Callable[[Session], object], kind: Kind = ORDINARY, *, touch: bool = False) -> Decide:
	"""A decision for `writing.change`: what `change` does to a Session of the row as it is by then."""

	def decide(row: Row) -> Write:
		session = Session(row, "database")
		change(session)
		return session.as_write(kind, touch=touch)

	return decide
