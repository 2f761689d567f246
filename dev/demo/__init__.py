"""`make demo`: five conversations that were lost in the field, held by the app's five bots on real workers.

conversations   what is said and expected, step by step, by people and routers
verification    the first of them: who is on the other side is found out in the chat
__main__        plays them and prints what happened
"""
