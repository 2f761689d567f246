"""In which buckets an attempt counts: as a stranger's, or apart because something vouches for who is asking.

Strangers can use up the attempts on somebody's credentials; that must not lock that person out. A device that was
verified before, a provider-verified channel, a logged-in party or an unlock by staff moves the attempt from the
strangers' buckets of its credentials to buckets of its own. Session and network count as ever. Each voucher has a limit
for itself, whoever it asks about; and all senders, parties and unlocks together have one per credential.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import frappe

from ..sessions import Session, config, keys
from . import known, lockout
from .canonical import Secret
from .checks import Check
from .lockout import Bucket

DEVICE = "device"


@dataclass(frozen=True)
class Caller:
	"""What an HTTP endpoint knows: the caller's network (None if that is a proxy's), and its cookies by name."""

	network: str | None
	cookie: Callable[[str], str | None]


def buckets(
	session: Session, check: Check, given: Mapping[str, Secret], caller: Caller | None
) -> list[Bucket]:
	"""Where this attempt counts. Credentials count by value within the check's namespace."""
	found = [Bucket.of(lockout.SESSION, session.id)]
	if caller and caller.network:
		found.append(Bucket.of(lockout.NETWORK, caller.network))
	voucher = _voucher(session, check, given[check.identity_credential], caller)
	return [*found, *(_vouched(voucher, check, given) if voucher else strangers(check, given))]


def strangers(check: Check, given: Mapping[str, Secret]) -> list[Bucket]:
	"""The buckets of these credentials for somebody nobody vouches for."""
	return [
		Bucket.of(lockout.STRANGER, check.namespace, key, secret.reveal()) for key, secret in given.items()
	]


def _vouched(voucher: tuple[str, ...], check: Check, given: Mapping[str, Secret]) -> list[Bucket]:
	found = [Bucket.of(lockout.KNOWN, *voucher)]
	if voucher[0] == DEVICE:
		return found
	return [
		*found,
		*(Bucket.of(lockout.VOUCHED, check.namespace, key, secret.reveal()) for key, secret in given.items()),
	]


def _voucher(
	session: Session, check: Check, identity: Secret, caller: Caller | None
) -> tuple[str, ...] | None:
	"""What vouches for the asker, by a name of its own; None for a stranger."""
	if caller and (device := known.device(check.namespace, identity, caller.cookie)):
		return DEVICE, keys.digest(keys.DEVICE, check.namespace, identity.reveal()), device
	channel = config.settings().channels.get(session.channel)
	if session.external_id and channel and channel.verified_by_provider:
		return "sender", session.channel, session.external_id
	if session.party and session.user and session.user == frappe.session.user:
		return "party", session.party_type, session.party
	return ("staff", session.id) if lockout.is_unlocked(session.id) else None
