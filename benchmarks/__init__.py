"""What a turn and a read cost, against naive Frappe code and against bare statements; see `__main__`."""
