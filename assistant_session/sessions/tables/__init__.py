"""The database tables of a conversation. Each has one module that writes it, and no other does.

statements    SQL built once per database kind, then reused
row           a session as it is stored; how two writers merge
session_rows  Conversation Session
turns         Conversation Turn
events        Session Event: the audit trail, chained
seals         digests of a session's row and of each turn
proof         the columns of an authentication
"""
