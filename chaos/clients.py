"""People who talk while servers die: they repeat a message, with the same `message_id`, until it is acknowledged.

Every try of every call goes to the log; nothing is judged here. Each person draws from a generator of their own,
so that what they say depends on the seed alone.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from dev.harness.caller import PREFIX, TOKEN

from . import bounds
from .log import Log

LETTERS = "abcdefghijklmnop"  # nothing that could be taken for a credential or an intent
AGAIN = frozenset({409, 423, 500, 502, 503, 504})
BACKOFF = (0.05, 1.0)  # seconds, first and longest
THINKING = (0.15, 0.7)
HASTY = 0.03  # how often somebody does not wait for the answer and sends again at once
HASTY_PATIENCE = (0.005, 0.1)


@dataclass
class Site:
	"""Where the workers are, what is logged, and when the play ends (monotonic seconds)."""

	addresses: list[str]  # one for each worker
	host: str
	log: Log
	until: float
	opened: Callable[[str], None]  # told the id of each session
	living: set[str] = field(default_factory=set)

	@property
	def deadline(self) -> float:
		return self.until + bounds.GRACE

	def is_over(self) -> bool:
		return time.monotonic() >= self.until


class Unfinished(Exception):
	"""A call was not acknowledged although the faults had ended long ago."""


class Person:
	"""A page: keeps session id and token, and calls until it is answered. Two tabs share one Person."""

	def __init__(self, site: Site, name: str, seed: int):
		self.site, self.name, self.seed = site, name, seed
		self.session: str | None = None
		self.token: str | None = None

	def tab(self, number: int) -> "Tab":
		return Tab(self, random.Random(f"{self.seed}:{self.name}:{number}"))


class Tab:
	"""One connection of a person: one call at a time."""

	def __init__(self, person: Person, generator: random.Random):
		self.person, self.site, self.random = person, person.site, generator

	def think(self) -> None:
		time.sleep(self.random.uniform(*THINKING))

	def open(self, channel: str) -> None:
		self.person.session = self.person.token = None
		status, body = self.insist("open_session", {"channel": channel})
		if status != 200:
			raise Unfinished(f"open_session was answered {status}")
		self.person.session = body["session_id"]
		self.site.living.add(self.person.session)
		self.site.opened(self.person.session)

	def leave(self) -> None:
		self.site.living.discard(self.person.session)
		self.person.session = None

	def say(
		self, text: str, kind: str = "message", endpoint: str = "send_message"
	) -> tuple[int, dict[str, Any]]:
		"""Send a text with an id of its own until it is acknowledged or refused."""
		argument = "text" if endpoint == "submit_credentials" else "message"
		message_id = str(uuid.UUID(int=self.random.getrandbits(128)))
		hurried = kind == "message"
		return self.insist(
			endpoint, {argument: text, "message_id": message_id}, hurried=hurried, said=text, kind=kind
		)

	def words(self) -> str:
		return "".join(self.random.choices(LETTERS, k=16))

	def insist(
		self, call: str, arguments: dict[str, Any], *, hurried: bool = False, **noted: Any
	) -> tuple[int, dict[str, Any]]:
		"""Try until there is an answer that is no reason to try again; raises Unfinished after the deadline."""
		pause = BACKOFF[0]
		while time.monotonic() < self.site.deadline:
			patience = self._hasty_patience() if hurried else None
			status, body = self.attempt(call, arguments, patience=patience, **noted)
			if status is not None and status not in AGAIN:
				return status, body
			if patience is None:
				time.sleep(pause * self.random.uniform(0.5, 1.5))
				pause = min(pause * 2, BACKOFF[1])
		gave_up = {"session": self.person.session, "message_id": arguments.get("message_id")}
		self.site.log.write(client=self.person.name, gave_up=call, **gave_up)
		raise Unfinished(call)

	def attempt(
		self, call: str, arguments: dict[str, Any], *, patience: float | None = None, **noted: Any
	) -> tuple[int | None, dict[str, Any]]:
		"""One try; status None and an empty body if no answer came."""
		session, headers = self.person.session, {"Host": self.site.host}
		if self.person.token:
			headers[TOKEN] = self.person.token
		if session:
			arguments = {"session_id": session, **arguments}
		entry = {"client": self.person.name, "call": call, "session": session, "patience": patience, **noted}
		entry.update(message_id=arguments.get("message_id"), start=time.monotonic())
		answer = self._post(call, arguments, headers, patience, entry)
		entry["end"] = time.monotonic()
		if call == "open_session" and entry["body"]:
			entry["session"] = entry["body"].get("session_id")
		self.site.log.write(**entry)
		if answer is not None and TOKEN in answer.headers:
			self.person.token = answer.headers[TOKEN]
		return entry["status"], entry["body"] or {}

	def _post(
		self, call: str, arguments: dict, headers: dict, patience: float | None, entry: dict
	) -> requests.Response | None:
		address = self.random.choice(self.site.addresses)
		entry.update(status=None, failure=None, body=None, retry_after=None, worker=None, address=address)
		address = f"{address}{PREFIX}{call}"
		try:
			answer = requests.post(
				address, json=arguments, headers=headers, timeout=patience or bounds.PATIENCE
			)
		except requests.RequestException as error:
			entry["failure"] = type(error).__name__
			return None
		entry.update(status=answer.status_code, retry_after=answer.headers.get("Retry-After"))
		entry["worker"] = int(answer.headers.get("X-Worker", 0))
		entry["body"] = _body(answer)
		return answer

	def _hasty_patience(self) -> float | None:
		return self.random.uniform(*HASTY_PATIENCE) if self.random.random() < HASTY else None


def _body(answer: requests.Response) -> dict[str, Any] | None:
	"""The answer of one of the app's endpoints; None for Frappe's own error pages."""
	if not answer.headers.get("Content-Type", "").startswith("application/json"):
		return None
	body = answer.json()
	said = body.get("message")
	return said if isinstance(said, dict) else ({"error": body["error"]} if "error" in body else None)


def in_thread(name: str, work: Callable[[], None]) -> threading.Thread:
	thread = threading.Thread(target=work, name=name, daemon=True)
	thread.start()
	return thread
