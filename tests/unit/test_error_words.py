"""Where rows are read, another program's words stand in an error's `detail`: no record has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from yupana.config.settings import ROOT

ROOMS = (
    "yupana/data/parsing", "yupana/data/publication", "yupana/data/staging", "yupana/data/streams",
    "yupana/features", "yupana/validation", "yupana/tasks", "models",
)  # fmt: skip
_SPOKEN = ("str", "repr")


def quotations(source: str) -> Iterator[int]:
    """Lines that put the whole text of a caught error into one of ours, outside its `detail`."""
    for handler in ast.walk(ast.parse(source)):
        if isinstance(handler, ast.ExceptHandler) and handler.name:
            for node in ast.walk(handler):
                if isinstance(node, ast.Call) and _name(node.func).endswith("Error"):
                    recorded = [k.value for k in node.keywords if k.arg != "detail"]
                    for part in (*node.args, *recorded):
                        yield from (n.lineno for n in ast.walk(part) if _says(n, handler.name))


def _says(node: ast.AST, name: str) -> bool:
    """`{error}` in a text, or `str(error)`; not `error.reason`, which is a word of a list."""
    if isinstance(node, ast.FormattedValue):
        return _name(node.value) == name
    spoken = isinstance(node, ast.Call) and _name(node.func) in _SPOKEN
    return spoken and any(_name(a) == name for a in node.args)  # type: ignore[attr-defined]


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("room", ROOMS)
def test_no_error_on_rows_quotes_another_ones_words(room: str) -> None:
    files = [*(ROOT / room).rglob("*.py")]
    assert files
    found = [f"{path.relative_to(ROOT)}:{n}" for path in files for n in _lines(path)]
    assert not found


def _lines(path: Path) -> list[int]:
    return [*quotations(path.read_text("utf-8"))]


def test_the_look_sees_what_it_is_for() -> None:
    raised = "try:\n    pass\nexcept ValueError as e:\n    raise TerminalError({})"
    assert [*quotations(raised.format('f"no: {e}"'))] == [4]
    assert [*quotations(raised.format('"no", where=str(e)[:9]'))] == [4]
    assert not [*quotations(raised.format('"no", detail=str(e), where=e.reason'))]
