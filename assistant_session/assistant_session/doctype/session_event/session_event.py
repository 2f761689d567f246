from assistant_session.sessions.desk import WrittenOnce


class SessionEvent(WrittenOnce):
	"""One entry of the audit chain: nobody edits or deletes it, the user Administrator included."""
