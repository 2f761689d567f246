"""A full turn by this app: load the session, the person's message, a new state, a reply, COMMIT.

`App` does what `api.send_message` does once it knows who is calling: turn_block.TurnBlock with a message id
(lease, register, search for a repeated message, one write), `ledger().trust`, COMMIT, publication. `Endpoint`
is `api.send_message` itself, with a token: admission, counting, and the answer in JSON come on top.
"""

from dataclasses import replace

import frappe

from assistant_session import api, authentication
from assistant_session.authentication import checks
from assistant_session.authentication.credential_reading import Credential
from assistant_session.sessions import config, tokens
from assistant_session.sessions.coherence.ledger import ledger
from assistant_session.sessions.coherence.memory import memory
from assistant_session.sessions.operations import turn_block
from assistant_session.web import access, responder

from .histories import MESSAGE, REPLY, Conversation
from .site import FOREVER

INTENT = "pension_inquiry"
CHECK = checks.Check(
	"benchmark",
	"member",
	enabled=True,
	credentials=(
		Credential("member_number", "membership number", r"PEN[-_ ]?\d{10}", "PEN_0005000168"),
		Credential("national_number", "registration number", r"\d{6}[/ -]?\d{2}[/ -]?\d", "228597/62/1"),
	),
	identity_credential="member_number",
)
NO_CHECKS = checks.Catalogue({}, {})


class App:
	"""`in_memory`: this worker had the session already. Otherwise it is loaded from the database."""

	every = 1

	def __init__(self, length: int, *, in_memory: bool):
		self.conversation, self.in_memory = self._conversation(length), in_memory

	def rewind(self) -> None:
		self.conversation.rewind()

	def ready(self) -> None:
		self.conversation.publish(in_memory=self.in_memory)

	def begin(self) -> None:
		"""Nothing but its session has to be ready."""

	def turn(self, message_id: str) -> None:
		name = self.conversation.name
		with ledger().own():
			with turn_block.TurnBlock(name, MESSAGE, message_id=message_id) as turn:
				self.answer(turn)
			ledger().trust(name)
			frappe.db.commit()

	def answer(self, turn: turn_block.TurnInProgress) -> None:
		respond(turn)

	def done(self) -> None:
		"""A turn that was not remembered would be cheaper than it is."""
		assert memory.get(self.conversation.name).row.turn_count == self.conversation.length + 2

	def _conversation(self, length: int) -> Conversation:
		return Conversation(length)


class Gated(App):
	"""A verified person asks within a protected intent, on a site that masks what credentials look like."""

	def __init__(self, length: int, *, in_memory: bool):
		super().__init__(length, in_memory=in_memory)
		self.catalogue = checks.Catalogue({CHECK.name: CHECK}, {INTENT: CHECK.name})
		patterns = tuple(credential.pattern for credential in CHECK.credentials)
		self.plain = config.settings()
		examples = {credential.pattern: credential.example for credential in CHECK.credentials}
		self.settings = replace(
			self.plain, credential_patterns=patterns, own_patterns=patterns, examples=examples
		)

	def begin(self) -> None:
		_configure(self.settings, self.catalogue)

	def done(self) -> None:
		_configure(self.plain, NO_CHECKS)
		super().done()

	def answer(self, turn: turn_block.TurnInProgress) -> None:
		assert authentication.gate(turn)
		assert authentication.require(turn.session, INTENT, turn.message).open
		respond(turn)

	def _conversation(self, length: int) -> Conversation:
		return Conversation(length, verified_by=CHECK.name, intent=INTENT)


def _configure(settings: config.Settings, catalogue: checks.Catalogue) -> None:
	"""What Settings and Identity Checks say in this process from now on."""
	config.settings.keep(settings, FOREVER)
	checks.catalogue.keep(catalogue, FOREVER)


class Endpoint(App):
	"""The whole of `api.send_message`, called as Frappe calls it, without the HTTP server around it."""

	def ready(self) -> None:
		super().ready()
		self.request = self._request()

	def turn(self, message_id: str) -> None:
		frappe.local.request = self.request
		answer = api.send_message(
			session_id=self.conversation.name, message=MESSAGE, message_id=message_id, metadata=None
		)
		frappe.local.request = None
		assert answer.status_code == 200, answer.get_data(as_text=True)

	def _conversation(self, length: int) -> Conversation:
		self.token, token_hash = tokens.new()
		return Conversation(length, token_hash)

	def _request(self):
		from werkzeug.test import EnvironBuilder
		from werkzeug.wrappers import Request

		path = "/api/method/assistant_session.api.send_message"
		headers = {access.TOKEN_HEADER: self.token}
		return Request(EnvironBuilder(path, method="POST", json={}, headers=headers).get_environ())


def respond(turn: turn_block.TurnInProgress) -> None:
	"""The smallest chatbot: a new state and one reply."""
	turn.session.transition(f"{turn.session.state}_DONE")
	turn.reply(REPLY)


def answer_at_once() -> None:
	"""In this process the endpoint asks `respond` instead of the site's chatbot."""
	responder.ask_chatbot = respond
