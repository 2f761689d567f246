"""A bank's assistant that counts what it was asked: its place in the conversation is in the context."""


def respond(turn):
	context = turn.session.context
	context["questions"] = context.get("questions", 0) + 1
	turn.reply(f"Question {context['questions']}: your branch will answer “{turn.message}” today.")
