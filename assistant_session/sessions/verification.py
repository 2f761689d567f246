"""What is known of the verification in a message: who asked, and what became of the credentials. Plain values; how people
are verified is in `assistant_session.authentication`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from .session import Session

VERIFIED, NOT_MATCHED, UNAVAILABLE = "verified", "not_matched", "unavailable"
MISSING, LOCKED, HELP, CANCELLED, NOTHING_ASKED = "missing", "locked", "help", "cancelled", "nothing_asked"


@dataclass(frozen=True)
class Caller:
	"""What an HTTP endpoint knows: the caller's network (None if that is a proxy's), and its cookies by name."""

	network: str | None
	cookie: Callable[[str], str | None]


@dataclass(frozen=True)
class Outcome:
	"""What became of what a person typed.

	`kind` is verified, missing, not_matched, unavailable, locked, help, cancelled or nothing_asked; `text` is for the
	person. `missing` are labels of credentials. After `verified`: `intent` and `message` are what they had asked
	for, `returning` whether they were here before, `token` the session's new token if it has tokens (the old one
	is void), `known_device` a cookie (name, value) for the person's browser.
	"""

	kind: str
	text: str
	session: Session
	missing: tuple[str, ...] = ()
	locked_until: datetime | None = None
	intent: str | None = None
	message: str | None = field(default=None, repr=False)
	returning: bool = False
	token: str | None = field(default=None, repr=False)
	known_device: tuple[str, str] | None = field(default=None, repr=False)

	@property
	def verified(self) -> bool:
		return self.kind == VERIFIED


@dataclass
class Verification:
	"""Of the message being processed: `caller` comes from the HTTP side, `outcome` from `authentication.submit`."""

	caller: Caller | None = None
	outcome: Outcome | None = None
