import frappe
from frappe import _

from ....authentication import checks, lockout
from ....documents import PlainText, require_author
from ....sessions import bounds
from ....sessions.health import proxies


class AssistantSessionSettings(PlainText):
	"""Times, limits, channels and protected intents; workers notice a change within five seconds."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from ..assistant_session_channel.assistant_session_channel import AssistantSessionChannel
		from ..protected_intent.protected_intent import ProtectedIntent
		from frappe.types import DF

		agent_lock_ttl: DF.Int
		attempt_window: DF.Int
		attempts_allowed: DF.Int
		attempts_allowed_network: DF.Int
		authentication_idle: DF.Int
		authentication_ttl: DF.Int
		channels: DF.Table[AssistantSessionChannel]
		failures_alarm: DF.Int
		history_page: DF.Int
		hold_wait: DF.Int
		idle_after: DF.Int
		json_limit: DF.Int
		lock_seconds: DF.Int
		megabytes_per_hour_network: DF.Int
		memory_megabytes: DF.Int
		memory_sessions: DF.Int
		message_limit: DF.Int
		messages_per_minute: DF.Int
		messages_per_minute_network: DF.Int
		metadata_limit: DF.Int
		open_intents: DF.SmallText | None
		opens_per_minute: DF.Int
		protected_intents: DF.Table[ProtectedIntent]
		reads_per_minute: DF.Int
		reads_per_minute_network: DF.Int
		refusals_per_minute_network: DF.Int
		session_ttl: DF.Int
		strict_intents: DF.Check
	# end: auto-generated types

	def onload(self):
		"""What the form says about proxies."""
		self.set_onload("proxies", proxies.situation())

	def before_validate(self):
		"""A setting that came with an update of the app has its default until somebody changes it."""
		self.update_if_missing(frappe.new_doc(self.doctype))

	def validate(self):
		require_author(self)
		self._check_seconds(self.TIMES, bounds.LONGEST_TTL, _("{0}: between 60 seconds and 366 days."))
		self._check_seconds(self.LOCK_TIMES, lockout.LONGEST_LOCK, _("{0}: between 60 seconds and a day."))
		for field in self.POSITIVE:
			if not 1 <= (self.get(field) or 0) <= self.MOST.get(field, 10**9):
				text = _("{0}: from 1 to {1}.")
				frappe.throw(text.format(self.meta.get_label(field), self.MOST.get(field, 10**9)))
		if _has_twins([row.channel for row in self.channels]):
			frappe.throw(_("A channel is listed twice."))
		for row in self.protected_intents:
			row.intent = (row.intent or "").strip()
		if _has_twins([checks.folded(row.intent) for row in self.protected_intents]):
			frappe.throw(_("An intent is listed twice."))

	def on_update(self):
		checks.changed()

	def _check_seconds(self, fields: tuple[str, ...], longest: int, text: str) -> None:
		for field in fields:
			if not 60 <= (self.get(field) or 0) <= longest:
				frappe.throw(text.format(self.meta.get_label(field)))

	TIMES = ("session_ttl", "agent_lock_ttl", "authentication_ttl", "authentication_idle", "idle_after")
	LOCK_TIMES = ("attempt_window", "lock_seconds")
	MOST = {"attempts_allowed": 20, "attempts_allowed_network": 10_000}
	POSITIVE = (
		"message_limit", "json_limit", "history_page", "hold_wait", "opens_per_minute", "messages_per_minute",
		"messages_per_minute_network", "reads_per_minute", "reads_per_minute_network", "refusals_per_minute_network",
		"megabytes_per_hour_network", "metadata_limit",
		"memory_sessions", "memory_megabytes", "attempts_allowed", "attempts_allowed_network", "failures_alarm",
	)  # fmt: skip


def _has_twins(names: list[str]) -> bool:
	return len(names) != len(set(names))
