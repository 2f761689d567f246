"""One person's data: found, handed out, erased.

person    whom it is about, and everything held about them
erasing   taken out of sessions, memory and Redis
traces    what the framework keeps about sessions outside our tables
queues    what waits in Redis
requests  Frappe's own requests for personal data
"""
