"""Identity Checks and Protected Intents as programs use them: immutable, read at most every five seconds."""

from dataclasses import dataclass, field

import frappe
from frappe import _

from ..sessions import config, pattern_sizes
from ..sessions.errors import InvalidSessionData
from ..sessions.session import Session
from ..site_cache import SiteCache
from .canonical import ALPHANUMERIC
from .credential_reading import Credential

DOCTYPE = "Identity Check"
INTENT_HOOK = "assistant_session_intent"
COLUMNS = (
	"namespace", "enabled", "level", "verifier", "identity_credential", "verify_doctype", "url", "timeout",
	"verified_field", "verified_value", "python_verifier",
)  # fmt: skip
CREDENTIAL_COLUMNS = ("key", "label", "pattern", "example", "normalisation", "identifying")


@dataclass(frozen=True)
class Check:
	"""One Identity Check. `compared` and `profile` map credential or profile keys to fields of the verifier."""

	name: str
	namespace: str = ""
	enabled: bool = False
	level: int = 1
	verifier: str = ""  # DocType, HTTP, Python
	credentials: tuple[Credential, ...] = ()
	identity_credential: str = ""
	compared: dict[str, str] = field(default_factory=dict)
	profile: dict[str, str] = field(default_factory=dict)
	verify_doctype: str | None = None
	url: str | None = None
	timeout: int = 5
	verified_field: str = "verified"
	verified_value: str = "true"
	python_verifier: str | None = None

	def credential(self, key: str) -> Credential:
		return next(one for one in self.credentials if one.key == key)


@dataclass(frozen=True)
class Catalogue:
	checks: dict[str, Check]
	protected: dict[str, str]  # intent → name of its check
	intent_of: str | None = None  # path of the site's function that tells a message's intent
	open: frozenset[str] | None = (
		None  # intents anybody may be served for; None if every other one is open as well
	)

	def check_for(self, intent: str | None) -> Check | None:
		"""What proves who may be served for `intent`; None if anybody may. A check that is disabled, or gone,
		protects still: nobody passes it."""
		name = self.protected.get(folded(intent))
		return (self.checks.get(name) or Check(name)) if name else None

	def require_listed(self, intent: str | None) -> None:
		"""Raise InvalidSessionData for an intent that is neither protected nor open, where Settings want to know each: a
		misspelt one would open what is protected."""
		name = folded(intent)
		if self.open is not None and name and name not in self.open and name not in self.protected:
			text = _("intent: {0} is neither protected nor open. Add it in Assistant Session Settings.")
			raise InvalidSessionData(text.format(intent))

	def is_passed(self, check: Check, session: Session) -> bool:
		"""Whether the session's person has proven as much: by this check, or a stronger one for the same identity."""
		passed = self.checks.get(session.auth_method or "") if session.authenticated else None
		if passed is None or not (passed.enabled and check.enabled):
			return False
		return passed.namespace == check.namespace and passed.level >= check.level


@SiteCache
def catalogue() -> Catalogue:
	"""This site's checks and protected intents; an edit shows in every worker within five seconds."""
	with config.committed():
		protected = config.rows("Protected Intent", "intent", "identity_check", parenttype=config.DOCTYPE)
		checks = {doc.name: of(doc) for doc in _documents()}
		settings = frappe.db.get_singles_dict(config.DOCTYPE)
	hook = frappe.local.conf.get(INTENT_HOOK) or (frappe.get_hooks(INTENT_HOOK) or [None])[-1]
	asked_for = {folded(row.intent): row.identity_check for row in protected}
	return Catalogue(checks, asked_for, hook, _open_intents(settings))


def forget() -> None:
	"""Read them anew at the next call."""
	catalogue.forget()
	config.forget()


def changed() -> None:
	"""One was saved or deleted in this transaction: read them anew, also once it has ended either way."""
	forget()
	for queue in (frappe.db.after_commit, frappe.db.after_rollback):
		queue.add(forget)


def get(name: str) -> Check:
	"""A saved check; raises frappe.DoesNotExistError."""
	return of(frappe.get_doc(DOCTYPE, name))


def of(doc) -> Check:
	"""A Check from its document, saved or not."""
	identity = doc.identity_credential or (doc.credentials[0].key if doc.credentials else "")
	credentials = tuple(_credential(row, identity) for row in doc.credentials)
	name = doc.name or doc.title
	return Check(
		name, doc.namespace or name, bool(doc.enabled), doc.level or 1, doc.verifier, credentials, identity,
		_mapping(doc, "Credential"), _mapping(doc, "Profile"), doc.verify_doctype, doc.url, doc.timeout or 5,
		doc.verified_field or "verified", doc.verified_value or "true", doc.python_verifier,
	)  # fmt: skip


def _credential(row, identity: str) -> Credential:
	"""Whether it identifies says the administrator, or else its pattern; what the person is known by always does."""
	identifying = row.key == identity or pattern_sizes.is_own(row)
	normalisation = row.normalisation or ALPHANUMERIC
	return Credential(row.key, row.label, row.pattern, row.example, normalisation, identifying)


def folded(intent: str | None) -> str:
	"""An intent as it is compared: a capital letter does not open what is protected."""
	return (intent or "").strip().casefold()


def listing(labels: list[str]) -> str:
	"""Labels for a sentence: `A`, `A and B`, `A, B and C`."""
	*head, last = labels
	return " ".join((", ".join(head), _("and"), last)) if head else last


def _mapping(doc, kind: str) -> dict[str, str]:
	return {row.key: row.field for row in doc.fields if row.kind == kind}


def _open_intents(settings: dict) -> frozenset[str] | None:
	if str(settings.get("strict_intents") or "0") == "0":
		return None
	return frozenset(filter(None, map(folded, (settings.get("open_intents") or "").splitlines())))


def _documents() -> list:
	"""All checks with their credentials and fields, as `of` wants them."""
	documents = config.rows(DOCTYPE, "name", *COLUMNS)
	for doc in documents:
		doc.credentials = config.rows("Identity Check Credential", *CREDENTIAL_COLUMNS, parent=doc.name)
		doc.fields = config.rows("Identity Check Field", "kind", "key", "field", parent=doc.name)
	return documents
