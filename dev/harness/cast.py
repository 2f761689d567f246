"""What the bots need on the site: channels, a register, two customers and a router. Made once, found again."""

import frappe

from assistant_session import roles
from assistant_session.demo import directory
from assistant_session.sessions import config

from .users import key_of

CHANNELS = ("Pension", "Clinic", "Bank", "Presentation", "Shop")
ROUND_OF_OPENS = 600  # a hundred devices at once, several times a minute
ROUND_OF_ATTEMPTS = 1000  # everybody here comes from one network
USERS = {
	"krishna@example.com": None,
	"other.customer@example.com": None,
	"router@example.com": roles.SERVICE,
}
PER_NETWORK = (  # one machine with one page calls as often as many networks do elsewhere
	"reads_per_minute", "reads_per_minute_network", "messages_per_minute_network", "refusals_per_minute_network",
	"megabytes_per_hour_network",
)  # fmt: skip


def prepare() -> dict[str, str]:
	"""Make what is missing; returns an API key ("key:secret") for each of USERS."""
	settings = frappe.get_single(config.DOCTYPE)
	known = {row.channel for row in settings.channels}
	for channel in CHANNELS:
		if channel not in known:
			settings.append("channels", {"channel": channel, "guests": 1})
	settings.attempts_allowed_network = max(settings.attempts_allowed_network or 0, ROUND_OF_ATTEMPTS)
	settings.opens_per_minute = max(settings.opens_per_minute or 0, ROUND_OF_OPENS)
	settings.save(ignore_permissions=True)
	directory.prepare()
	return {email: key_of(email, role) for email, role in USERS.items()}
