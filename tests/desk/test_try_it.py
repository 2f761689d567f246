"""*Try it* of an Identity Check, in a browser: who is locked out is told until when, and goes on."""

import pytest

from assistant_session.demo import directory
from tests import checks
from tests.browser import NARROW, WIDE
from tests.callers import SUPERUSER
from tests.people import right, wrong


@pytest.fixture
def try_it(desk, site):
	"""`try_it(page, text)` types it into the open dialog; the answer."""
	from assistant_session.authentication.lockout import SESSION, UNLOCKED, Bucket

	for bucket in (Bucket.of(SESSION, "tried by", SUPERUSER), Bucket.of(UNLOCKED, f"tried by {SUPERUSER}")):
		site.db.delete("Verification Attempt", bucket.name)
	site.db.commit()

	def fill(page, text: str) -> str:
		page.page.locator(".modal.show textarea").fill(text)
		page.page.get_by_role("button", name="Ask the verifier").click()
		answer = page.page.locator(".modal.show .msgprint")
		answer.wait_for()
		page.wait()
		return answer.inner_text()

	return fill


def test_who_is_locked_out_by_trying_is_told_until_when_and_releases_it(desk, try_it, member):
	"""On a telephone; where there is more room the button stands beside the form's others."""
	page = desk(width=NARROW).open("identity-check", directory.CHECK)
	for attempt in range(3):
		_open_dialog(page)
		answer = try_it(page, wrong(member))
		assert ("No more tries for 15 minutes, until " in answer) is (attempt == 2)
		if attempt < 2:
			_close(page)
	page.screenshot("try-it-locked")
	page.page.get_by_role("button", name="Release my tries").click()
	page.page.locator(".modal.show textarea").wait_for()
	page.screenshot("try-it-again")
	answer = try_it(page, right(member))
	page.screenshot("try-it-verified")
	assert answer.startswith("Verified.") and "Release" not in page.page.locator(".modal.show").inner_text()
	assert (page.errors, page.dialogs) == ([], [])
	_close(page)
	assert page.shows("released their own tries")


def _close(page) -> None:
	"""Also one that is still being drawn, which does not close yet."""
	page.page.wait_for_function(
		"() => { frappe.hide_msgprint(true); return !document.querySelector('.modal.show') }"
	)
	page.wait()


def _open_dialog(page) -> None:
	menu = page.page.locator(".menu-btn-group button, .actions-btn-group button")
	menu.filter(visible=True).first.click()
	page.page.locator(".dropdown-menu.show").get_by_text("Try it").click()
	page.page.locator(".modal.show textarea").wait_for()


@pytest.fixture
def births(site, bench):
	from tests.authentication.test_dates_as_credentials import BIRTH, REGISTER, _make_register

	_make_register(site)
	values = checks.values(f"Births {site.generate_hash(length=8)}", verify_doctype=REGISTER)
	values["credentials"] = [{**BIRTH, "example": "17/05/1984", "normalisation": "Letters and digits"}]
	values["fields"] = [{"kind": "Credential", "key": "birth", "field": "birth"}]
	document = site.get_doc(values).insert()
	site.db.commit()
	yield document.name
	site.delete_doc("Identity Check", document.name)
	site.db.commit()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_saving_warns_of_a_date_field_without_its_normalisation(desk, births, width):
	page = desk(width=width).open("identity-check", births)
	assert width == NARROW or page.page.get_by_role("button", name="Try it").is_visible()
	page.page.evaluate("() => cur_frm.set_value('level', cur_frm.doc.level).then(() => cur_frm.dirty())")
	page.page.evaluate("() => cur_frm.save()")
	warning = page.page.locator(".modal.show .msgprint")
	warning.wait_for()
	page.screenshot(f"date-warning-{width}")
	assert "choose its normalisation Date" in warning.inner_text()
	assert (page.errors, page.dialogs) == ([], [])
