"""Figures, and how they are read."""
