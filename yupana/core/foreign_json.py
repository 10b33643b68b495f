"""JSON that somebody else wrote: a small file, or an answer, whose depth is bounded.

A text of brackets alone makes Python's parser, and whatever walks the value later, run out of its
stack: RFC 8259, section 9, lets a parser limit the depth.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

DEEPEST = 100
"""Objects and lists within each other."""


def loads(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON, or is nested more than `DEEPEST` deep.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise _too_deep() from error
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [one for one in level if isinstance(one, dict | list)]
        if not level:
            return value
        level = [part for one in level for part in _parts(one)]
    raise _too_deep()


def repeated(pairs: Sequence[tuple[str, Any]]) -> str | None:
    """The first name that stands more than once among an object's fields: readers differ in which
    of them counts (RFC 8259, section 4)."""
    counts = Counter(name for name, _ in pairs)
    return next((name for name, count in counts.items() if count > 1), None)


def _parts(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _too_deep() -> ValueError:
    return ValueError(f"it is nested more than {DEEPEST} deep")
