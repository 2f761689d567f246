"""`make chaos`: conversations go on while servers are killed, and a checker that shares no code with the app judges.

docs/chaos.md says what is done, what is checked, and which bounds hold.
"""
