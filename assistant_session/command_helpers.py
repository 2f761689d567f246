"""What the commands share: the site, progress, files for their owner alone, and how a person is named."""

import json
import os
import sys
from contextlib import contextmanager
from typing import Any

import click
import frappe
from frappe.commands import get_site


def print_json(value: dict) -> None:
	click.echo(json.dumps(value, default=str, ensure_ascii=False))


class progress:
	"""How far it is, on a terminal; `on_progress(n)` says how many are done."""

	def __init__(self, total: int, what: str):
		self.bar: Any = click.progressbar(length=max(total, 1), label=what, file=sys.stderr)

	def __enter__(self):
		self.bar.__enter__()
		return lambda done: self.bar.update(max(done - self.bar.pos, 0))

	def __exit__(self, *error):
		return self.bar.__exit__(*error)


class site:
	"""Connected to the site of the command line for as long as the block runs."""

	def __init__(self, context):
		self.site = get_site(context)

	def __enter__(self):
		frappe.init(self.site)
		frappe.connect()

	def __exit__(self, *_error):
		frappe.destroy()


def person_named(named: dict):
	from .privacy.person import Person

	given = {way: value or None for way, value in named.items()}
	if given["identity"]:
		given["identity"] = (given["identity"], click.prompt("Credential", hide_input=True, err=True))
	return Person.of(**given)


def names_a_person(command):
	"""The options by which a person is named."""
	for option in reversed(
		(
			click.option("--user", help="A Frappe user."),
			click.option("--party", nargs=2, help="DocType and name."),
			click.option("--device", help="A device id."),
			click.option("--address", nargs=2, help="Channel and external id."),
			click.option("--session", help="One session id."),
			click.option(
				"--identity",
				metavar="CHECK",
				help="An Identity Check; the credential is asked for, and not shown.",
			),
		)
	):
		command = option(command)
	return command


@contextmanager
def private(path: str | None):
	"""Standard output, or a new file that only its owner may read."""
	if path is None:
		yield sys.stdout
		return
	try:
		opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
	except OSError as error:
		raise click.ClickException(f"{path}: {error.strerror}") from error
	with open(opened, "w") as sink:
		yield sink
