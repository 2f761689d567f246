"""As of when a session is read: the table of the module, row by row, and every combination that is not in it by name."""

from itertools import product

import pytest

from assistant_session.sessions import vantage
from assistant_session.sessions.vantage import COMMITTED, HERE, LOCKED

BOTH = (True, False)
NOT_PROCESSED = None
# (its row is locked, this transaction wrote it, the transaction is younger than the lease, in a request): vantage
TABLE = {
	"its row is locked by this transaction instead of a lease": ((True,), BOTH, (*BOTH, NOT_PROCESSED), BOTH, LOCKED),
	"this transaction wrote it": ((False,), (True,), (*BOTH, NOT_PROCESSED), BOTH, HERE),
	"its message is processed, in a transaction begun after the lease": ((False,), (False,), (True,), BOTH, HERE),
	"its message is processed, in a transaction from before": ((False,), (False,), (False,), BOTH, COMMITTED),
	"else, in a request: its view is as young as the request": ((False,), (False,), (NOT_PROCESSED,), (True,), HERE),
	"else, in a job or a console: its view may be hours old": (
		(False,), (False,), (NOT_PROCESSED,), (False,), COMMITTED,
	),
}  # fmt: skip


@pytest.mark.parametrize("what", TABLE)
def test_each_row_of_the_table_holds_whatever_else_is_so(what):
	locked, wrote, young, requests, expected = TABLE[what]
	for row_is_locked, written, age, in_request in product(locked, wrote, young, requests):
		seen = vantage.of(in_request=in_request, written=written, young=age, row_is_locked=row_is_locked)
		assert seen is expected


def test_the_rows_of_the_table_are_those_of_the_module_and_cover_everything():
	for what in TABLE:
		assert what in vantage.__doc__
	covered = [one for *ranges, _expected in TABLE.values() for one in product(*ranges)]
	assert len(covered) == len(set(covered)) == 2 * 2 * 3 * 2
	last = vantage.__doc__.rstrip().splitlines()[-len(TABLE) :]
	assert [line.split()[-1] for line in last] == [expected.name for *_ranges, expected in TABLE.values()]


def test_unless_somebody_says_otherwise_nothing_was_written_and_nothing_is_processed():
	assert (vantage.of(in_request=True), vantage.of(in_request=False)) == (HERE, COMMITTED)
