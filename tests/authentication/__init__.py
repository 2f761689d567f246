"""Who is asked, who judges, how often, and what is kept of it."""
