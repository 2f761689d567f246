"""Members of the pension fund: how they are asked, and what they type, right and wrong."""

import pytest

from assistant_session.demo import directory
from tests import checks


@pytest.fixture
def authentication(site):
	from assistant_session import authentication

	return authentication


@pytest.fixture
def member(site):
	return directory.new_member("Hari")


@pytest.fixture
def asked(authentication, site, opened):
	"""A session in which the person was asked who they are."""
	assert not authentication.require(opened, "pension_inquiry", checks.QUESTION).open
	site.db.commit()
	return opened


def wrong(member) -> str:
	return f"{member.number} {directory.national_number()}"


def right(member) -> str:
	return f"{member.number} {member.national_number}"
