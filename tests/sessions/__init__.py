"""Storing, reading, merging, ending and mending sessions; several processes, lost servers."""
