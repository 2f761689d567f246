"""Frappe's public web forms for personal data: anybody can file one, and nobody gets what is somebody else's."""

import json
import secrets

import pytest

from assistant_session.privacy import requests
from dev.harness.caller import Caller
from dev.harness.users import new_user
from tests.callers import SUPERUSER, key_of
from tests.conftest import SITE
from tests.privacy.test_personal_data import _queued, mailed, theirs, website_user

__all__ = ["mailed", "theirs", "website_user"]

ACCEPT = "/api/method/frappe.website.doctype.web_form.web_form.accept"
JOB = "assistant_session.privacy.requests.hand_out"


@pytest.fixture
def stranger(site):
	return _user(site, f"stranger-{secrets.token_hex(4)}@example.com")


@pytest.fixture
def manager(site):
	document = _user(site, f"manager-{secrets.token_hex(4)}@example.com")
	document.user_type = "System User"
	document.add_roles("System Manager")
	site.db.commit()
	return document


def _user(site, email: str):
	user = new_user(email)
	site.db.commit()
	return user


@pytest.fixture
def file_request(workers, site):
	"""`file_request(author, user)` fills in the web form `request-data`; what was queued for it, and its name."""

	def ask(author: str | None, user: str) -> tuple[str, list[dict]]:
		caller = Caller(workers.url, SITE, key=key_of(author) if author else None)
		address = {
			"X-Forwarded-For": f"198.51.100.{secrets.randbelow(250)}"
		}  # the form's limit is per address
		form = {"web_form": "request-data", "data": json.dumps({"user": user})}
		answer = caller.ask("POST", ACCEPT, json=form, headers=address)
		assert answer.status_code == 200, answer.text
		name = answer.json()["message"]["name"]
		site.db.rollback()
		return name, _queued(site, JOB, name)

	return ask


def _handed_out(site, name: str) -> list:
	like = ("like", f"{requests.HANDED_OUT}{name}%")
	return site.get_all("File", {"file_name": like}, ["name", "owner", "attached_to_name"])


def test_who_asks_for_their_own_data_gets_it_alone(
	file_request, website_user, theirs, stranger, site, mailed
):
	name, (job,) = file_request(website_user, website_user)
	site.set_user(website_user)  # as the job runs
	requests.hand_out(**job)
	site.db.commit()
	(file,) = _handed_out(site, name)
	assert (file.owner, file.attached_to_name) == (website_user, None)
	document = site.get_doc("File", file.name)
	assert "my cat is called Momo" in document.get_content()
	users = (website_user, stranger.name, "Guest")
	assert [user for user in users if site.has_permission("File", doc=document, user=user)] == [website_user]
	assert mailed[0]["recipients"] == website_user


@pytest.mark.parametrize("author", ["guest", "stranger"])
def test_who_names_somebody_else_gets_nothing(
	author, file_request, website_user, theirs, stranger, site, mailed
):
	asker = stranger.name if author == "stranger" else None
	name, jobs = file_request(asker, website_user)
	assert jobs == []
	site.set_user(asker or "Guest")
	requests.hand_out(name, website_user, asker or "Guest")  # a job from before the question was asked
	assert _handed_out(site, name) == [] and mailed == []


def test_a_system_manager_asks_for_somebody_who_alone_gets_it(
	file_request, website_user, theirs, manager, site, mailed
):
	name, (job,) = file_request(manager.name, website_user)
	site.set_user(manager.name)
	requests.hand_out(**job)
	site.db.commit()
	(file,) = _handed_out(site, name)
	document = site.get_doc("File", file.name)
	assert file.owner == website_user and not site.has_permission("File", doc=document, user=manager.name)
	assert [mail["recipients"] for mail in mailed] == [website_user]


@pytest.mark.parametrize("change", ["another user", "not a manager any more", "disabled"])
def test_what_changed_before_the_job_runs_is_noticed(
	change, file_request, website_user, theirs, stranger, manager, site, mailed
):
	author = manager.name if change == "not a manager any more" else website_user
	name, (job,) = file_request(author, website_user)
	if change == "another user":
		site.db.set_value(requests.DOWNLOAD, name, "user", stranger.name)
	elif change == "disabled":
		site.db.set_value("User", website_user, "enabled", 0)
	else:
		site.db.delete("Has Role", {"parent": manager.name, "role": "System Manager"})
		site.clear_cache(user=manager.name)
	site.db.commit()
	requests.hand_out(**job)
	assert _handed_out(site, name) == [] and mailed == []


def test_a_manager_who_only_says_that_somebody_was_deleted_erases_nobody(
	website_user, theirs, manager, site, mailed, sessions
):
	request = site.get_doc({"doctype": requests.DELETION, "email": website_user})
	request.insert(ignore_permissions=True)
	site.set_user(manager.name)
	request.db_set("status", "Deleted")
	request.reload()
	request.status = "Deleted"
	request.save()
	site.db.commit()
	assert len(sessions.history(theirs)) == 2


def test_a_form_that_says_deleted_erases_nobody(website_user, theirs, stranger, site, mailed, sessions):
	"""A site may have a web form of its own that lets people set any field."""
	site.set_user(stranger.name)
	values = {"doctype": requests.DELETION, "email": website_user, "status": "Deleted"}
	site.get_doc(values).insert(ignore_permissions=True)
	site.db.commit()
	assert len(sessions.history(theirs)) == 2


def test_copies_in_the_hands_of_strangers_are_taken_back_at_migration(
	website_user, theirs, stranger, site, mailed
):
	from assistant_session.patches import take_back_handed_out

	site.db.delete("File", {"file_name": ("like", f"{requests.HANDED_OUT}%")})
	files = {}
	for author in (website_user, stranger.name):
		site.set_user(author)
		request = site.get_doc({"doctype": requests.DOWNLOAD, "user": website_user, "user_name": "Maya"})
		request.insert(ignore_permissions=True)
		about = {"attached_to_doctype": requests.DOWNLOAD, "attached_to_name": request.name}
		files[author] = requests._file(
			f"Conversations-{request.name}.json", secrets.token_hex(20), **about
		).name
	site.set_user(SUPERUSER)
	take_back_handed_out.execute()
	site.db.commit()
	assert not site.db.exists("File", files[stranger.name])
	kept = site.get_doc("File", files[website_user])
	assert kept.owner == website_user and kept.attached_to_name is None
