"""In which buckets an attempt counts: as a stranger's, or apart because something vouches for who is asking.

Strangers can use up the attempts on somebody's credentials; that must not lock that person out. A device that was
verified before, a provider-verified channel, a logged-in party or an unlock by staff moves the attempt from the
strangers' buckets of its credentials to buckets of its own. Session and network count as ever.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import frappe

from ..sessions import Session, config
from . import known, lockout
from .canonical import Secret
from .checks import Check
from .lockout import Bucket


@dataclass(frozen=True)
class Caller:
	"""What an HTTP endpoint knows: the caller's network, and its cookies (a function of their name)."""

	network: str
	cookie: Callable[[str], str | None]


def buckets(
	session: Session, check: Check, given: Mapping[str, Secret], caller: Caller | None
) -> list[Bucket]:
	"""Where this attempt counts. Credentials count by value within the check's namespace."""
	found = [Bucket.of(lockout.SESSION, session.id)]
	if caller:
		found.append(Bucket.of(lockout.NETWORK, caller.network))
	voucher = _voucher(session, check, given[check.identity_credential], caller)
	return [*found, *(_vouched(voucher, check, given) if voucher else strangers(check, given))]


def strangers(check: Check, given: Mapping[str, Secret]) -> list[Bucket]:
	"""The buckets of these credentials for somebody nobody vouches for."""
	return [
		Bucket.of(lockout.STRANGER, check.namespace, key, secret.reveal()) for key, secret in given.items()
	]


def _vouched(voucher: str, check: Check, given: Mapping[str, Secret]) -> list[Bucket]:
	return [
		Bucket.of(lockout.KNOWN, voucher, check.namespace, key, secret.reveal())
		for key, secret in given.items()
	]


def _voucher(session: Session, check: Check, identity: Secret, caller: Caller | None) -> str | None:
	"""What vouches for the asker, by a name of its own; None for a stranger."""
	if caller and known.fits(check.namespace, identity, caller.cookie(known.name(check.namespace, identity))):
		return "device"
	channel = config.settings().channels.get(session.channel)
	if session.external_id and channel and channel.verified_by_provider:
		return f"sender {session.channel} {session.external_id}"
	if session.party and session.user and session.user == frappe.session.user:
		return f"party {session.party_type} {session.party}"
	return f"staff {session.id}" if lockout.is_unlocked(session.id) else None
