"""What the person is told by the verification dialogue, translated like everything in Frappe."""

from datetime import datetime

from frappe import _

from ..sessions import config
from .checks import Check, listing
from .credential_reading import Credential

HELP = frozenset({"help", "?"})
CANCEL = frozenset({"cancel", "stop"})


def is_help(text: str) -> bool:
	return _word(text) in HELP | {_("help").casefold()}


def is_cancel(text: str) -> bool:
	return _word(text) in CANCEL | {_("cancel").casefold()}


def prompt(check: Check) -> str:
	if not check.enabled:
		return unavailable()
	text = _("To help you with that I have to know who you are. Please tell me your {0}.")
	return text.format(listing([_with_example(one) for one in check.credentials]))


def step_up(check: Check) -> str:
	text = _("For that I need a stronger proof of who you are. Please tell me your {0}.")
	return text.format(listing([_with_example(one) for one in check.credentials]))


def missing(check: Check, keys: list[str]) -> str:
	"""Precise about what is not there yet; nothing is said about what is."""
	asked = [one for one in check.credentials if one.key in keys]
	if len(asked) == len(check.credentials):
		return _("I did not find it in your message. Please tell me your {0}, or say “cancel”.").format(
			listing([_with_example(one) for one in asked])
		)
	text = _("Thank you. Your {0} is still missing. Please give everything in one message: {1}.")
	everything = listing([_with_example(one) for one in check.credentials])
	return text.format(listing([one.label for one in asked]), everything)


def explanation(check: Check) -> str:
	text = _(
		"I need your {0}, in any order, in one message. Nothing of it is stored. Say “cancel” to leave it."
	)
	return text.format(listing([_with_example(one) for one in check.credentials]))


def not_matched(locked_until: datetime | None) -> str:
	"""The same whichever half was wrong, and whether the person exists or not."""
	text = _("I could not find anybody with these details.")
	if locked_until:
		return f"{text} {locked(locked_until)}"
	return f"{text} " + _("Please check them and try again.")


def locked(until: datetime) -> str:
	minutes = max(round((until - config.now()).total_seconds() / 60), 1)
	return _("There were too many attempts. Please try again in {0} minutes.").format(minutes)


def unavailable() -> str:
	return _("I cannot check that at the moment; it is not your fault. Please try again later.")


def not_here() -> str:
	return _("I cannot find out here who you are, so I cannot help you with that in this chat.")


def cancelled() -> str:
	return _("All right, I have left it. What else can I do for you?")


def nothing_asked() -> str:
	return _("There is nothing to prove at the moment.")


def verified() -> str:
	return _("Thank you, now I know who you are.")


def _word(text: str) -> str:
	return text.strip(" \t\r\n.!\"'“”„«»").casefold()


def _with_example(one: Credential) -> str:
	return _("{0} (for example {1})").format(one.label, one.example)
