"""One HTTP caller of the site: a person's page, a router, or somebody who should not be there."""

import requests

PREFIX = "/api/method/assistant_session.api."
TOKEN = "X-Assistant-Session-Token"


class Caller:
	"""`call` takes an endpoint of api.py, `ask` any path of the site. `key` is a Frappe API key for a logged-in user."""

	def __init__(self, url: str, site: str, *, key: str | None = None, device: str | None = None):
		self.url, self.site, self.key, self.device = url, site, key, device
		self.session_id: str | None = None
		self.token: str | None = None

	def ask(self, method: str, path: str, *, headers: dict | None = None, **more) -> requests.Response:
		sent = {"Host": self.site, "X-Frappe-Site-Name": self.site}
		if self.key:
			sent["Authorization"] = f"token {self.key}"
		if self.device:
			sent["X-Device-ID"] = self.device
		sent.update(headers or {})
		return requests.request(method, self.url + path, headers=sent, timeout=60, **more)

	def call(
		self, endpoint: str, *, token: str | None = None, headers: dict | None = None, **arguments
	) -> requests.Response:
		sent = {**({TOKEN: token} if token else {}), **(headers or {})}
		return self.ask("POST", PREFIX + endpoint, json=arguments, headers=sent)

	def open(self, **arguments) -> "Caller":
		"""Open a session and keep what a page keeps."""
		response = self.call("open_session", **arguments)
		assert response.status_code == 200, response.text
		self.session_id = response.json()["message"]["session_id"]
		self.token = response.headers.get(TOKEN)
		return self

	def own(self, endpoint: str, **arguments) -> requests.Response:
		"""Call with the caller's own session and token."""
		return self.call(endpoint, token=self.token, session_id=self.session_id, **arguments)

	def history(self) -> list[dict]:
		return self.own("get_history").json()["message"]["history"]
