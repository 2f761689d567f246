"""The database tables of a conversation. Each has one module that writes it, and no other does.

statements    running queries; the text of the hot ones is kept
row           a session as it is stored
merging       how two writers of one session meet
session_rows  Conversation Session
turns         Conversation Turn
events        Session Event: the audit trail
audit_chain   how one event is bound to the one before it
seals         digests of a session's row and of each turn
proof         the columns of an authentication
totals        Session Metric: hourly figures, and totals that only ever grow
"""
