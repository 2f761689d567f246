"""Demo, guides, README, and the tests' own tools."""
