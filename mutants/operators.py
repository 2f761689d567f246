"""Breaks that cosmic-ray does not make, and that people make: a line forgotten, an argument, a condition of a query."""

from collections.abc import Iterator

from cosmic_ray import plugins
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from parso.python.tree import Keyword, Name

LINKS = frozenset({"where", "limit", "orderby", "for_update", "on", "set"})


class LeaveOutCall(Operator):
	"""A call whose value nobody uses is not made."""

	def mutation_positions(self, node):
		if node.type == "atom_expr" and node.parent.type == "simple_stmt" and _is_call(node.children[-1]):
			yield node.start_pos, node.end_pos

	def mutate(self, node, index):
		return Keyword("pass", node.start_pos, prefix=node.get_first_leaf().prefix)

	@classmethod
	def examples(cls):
		return (Example("def f():\n\ta()\n\tb = c()\n", "def f():\n\tpass\n\tb = c()\n"),)


class LeaveOutArgument(Operator):
	"""A named argument is None."""

	def mutation_positions(self, node):
		if node.type == "argument" and node.children[1] == "=" and node.children[2] != "None":
			yield node.children[2].start_pos, node.children[2].end_pos

	def mutate(self, node, index):
		value = node.children[2]
		node.children[2] = Name("None", value.start_pos, prefix=value.get_first_leaf().prefix)
		return node

	@classmethod
	def examples(cls):
		return (Example("f(a, b=c)\n", "f(a, b=None)\n"),)


class LeaveOutLink(Operator):
	"""A condition, an order or a limit of a query is forgotten."""

	def mutation_positions(self, node):
		if node.type == "atom_expr":
			children = list(node.children)  # the tree changes while it is walked
			yield from [(children[place].start_pos, children[place + 1].end_pos) for place in _links(node)]

	def mutate(self, node, index):
		place = list(_links(node))[index]
		del node.children[place : place + 2]
		return node

	@classmethod
	def examples(cls):
		return (Example("q.a().where(x).b()\n", "q.a().b()\n"),)


def _is_call(trailer) -> bool:
	return trailer.type == "trailer" and trailer.children[0] == "("


def _links(node) -> Iterator[int]:
	"""Where in an expression like `query.where(…).limit(…)` a link begins."""
	for place in range(1, len(node.children) - 1):
		name, call = node.children[place : place + 2]
		is_name = name.type == "trailer" and name.children[0] == "." and name.children[1].value in LINKS
		if is_name and _is_call(call):
			yield place


class _Ours:
	OPERATORS = {kind.__name__: kind for kind in (LeaveOutCall, LeaveOutArgument, LeaveOutLink)}

	def __iter__(self):
		return iter(self.OPERATORS)

	def __getitem__(self, name):
		return self.OPERATORS[name]


plugins.OPERATOR_PROVIDERS["ours"] = _Ours()


def check() -> None:
	"""Raise AssertionError unless the operators do what their examples say."""
	for kind in _Ours.OPERATORS.values():
		for example in kind.examples():
			broken = mutate_code(example.pre_mutation_code, kind(), example.occurrence)
			assert broken == example.post_mutation_code, f"{kind.__name__}: {broken!r}"
