"""Pages in a browser, and what staff may change there."""
