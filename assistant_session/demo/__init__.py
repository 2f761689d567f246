"""Five small chatbots, each for a conversation that was lost in the field.

They are written as a user of the app would write theirs: copy from them. `respond` is what the hook
`assistant_session_responder` names; it picks the bot by the session's channel.
"""

from . import bank, clinic, pension, presentation, shop

BOTS = {"Pension": pension, "Clinic": clinic, "Bank": bank, "Presentation": presentation, "Shop": shop}


def respond(turn):
	bot = BOTS.get(turn.session.channel)
	if bot:
		bot.respond(turn)
	else:
		turn.reply("There is no bot on this channel; your message was stored.")
