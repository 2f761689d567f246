"""`bench --site S assistant-session …`: what an operator looks at from a shell."""

import json
import sys

import click
import frappe
from frappe.commands import get_site, pass_context


@click.group("assistant-session")
def assistant_session():
	"""Conversation sessions: inspect one, count all, make the site's key."""


@assistant_session.command("inspect", context_settings={"ignore_unknown_options": True})
@click.argument("session_id")
@click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
@pass_context
def inspect(context, session_id: str, as_json: bool):
	"""Show one session and what a reconnect would do, on one line. Status 1 if there is none."""
	from .sessions import InvalidSessionData, inspection

	with _site(context):
		try:
			found = inspection.inspect(session_id)
		except InvalidSessionData as error:
			raise click.UsageError(str(error)) from error
		click.echo(json.dumps(found, default=str, ensure_ascii=False) if as_json else inspection.line(found))
	sys.exit(0 if found["exists"] else 1)


@assistant_session.command("stats")
@click.option("--json", "as_json", is_flag=True)
@pass_context
def stats(context, as_json: bool):
	"""Count sessions created, active, closed, expired and restored, and flows completed."""
	from . import sessions

	with _site(context):
		counts = sessions.counts()
	if as_json:
		click.echo(json.dumps(counts))
	else:
		for name, number in counts.items():
			click.echo(f"{name:16} {number}")


@assistant_session.command("make-key")
@pass_context
def make_key(context):
	"""Make the site's key for audit and identities, if it has none."""
	from .sessions import keys

	with _site(context):
		made = keys.ensure()
	click.echo("A key was made and written to site_config.json." if made else "The site has a key already.")


class _site:
	"""Connected to the site of the command line for as long as the block runs."""

	def __init__(self, context):
		self.site = get_site(context)

	def __enter__(self):
		frappe.init(self.site)
		frappe.connect()

	def __exit__(self, *_error):
		frappe.destroy()


commands = [assistant_session]
