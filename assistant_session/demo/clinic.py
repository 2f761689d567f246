"""A clinic's front desk: once the person wants an appointment, the scheduling agent has the conversation."""


def respond(turn):
	session, said = turn.session, turn.message.lower()
	if session.active_agent == "scheduling":
		session.context["wish"] = turn.message
		turn.reply(f"[scheduling] {turn.message.capitalize()} is noted. A nurse will confirm it.")
	elif "schedule" in said or "appointment" in said:
		session.lock_agent("scheduling")
		turn.reply("[scheduling] When would you like to come?")
	else:
		turn.reply("[front desk] Welcome to the clinic. How can I help?")
