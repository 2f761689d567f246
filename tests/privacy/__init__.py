"""One person's data: export, erasure, legal hold."""
