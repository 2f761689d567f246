"""A parts shop: an order in several steps is a flow; it is still there whatever happened in between."""

import re

PICKUP = "Kharkiv Road 12, gate 3"


def respond(turn):
	session, said = turn.session, turn.message.lower()
	if wanted := re.search(r"buy (\d+) (.+)", said):
		session.set_flow("bulk_order", "collecting_contact", {"quantity": int(wanted[1]), "item": wanted[2]})
		turn.reply("To confirm your order, please give name, phone and email.")
	elif "call me" in said:
		session.set_flow("callback", "collecting_time")
		turn.reply("When may we call you?")
	elif (order := session.get_flow("bulk_order")) and "@" in said:
		session.set_flow("bulk_order", "confirming", {"contact": turn.message})
		turn.reply(f"{order.data['quantity']} {order.data['item']}: pick them up at {PICKUP}. Is that right?")
	elif order and said.startswith("yes"):
		session.clear_flow("bulk_order", completed=True)
		turn.reply("Your order is placed. Thank you!")
	else:
		turn.reply("What can I do for you?")


def migrate_bulk_order(data, from_version, to_version):
	"""Version 1 said `amount`; how an app registers it is told in docs/flows.md."""
	return {"quantity" if key == "amount" else key: value for key, value in data.items()}
