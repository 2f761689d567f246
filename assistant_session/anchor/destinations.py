"""Where an anchor goes: a file that only grows, or a URL. Errors name the place without what may be secret in it."""

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import frappe
import requests
from frappe import _

from .. import json_texts

LOOPBACK = "assistant_session_anchor_loopback"
TIMEOUTS = (5, 30)  # seconds to connect, and to be answered
LAST_LINE = 1024 * 1024  # bytes in which the last line is looked for


class AnchorFailed(Exception):
	"""It could not be written: somebody must look."""


class File:
	"""One document a line. Nothing in it is ever changed."""

	def __init__(self, path: str):
		self.path = Path(path)
		if not self.path.is_absolute():
			raise AnchorFailed(_("assistant_session_anchor_file: an absolute path is needed."))

	def last(self) -> dict[str, Any] | None:
		"""The last whole line; None where there is none."""
		try:
			with self.path.open("rb") as source:
				source.seek(max(source.seek(0, os.SEEK_END) - LAST_LINE, 0))
				lines = source.read().split(b"\n")[:-1]
			return json_texts.loads(lines[-1]) if lines else None
		except FileNotFoundError:
			return None
		except (OSError, ValueError) as error:
			raise AnchorFailed(f"{self.path}: {type(error).__name__}") from error

	def put(self, line: str) -> None:
		"""Append, and return when it is on the disk."""
		try:
			opened = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
			with open(opened, "ab") as sink:
				sink.write((b"" if self._ends_whole() else b"\n") + line.encode() + b"\n")
				sink.flush()
				os.fsync(sink.fileno())
		except OSError as error:
			raise AnchorFailed(f"{self.path}: {error.strerror}") from error

	def _ends_whole(self) -> bool:
		"""Whether no line was cut off by a crash."""
		with self.path.open("rb") as source:
			size = source.seek(0, os.SEEK_END)
			source.seek(max(size - 1, 0))
			return source.read() in (b"", b"\n")


class Url:
	"""A POST of JSON; anything but 2xx is a failure."""

	def __init__(self, url: str):
		self.url, parts = url, urlsplit(url)
		self.host = parts.hostname or ""
		if not self.host or (parts.scheme != "https" and not self._may_be_plain(parts.scheme)):
			raise AnchorFailed(_("assistant_session_anchor_url: https and a host are needed."))

	def put(self, line: str) -> None:
		with requests.Session() as session:
			session.trust_env = False
			try:
				answer = session.post(
					self.url,
					data=line.encode(),
					headers={"Content-Type": "application/json"},
					timeout=TIMEOUTS,
					allow_redirects=False,
					stream=True,
				)
			except requests.RequestException as error:
				raise AnchorFailed(
					f"{self.host}: {type(error).__name__}"
				) from None  # a text of theirs has the URL
			answer.close()
		if not 200 <= answer.status_code < 300:
			raise AnchorFailed(_("{0}: status {1}").format(self.host, answer.status_code))

	def _may_be_plain(self, scheme: str) -> bool:
		return scheme == "http" and bool(frappe.local.conf.get(LOOPBACK)) and _is_loopback(self.host)


def _is_loopback(host: str) -> bool:
	try:
		return host == "localhost" or ip_address(host).is_loopback
	except ValueError:
		return False
