"""The audit trail of a session as it is stored, and whether its chain fits."""

FIELDS = ["session", "sequence", "event", "actor", "details", "salt", "creation", "digest"]


def trail(site, name: str) -> list:
	return site.get_all("Session Event", {"session": name}, FIELDS, order_by="sequence")


def whole(site, name: str) -> bool:
	"""Whether the chain fits, computed from what is stored."""
	from assistant_session.sessions.tables import audit_chain

	head = ""
	for event in trail(site, name):
		said = audit_chain.commitment(event.actor, event.details, event.salt)
		head = audit_chain.link(head, name, event.sequence, event.event, said, event.creation)
		if head != event.digest:
			return False
	count, stored = site.db.get_value("Conversation Session", name, ["event_count", "event_head"])
	return (count, stored) == (len(trail(site, name)), head)
