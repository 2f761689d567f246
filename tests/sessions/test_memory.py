"""A turn costs the same however long the conversation is: nothing grows in it but the table."""


def test_a_turn_costs_the_same_statements_however_long_the_conversation(sessions, site, opened):
	def statements() -> list[str]:
		seen, sql = [], site.db.sql
		site.db.sql = lambda query, *arguments, **more: seen.append(str(query)) or sql(
			query, *arguments, **more
		)
		try:
			with sessions.turn(opened, "hello", message_id=f"m{sessions.get(opened).turn_count}") as turn:
				turn.reply("hi")
			site.db.commit()
		finally:
			site.db.sql = sql
		return seen

	statements()
	short = statements()
	for _number in range(100):
		with sessions.turn(opened, "hello") as turn:
			turn.reply("hi")
	site.db.commit()
	assert statements() == short
