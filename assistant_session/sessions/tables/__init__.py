"""The database tables of a conversation. Each has one module that writes it, and no other does.

statements    running queries; the text of the hot ones is kept
row           a session as it is stored; how two writers merge
session_rows  Conversation Session
turns         Conversation Turn
events        Session Event: the audit trail, chained
seals         digests of a session's row and of each turn
proof         the columns of an authentication
totals        Session Metric: hourly figures, and totals that only ever grow
"""
