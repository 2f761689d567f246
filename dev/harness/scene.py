"""What a conversation of the demo has at hand."""

from dataclasses import dataclass

import frappe

from .client import Client, Print
from .stage import Stage


@dataclass
class Scene:
	"""The stage, the customers' API keys, where the transcript goes, and a connection to look behind."""

	stage: Stage
	keys: dict[str, str]
	write: Print

	def client(self, **more) -> Client:
		return Client(self.stage.url, self.stage.site, self.write, **more)

	def restart(self) -> None:
		self.write("  --- all workers killed (SIGKILL), new ones started ---")
		self.stage.restart()

	def fresh(self):
		"""The database as it is now, from this process."""
		frappe.db.rollback()
		return frappe.db
