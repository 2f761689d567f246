"""This process inside a site of the bench, for as long as a block lasts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import frappe


def connect(site: str) -> None:
	"""Connect as Administrator; the working directory is the folder of the sites. Leaves a site it was in."""
	frappe.init(site, sites_path=".", force=True)
	frappe.connect()


@contextmanager
def connected(sites: Path, site: str) -> Iterator[None]:
	"""Go to the folder of the sites and connect; afterwards this process is where it was, and in no site."""
	here = Path.cwd()
	os.chdir(sites)
	try:
		connect(site)
		yield
	finally:
		frappe.destroy()
		os.chdir(here)
