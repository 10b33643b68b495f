"""YAML that people write: a field that stands twice is refused, and an error names its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """Refuses a field that stands twice: one of both would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        fields = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if fields.count(key.value) > 1:
                raise yaml.constructor.ConstructorError(
                    problem=f"'{key.value}' stands twice", problem_mark=key.start_mark
                )
        return super().construct_mapping(node, deep)


def read(path: Path) -> Any:
    """The value of a file.

    Raises:
        yaml.YAMLError: it is no YAML, or a field stands twice.
        OSError: it cannot be read.
    """
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


def line(error: yaml.YAMLError) -> str:
    """Where an error is, to be put after the file's name; empty where it does not say."""
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}" if mark else ""
