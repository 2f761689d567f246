"""Kept beside pyproject.toml for tools, and readers, that look for it; the metadata is there."""

from setuptools import setup

setup()
