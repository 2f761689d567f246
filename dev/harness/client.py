"""A person's page, or a router: it writes down what was said and who answered."""

import uuid
from collections.abc import Callable
from typing import Any

from .caller import TOKEN, Caller

Print = Callable[[str], None]


class Failed(AssertionError):
	"""A conversation did not go as its scenario says."""


def expect(truth: Any, what: str) -> None:
	if not truth:
		raise Failed(what)


class Client:
	"""Keeps what a page keeps: session id and token. `key` is a Frappe API key for a logged-in user."""

	def __init__(
		self, url: str, site: str, write: Print, *, device: str | None = None, key: str | None = None
	):
		self.caller, self.write = Caller(url, site, key=key, device=device), write
		self.session_id = ""
		self.token: str | None = None
		self.worker = "?"

	def call(self, endpoint: str, **arguments: Any) -> tuple[int, dict]:
		"""Status and body of one POST."""
		response = self.caller.call(endpoint, token=self.token, **arguments)
		self.token = response.headers.get(TOKEN, self.token)
		self.worker = response.headers.get("X-Worker", "?")
		body = response.json()
		return response.status_code, body.get("message") or body

	def open(self, **arguments: Any) -> dict:
		status, body = self.call("open_session", **arguments)
		expect(status == 200 and body.get("session_id"), f"open_session answered {status}: {body}")
		self.session_id = body["session_id"]
		self.write(f"  (session {self.session_id} {body['origin']}, worker {self.worker})")
		return body

	def resume(self) -> dict:
		status, body = self.call("resume_session", session_id=self.session_id)
		expect(status == 200, f"resume_session answered {status}: {body}")
		self.write(
			f"  (page reloaded: state {body['state']}, {len(body['history'])} messages, from {body['origin']})"
		)
		return body

	def say(self, message: str, *, message_id: str | None = None) -> str:
		"""Send a message with an id of its own; returns what was answered."""
		return self.send(message, message_id=message_id)["replies"][-1]["content"]

	def answers(self, message: str) -> list[str]:
		"""Send a message; all that was answered."""
		return [reply["content"] for reply in self.send(message)["replies"]]

	def send(self, message: str, *, message_id: str | None = None) -> dict:
		self.write(f"  person: {message}")
		arguments = {
			"session_id": self.session_id,
			"message": message,
			"message_id": message_id or uuid.uuid4().hex,
		}
		status, body = self.call("send_message", **arguments)
		expect(status == 200, f"send_message answered {status}: {body}")
		origin = "repeated, nothing stored" if body["repeated"] else f"from {body['origin']}"
		for reply in body["replies"]:
			self.write(f"  bot:    {reply['content']}   (worker {self.worker}, {origin})")
		return body

	def history(self, **arguments: Any) -> list[dict]:
		status, body = self.call("get_history", session_id=self.session_id, **arguments)
		expect(status == 200, f"get_history answered {status}: {body}")
		return body["history"]
