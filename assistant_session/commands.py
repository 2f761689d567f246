"""`bench --site S assistant-session …`: what an operator looks at, and mends, from a shell.

What changes data only says what it would do unless told otherwise (`--fix`, `--yes`). Status 0: all is well or done;
1: something is wrong, or not there; 2: wrong usage. `--json` is for programs.
"""

import json
import sys
from dataclasses import asdict

import click
import frappe
from frappe.commands import pass_context

from .command_helpers import names_a_person, person_named, print_json, private, progress, site

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
	from .sessions import InvalidSessionData, report
	from .sessions.health import overview

	with site(context):
		try:
			found = {**overview.inspect(session_id), "findings": report(session_id).findings}
		except InvalidSessionData as error:
			raise click.UsageError(str(error)) from error
		if as_json:
			print_json(found)
		else:
			click.echo(overview.line(found))
			for finding in found["findings"]:
				click.echo(f"  {finding['kind']}: {finding['detail']} ({finding['remedy'] or 'left alone'})")
	sys.exit(0 if found["exists"] else 1)


@assistant_session.command("stats")
@AS_JSON
@pass_context
def stats(context, as_json: bool):
	"""Count sessions created, active, closed, expired and restored, and flows completed."""
	from . import sessions

	with site(context):
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

	with site(context):
		around = doctors.surroundings()
		with progress(doctors.count(), "sessions") as on_progress:
			seen = doctors.visit(fix=fix, deep=not quick, after=after, on_progress=on_progress)
	if as_json:
		print_json(_visit(seen, around))
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
	from .sessions.operations import expiry

	with site(context):
		overdue = expiry.count_overdue()
		done = {}
		if yes:
			with progress(sum(overdue.values()), "ended") as on_progress:
				done = maintenance.expire_all(on_progress)
	if as_json:
		print_json({"overdue": overdue, "ended": done})
		return
	for kind, number in (done if yes else overdue).items():
		click.echo(f"{kind:16} {number}")
	if not yes and any(overdue.values()):
		click.echo("Nothing was changed. Say --yes to end them.")


@assistant_session.command("export")
@names_a_person
@click.option(
	"--output", type=click.Path(dir_okay=False), help="A file for its owner alone. Default: standard output."
)
@click.option("--transcript", is_flag=True, help="To read, instead of one JSON object a line.")
@pass_context
def export(context, output: str | None, transcript: bool, **named):
	"""Hand out everything held about one person, named in exactly one way. Status 1 if there is nothing."""
	from .privacy import person
	from .sessions import InvalidSessionData

	with site(context):
		try:
			whom = person_named(named)
			person.note_export(whom, how="command line")
			frappe.db.commit()  # the command owns its transaction
		except InvalidSessionData as error:
			raise click.UsageError(str(error)) from error
		number = 0
		with private(output) as sink:
			for one in person.export(whom):
				text = person.transcript(one) if transcript else json.dumps(one, ensure_ascii=False)
				print(text, file=sink, flush=True)
				number += 1
	click.echo(f"{number} sessions.", err=True)
	sys.exit(0 if number else 1)


@assistant_session.command("erase")
@names_a_person
@click.option("--yes", is_flag=True, help="Do it. Without it only says what would go.")
@click.option(
	"--output", type=click.Path(dir_okay=False), help="A file for the receipt. Default: standard output."
)
@pass_context
def erase(context, yes: bool, output: str | None, **named):
	"""Erase everything about one person, named in exactly one way; prints a signed receipt, as JSON.

	Sessions under legal hold stay, and the receipt names them. Status 1 if there was nothing, or anything stayed.
	"""
	from .privacy import erasing
	from .sessions import InvalidSessionData, SessionError

	with site(context):
		try:
			whom = person_named(named)
			if not yes:
				print_json({"would_erase": whom.sessions()})
				click.echo("Nothing was changed. Say --yes to erase.", err=True)
				return
			with private(output) as sink:  # if there is no place for the receipt, nothing is erased
				receipt = erasing.erase(whom)
				frappe.db.commit()  # the command owns its transaction; only now the receipt is signed
				print(json.dumps(receipt.as_dict(), ensure_ascii=False), file=sink)
		except InvalidSessionData as error:
			raise click.UsageError(str(error)) from error
		except SessionError as error:
			raise click.ClickException(str(error)) from error
	sys.exit(0 if receipt.digest and receipt.sessions and not (receipt.kept or receipt.left) else 1)


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

	with site(context):
		found = retention.count(days)
		removed = 0
		if yes:
			with progress(found["sessions"], "rows") as on_progress:
				removed = retention.purge(days, on_progress=on_progress)
	if as_json:
		print_json({**found, "removed_rows": removed})
		return
	click.echo(
		f"{found['sessions']} sessions ended more than {days} days ago; {found['held']} more are under legal hold."
	)
	click.echo(f"{removed} rows were removed." if yes else "Nothing was changed. Say --yes to remove them.")


@assistant_session.command("anchor")
@click.option(
	"--verify", "file", type=click.File(), help="Compare a file of anchors with the database; writes nothing."
)
@AS_JSON
@pass_context
def anchor(context, file, as_json: bool):
	"""Write down, outside the database, how far each audit trail has come. Status 1 if there is no place for it, it failed,
	or, with --verify, something does not fit."""
	from .anchor import anchoring as anchors
	from .anchor import verifying
	from .sessions import SessionError

	with site(context):
		if file:
			verdict = verifying.verify(file)
			print_json(asdict(verdict)) if as_json else _print_verdict(verdict)
			sys.exit(1 if verdict.unfitting else 0)
		try:
			written = anchors.write()
		except (anchors.AnchorFailed, SessionError) as error:
			raise click.ClickException(str(error)) from error
	if written is None:
		raise click.ClickException(f"Neither {anchors.FILE} nor {anchors.URL} is in site_config.json.")
	if as_json:
		print_json(written)
	else:
		click.echo(f"{written['sessions']} sessions anchored, in {written['documents']} documents.")


@assistant_session.command("make-key")
@pass_context
def make_key(context):
	"""Make the site's key for audit and identities, if it has none."""
	from .sessions.secrets import keys

	with site(context):
		made = keys.ensure()
	click.echo("A key was made and written to site_config.json." if made else "The site has a key already.")


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


def _print_verdict(verdict) -> None:
	for text in verdict.problems:
		click.echo(text)
	if (more := verdict.unfitting - len(verdict.problems)) > 0:
		click.echo(f"… and {more} more")
	click.echo(
		f"{verdict.documents} documents, {verdict.entries} entries, {verdict.gone} of sessions that are gone: "
		f"{f'{verdict.unfitting} do not fit' if verdict.unfitting else 'all fit'}."
	)


commands = [assistant_session]
