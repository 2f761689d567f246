"""Migrations of a flow that go wrong, as the hooks of an app may name them."""


def migrate_and_fail(data, from_version, to_version, step):
	raise KeyError(data.pop("treatment"))


def migrate_to_nothing(data, from_version, to_version, step):
	return None


def migrate_to_no_step(data, from_version, to_version, step):
	return data, ""
