"""The HTTP side: who calls, how often, and how an answer or an error is written. `api.py` has the endpoints."""
