"""`bench --site S assistant-session …`: what an operator looks at, and mends, from a shell.

What changes data only says what it would do unless told otherwise (`--fix`, `--yes`). Status 0: all is well or done;
1: something is wrong, or not there; 2: wrong usage. `--json` is for programs.
"""

import json
import os
import sys
from contextlib import contextmanager

import click
import frappe
from frappe.commands import get_site, pass_context

AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group("assistant-session")
def assistant_session():
	"""Conversation sessions: inspect one, count all, find and mend damage, expire, make the site's key."""


@assistant_session.command("inspect", context_settings={"ignore_unknown_options": True})
@click.argument("session_id")
@click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
@pass_context
def inspect(context, session_id: str, as_json: bool):
	"""Show one session and what a reconnect would do, on one line, and below it what is wrong. Status 1 if there is none."""
	from .sessions import InvalidSessionData, inspection, report

	with _site(context):
		try:
			found = {**inspection.inspect(session_id), "findings": report(session_id).findings}
		except InvalidSessionData as error:
			raise click.UsageError(str(error)) from error
		if as_json:
			_print_json(found)
		else:
			click.echo(inspection.line(found))
			for finding in found["findings"]:
				click.echo(f"  {finding['kind']}: {finding['detail']} ({finding['remedy'] or 'left alone'})")
	sys.exit(0 if found["exists"] else 1)


@assistant_session.command("stats")
@AS_JSON
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


@assistant_session.command("doctor")
@click.option("--fix", is_flag=True, help="Mend what has one right answer. Without it nothing is changed.")
@click.option(
	"--quick", is_flag=True, help="Compare counts only: neither event digests nor the metadata of turns."
)
@click.option("--after", default="", help="Go on after this session id, where a visit was interrupted.")
@AS_JSON
@pass_context
def doctor(context, fix: bool, quick: bool, after: str, as_json: bool):
	"""Look at every session and at what is around them. Status 1 if anything is wrong and was not mended."""
	from .maintenance import doctor as doctors

	with _site(context):
		around = doctors.surroundings()
		with _progress(doctors.count(), "sessions") as told:
			seen = doctors.visit(fix=fix, deep=not quick, after=after, told=told)
	if as_json:
		_print_json(_visit(seen, around))
	else:
		_print_visit(seen, around, fix)
	sys.exit(0 if seen.sound and not around else 1)


@assistant_session.command("expire")
@click.option("--yes", is_flag=True, help="Do it. Without it only counts.")
@AS_JSON
@pass_context
def expire(context, yes: bool, as_json: bool):
	"""End sessions, agent locks and authentications whose time is over, in short transactions."""
	from . import maintenance

	with _site(context):
		overdue = maintenance.overdue_counts()
		done = {}
		if yes:
			with _progress(sum(overdue.values()), "ended") as told:
				done = maintenance.expire_all(told)
	if as_json:
		_print_json({"overdue": overdue, "ended": done})
		return
	for kind, number in (done if yes else overdue).items():
		click.echo(f"{kind:16} {number}")
	if not yes and any(overdue.values()):
		click.echo("Nothing was changed. Say --yes to end them.")


@assistant_session.command("export")
@click.option("--user", help="A Frappe user.")
@click.option("--party", nargs=2, help="DocType and name.")
@click.option("--device", help="A device id.")
@click.option("--address", nargs=2, help="Channel and external id.")
@click.option("--session", help="One session id.")
@click.option(
	"--identity", metavar="CHECK", help="An Identity Check; the credential is asked for, and not shown."
)
@click.option(
	"--output", type=click.Path(dir_okay=False), help="A file for its owner alone. Default: standard output."
)
@click.option("--transcript", is_flag=True, help="To read, instead of one JSON object a line.")
@pass_context
def export(context, output: str | None, transcript: bool, **named):
	"""Hand out everything held about one person, named in exactly one way. Status 1 if there is nothing."""
	from .maintenance import person
	from .sessions import InvalidSessionData

	with _site(context):
		try:
			found = person.export(_person(named))
		except InvalidSessionData as error:
			raise click.UsageError(str(error)) from error
		number = 0
		with _private(output) as sink:
			for one in found:
				text = person.transcript(one) if transcript else json.dumps(one, ensure_ascii=False)
				print(text, file=sink, flush=True)
				number += 1
	click.echo(f"{number} sessions.", err=True)
	sys.exit(0 if number else 1)


@assistant_session.command("purge")
@click.option(
	"--older-than", "days", type=click.IntRange(min=1), required=True, help="Days since they ended."
)
@click.option("--yes", is_flag=True, help="Do it. Without it only counts.")
@AS_JSON
@pass_context
def purge(context, days: int, yes: bool, as_json: bool):
	"""Remove sessions that ended long ago, with their turns and events; those under legal hold stay."""
	from .maintenance import retention

	with _site(context):
		found = retention.count(days)
		removed = 0
		if yes:
			with _progress(found["sessions"], "rows") as told:
				removed = retention.purge(days, told=told)
	if as_json:
		_print_json({**found, "removed_rows": removed})
		return
	click.echo(
		f"{found['sessions']} sessions ended more than {days} days ago; {found['held']} more are under legal hold."
	)
	click.echo(f"{removed} rows were removed." if yes else "Nothing was changed. Say --yes to remove them.")


@assistant_session.command("make-key")
@pass_context
def make_key(context):
	"""Make the site's key for audit and identities, if it has none."""
	from .sessions import keys

	with _site(context):
		made = keys.ensure()
	click.echo("A key was made and written to site_config.json." if made else "The site has a key already.")


def _person(named: dict):
	from .maintenance.person import Person

	given = {kind: value for kind, value in named.items() if value}
	if len(given) != 1:
		raise click.UsageError(
			"Name the person in exactly one way: " + ", ".join(f"--{kind}" for kind in named)
		)
	((kind, value),) = given.items()
	if kind == "identity":
		return Person.by_identity(value, click.prompt("Credential", hide_input=True, err=True))
	values = value if isinstance(value, tuple) else (value,)
	return getattr(Person, f"by_{kind}")(*values)


@contextmanager
def _private(path: str | None):
	"""Standard output, or a file that only its owner may read."""
	if path is None:
		yield sys.stdout
		return
	with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as sink:
		yield sink


def _visit(seen, around: list[str]) -> dict:
	return {
		"examined": seen.examined,
		"counts": dict(seen.counts),
		"repaired": dict(seen.repaired),
		"failed": seen.failed,
		"surroundings": around,
		"findings": [
			{"session": one.session, "kind": one.kind, "detail": one.detail, "remedy": one.remedy}
			for one in seen.findings
		],
	}


def _print_visit(seen, around: list[str], fix: bool) -> None:
	for text in around:
		click.echo(f"! {text}")
	for one in seen.findings:
		click.echo(f"{one.session}: {one.kind}: {one.detail} → {one.remedy or 'left alone'}")
	if (more := sum(seen.counts.values()) - len(seen.findings)) > 0:
		click.echo(f"… and {more} more")
	for kind, number in sorted(seen.counts.items()):
		click.echo(f"{kind}: {number} found, {seen.repaired[kind]} mended")
	for text in seen.failed:
		click.echo(f"not mended now: {text}")
	click.echo(f"{seen.examined} sessions examined: {'sound' if seen.sound else 'see above'}.")
	if not fix and any(one.remedy for one in seen.findings):
		click.echo("Nothing was changed. Say --fix to mend what has a remedy.")


def _print_json(value: dict) -> None:
	click.echo(json.dumps(value, default=str, ensure_ascii=False))


class _progress:
	"""How far it is, on a terminal; `told(n)` says how many are done."""

	def __init__(self, total: int, what: str):
		self.bar = click.progressbar(length=max(total, 1), label=what, file=sys.stderr)

	def __enter__(self):
		self.bar.__enter__()
		return lambda done: self.bar.update(max(done - self.bar.pos, 0))

	def __exit__(self, *error):
		return self.bar.__exit__(*error)


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
