"""External ids and devices: whether one proves who is writing, which only the channel's provider can say.

Whoever names an external id comes into its conversation. Where nobody vouches for it, that may be anybody, so nobody is
verified there: the conversation and its flows go on, and hold nothing of a verified person.
"""

import frappe
from frappe import _

from . import config
from .coherence import register
from .tables.row import Row

KEPT_SECONDS = 7 * 86400
NOTED = ("channels", "nobody is verified")
FORGETFUL = ("devices", "opened anew after a verification")


def is_vouched_for(channel: str) -> bool:
	"""Whether Settings say that the channel's provider verifies its senders."""
	found = config.settings().channels.get(channel)
	return bool(found and found.verified_by_provider)


def proves_nothing(row: Row) -> bool:
	"""Whether the session is anybody's who names its external id."""
	return bool(row.external_id) and not is_vouched_for(row.channel)


def note_refusal(channel: str) -> None:
	"""Somebody should have been verified on this channel (remembered for a week, for the doctor)."""
	here = register.connection()
	key = register.key(*NOTED)
	here.call(lambda: here.redis.pipeline().sadd(key, channel).expire(key, KEPT_SECONDS).execute())


def note_forgotten(row: Row) -> None:
	"""A bot asked by a device alone for the session of a verified person, and is given another one: a device id proves
	nothing. The log names the session; the doctor says it for a week."""
	frappe.logger("assistant_session").error(
		f"{row.name}: verified, so its device id alone opens another session"
	)
	here = register.connection()
	here.call(lambda: here.redis.set(register.key(*FORGETFUL), 1, ex=KEPT_SECONDS))


def situations() -> list[str]:
	"""What an administrator should know: a sentence for each channel where somebody should have been verified lately, and
	one if a bot loses its sessions by asking for them by a device alone."""
	here = register.connection()
	noted = here.call(here.redis.smembers, register.key(*NOTED)) or ()
	channels = sorted(channel.decode() for channel in noted)
	found = [situation(channel) for channel in channels if not is_vouched_for(channel)]
	return found + ([_forgetful()] if here.call(here.redis.exists, register.key(*FORGETFUL)) else [])


def _forgetful() -> str:
	return _(
		"A bot opens sessions by device_id alone, and somebody was verified in one: a device id proves nothing, so each"
		" message after that opens another session. Let the bot keep the session's id and open by that."
	)


def situation(channel: str) -> str:
	text = _(
		"On the channel {0} nobody can be verified: whoever names an external id there comes into its conversation. Tick"
		" “External ids verified by the provider” in Assistant Session Settings if the provider signs what it"
		" delivers; otherwise open sessions there by an id that you keep, without external_id."
	)
	return text.format(channel)
