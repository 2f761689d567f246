"""As of when a session is read: the one place that decides it.

A transaction sees the database as it was at its first read. Whoever waits, or runs for long, would go on with an old
session. So each read says from where it looks:

    HERE       this transaction's own view
    COMMITTED  what is committed right now, on a second connection; locks nothing, ends nothing
    LOCKED     what is committed right now, locked until this transaction ends

    what is so                                                        a session is read
    its row is locked by this transaction instead of a lease          LOCKED
    this transaction wrote it                                         HERE
    its message is processed, in a transaction begun after the lease  HERE
    its message is processed, in a transaction from before            COMMITTED
    else, in a request: its view is as young as the request           HERE
    else, in a job or a console: its view may be hours old            COMMITTED
"""

from enum import Enum


class Vantage(Enum):
	HERE = "here"
	COMMITTED = "committed"
	LOCKED = "locked"


HERE, COMMITTED, LOCKED = Vantage.HERE, Vantage.COMMITTED, Vantage.LOCKED


def of(
	*, in_request: bool, written: bool = False, young: bool | None = None, row_is_locked: bool = False
) -> Vantage:
	"""The table above. `young` is None where no message is processed, else whether the transaction was begun after the
	lease was got."""
	if row_is_locked:
		return LOCKED
	if written:
		return HERE
	if young is None:
		young = in_request
	return HERE if young else COMMITTED
