"""Bounds of a contract's YAML: what is written to be endless is refused before it is unfolded.

A few lines of aliases of aliases stand for billions of fields, and some kB of brackets for more
levels than Python can follow (https://en.wikipedia.org/wiki/Billion_laughs_attack).
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml import MappingNode, Node, SequenceNode
from yaml.error import Mark

BYTES, DEPTH, NODES = 1 << 20, 40, 100_000


class BoundError(Exception):
    """YAML beyond a bound: what it is, where, and what to do."""

    def __init__(self, what: str, mark: Mark | None, fix: str) -> None:
        super().__init__(what)
        self.what, self.mark, self.fix = what, mark, fix


class BoundedLoader(yaml.SafeLoader):
    """A loader that stops at the first node that is too deep or, unfolded, too many."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Node | None:
        """A node with all that is below it.

        Raises:
            BoundError: it is too deep, too large, or holds itself.
        """
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self._depth == DEPTH:
            fix = f"A contract needs no more than {DEPTH} levels: close what stays open."
            raise BoundError(f"is nested deeper than {DEPTH} levels", mark, fix)
        alias = self.check_event(yaml.AliasEvent)
        self._depth += 1
        node: Node | None = super().compose_node(parent, index)
        self._depth -= 1
        if alias and id(node) not in self._sizes:
            raise BoundError("has an alias inside of what it stands for", mark, _ALIASES)
        if node is not None and not alias:
            self._sizes[id(node)] = size = 1 + sum(self._sizes[id(n)] for n in _below(node))
            if size > NODES:
                raise BoundError(f"has more than {NODES:,} fields, once unfolded", mark, _ALIASES)
        return node


_ALIASES = "Write out what the aliases (*name) stand for."


def _below(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [n for pair in node.value for n in pair]
    return node.value if isinstance(node, SequenceNode) else []
