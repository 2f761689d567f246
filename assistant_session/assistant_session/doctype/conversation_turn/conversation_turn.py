from assistant_session.sessions.desk import WrittenOnce


class ConversationTurn(WrittenOnce):
	"""One message. Written once by the service, never edited; it goes when its session goes."""
