"""External ids: whether one proves who is writing, which only the channel's provider can say.

Whoever names an external id comes into its conversation. Where nobody vouches for it, that may be anybody, so nobody is
verified there: the conversation and its flows go on, and hold nothing of a verified person.
"""

from frappe import _

from . import config, register
from .rows import Row

KEPT_SECONDS = 7 * 86400
NOTED = ("channels", "nobody is verified")


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


def situations() -> list[str]:
	"""What an administrator should know: a sentence for each channel where somebody should have been verified lately."""
	here = register.connection()
	noted = here.call(here.redis.smembers, register.key(*NOTED)) or ()
	channels = sorted(channel.decode() for channel in noted)
	return [situation(channel) for channel in channels if not is_vouched_for(channel)]


def situation(channel: str) -> str:
	text = _(
		"On the channel {0} nobody can be verified: whoever names an external id there comes into its conversation. Tick"
		" “External ids verified by the provider” in Assistant Session Settings if the provider signs what it"
		" delivers; otherwise open sessions there by an id that you keep, without external_id."
	)
	return text.format(channel)
