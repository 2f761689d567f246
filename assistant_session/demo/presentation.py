"""A presentation builder: a workflow of states, resumed where it was after any interruption."""


def respond(turn):
	session = turn.session
	if turn.message.lower().startswith("new topic"):
		session.clear_context(state="ASK_CLARIFYING_QUESTIONS", keep=("name",))
		turn.reply("A new topic, then. Who is it for, and how long may it take?")
		return
	STEPS.get(session.current_state, greet)(turn)


def greet(turn):
	turn.session.transition("PROVIDE_GREETING")
	turn.reply("Hello! I build presentations. What is your name?")


def ask(turn):
	turn.session.context["name"] = turn.message
	turn.session.transition("ASK_CLARIFYING_QUESTIONS")
	turn.reply(f"Nice to meet you, {turn.message}. Who is it for, and how long may it take?")


def plan(turn):
	turn.session.context["brief"] = turn.message
	turn.session.transition("CREATE_CONFIRMATION_PLAN")
	turn.reply(f"My plan for “{turn.message}”: five slides, one idea each. Shall I go on?")


def strawman(turn):
	turn.session.transition("GENERATE_STRAWMAN")
	turn.reply(f"Here is the first draft for “{turn.session.context['brief']}”.")


STEPS = {
	"PROVIDE_GREETING": ask,
	"ASK_CLARIFYING_QUESTIONS": plan,
	"CREATE_CONFIRMATION_PLAN": strawman,
}
