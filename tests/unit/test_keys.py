"""The site's keys: one per purpose, named in what they made, and without them nothing."""

import pytest

from assistant_session.sessions.secrets import encryption, keys

PURPOSES = (keys.AUDIT, keys.IDENTITY, keys.MESSAGE, keys.ATTEMPTS, keys.DEVICE, keys.SEAL, keys.ANCHOR)


def test_each_purpose_site_and_secret_makes_another_digest(local):
	seen = {keys.digest(purpose, "same") for purpose in PURPOSES}
	local.site = "elsewhere.localhost"
	seen |= {keys.digest(purpose, "same") for purpose in PURPOSES}
	local.conf[keys.CONFIG] = {"current": "k1", "k1": "ab" * 32}
	seen |= {keys.digest(purpose, "same") for purpose in PURPOSES}
	assert len(seen) == 3 * len(PURPOSES) and all(one.startswith("k1:") for one in seen)


def test_two_lists_of_parts_never_give_the_same_bytes():
	assert (
		len({keys.framed("ab", "c"), keys.framed("a", "bc"), keys.framed("abc"), keys.framed("abc", "")}) == 4
	)


def test_after_a_rotation_old_digests_can_still_be_made(local):
	before = keys.digest(keys.IDENTITY, "hari")
	local.conf[keys.CONFIG] = {**local.conf[keys.CONFIG], "k2": "ab" * 32, "current": "k2"}
	assert keys.ids() == ["k1", "k2"]
	assert keys.digest(keys.IDENTITY, "hari") != before == keys.digest(keys.IDENTITY, "hari", key_id="k1")


@pytest.mark.parametrize(
	"broken",
	[None, {}, {"current": "k2"}, {"current": "k1", "k1": "ab"}, {"current": "current"}, {"k1": "ab" * 32}],
)
def test_without_a_whole_key_nothing_is_made_and_the_way_out_is_named(local, broken):
	local.conf[keys.CONFIG] = broken
	with pytest.raises(keys.KeyMissing, match=r"bench --site unit\.localhost assistant-session make-key"):
		keys.digest(keys.AUDIT, "same")


def test_what_is_encrypted_comes_back_and_is_not_readable():
	stored = encryption.encrypted("Hari, 84250.5 euros")
	assert "Hari" not in stored and encryption.decrypted(stored) == "Hari, 84250.5 euros"
	assert encryption.decrypted(None) is encryption.decrypted("") is None


def test_what_the_sites_key_does_not_open_is_never_taken_for_empty(local):
	stored = encryption.encrypted("Hari")
	local.conf["encryption_key"] = "B" * 43 + "="
	with pytest.raises(keys.KeyMissing, match="encryption_key"):
		encryption.decrypted(stored)
