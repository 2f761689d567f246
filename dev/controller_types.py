"""`python -m dev.controller_types`: the block of field types in each DocType's controller, made by Frappe's own exporter.

Frappe writes the block right below the `class` line when a developer saves a DocType; here it stands below the docstring,
which stays one. Once it is there Frappe replaces it where it stands.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import frappe
from frappe.types.exporter import TypeExporter, end_block, start_block

MODULE = "Assistant Session"


def blocks() -> Iterator[tuple[Path, str]]:
	"""Each controller's file, and the block it should have."""
	for name in frappe.get_all("DocType", {"module": MODULE, "custom": 0}, pluck="name", order_by="name"):
		exporter = TypeExporter(frappe.get_doc("DocType", name))
		yield exporter.controller_path, exporter._generate_code().replace("'", '"')


def with_block(code: str, block: str) -> str:
	"""The controller's code with this block in place of an older one, or below the class's docstring."""
	older = re.compile(rf"\t{re.escape(start_block)}.*?{re.escape(end_block)}", re.DOTALL)
	if older.search(code):
		return older.sub(lambda _match: block, code)
	docstring = re.compile(r'^class .*?:\n\t""".*?"""\n', re.DOTALL | re.MULTILINE)
	return docstring.sub(lambda match: f"{match.group()}\n{block}\n", code, count=1)


def fields(code: str) -> list[str]:
	"""The fields with their types that a block names."""
	return re.findall(r"^\t\t(\w+: DF\..*)$", code, re.MULTILINE)


def main() -> None:
	for path, block in blocks():
		code = path.read_text()
		if fields(code) != fields(block):
			path.write_text(with_block(code, block))
			print(path.name)


if __name__ == "__main__":
	frappe.init(os.environ["FRAPPE_SITE"], sites_path=os.path.join(os.environ["FRAPPE_BENCH"], "sites"))
	frappe.connect()
	main()
