"""The controllers of our DocTypes say which fields there are, as Frappe's own exporter writes it."""

import pytest

pytestmark = pytest.mark.mariadb


def test_each_controller_has_the_types_of_its_fields(site):
	from dev import controller_types

	found = list(controller_types.blocks())
	assert len(found) >= 11
	for path, block in found:
		assert "assistant_session/doctype" in path.as_posix()
		assert controller_types.fields(path.read_text()) == controller_types.fields(
			block
		), f"{path.name}: run python -m dev.controller_types on the bench"


def test_a_block_goes_below_the_docstring_and_is_replaced_there():
	from dev.controller_types import end_block, start_block, with_block

	block = f"\t{start_block}\n\tone\n\t{end_block}"
	code = with_block('class One(PlainText):\n\t"""Said."""\n\n\tTIMES = ()\n', block)
	assert code == f'class One(PlainText):\n\t"""Said."""\n\n{block}\n\n\tTIMES = ()\n'
	other = block.replace("one", "other")
	assert with_block(code, other) == code.replace("\tone\n", "\tother\n")
