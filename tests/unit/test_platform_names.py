"""The platform knows no use case, no kind of use case and no country, and imports nothing by name.

What two use cases share is their kind's (`yupana/tasks/<kind>`), what one has is its own, and the
country's codes are `yupana/data/national`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from yupana.config.settings import ROOT
from yupana.core import usecase

FOREIGN = re.compile(
    r"ubigeo|dengue|outbreak|malaria|epiweek|quantile|\bwis\b|district|loreto", re.IGNORECASE
)
PLACES_OF_THEIR_OWN = {
    "yupana/tasks": "the kinds of use cases",
    "yupana/data/national": "the country's codes",
    "yupana/database/migrations": "history: tables of older releases had such names",
    **{f"serving/{name}": "the use case's own" for name in usecase.names()},
}
# Rooms that still name them. Take a room from the list when it names none: it stays so.
NOT_YET: tuple[str, ...] = ()

LOADERS = frozenset((
    "import_module", "__import__", "find_spec", "spec_from_file_location", "module_from_spec",
    "run_module", "run_path", "resolve_name", "exec",
))  # fmt: skip
RESOLVER = "yupana/core/usecase.py"
NO_PROJECT_MODULE = {
    ("yupana/orchestration/machine.py", "find_spec"): "whether the engine pysail is installed",
    ("yupana/data/engine/spark.py", "find_spec"): "where pyspark's own files lie",
}
PROJECT = ("yupana", "models", "serving", "feature_repo", "pipelines", "dags", "expectations")


def under(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def foreign_words(*rooms: str, root: Path = ROOT) -> Iterator[tuple[str, int, str]]:
    """(file, line, word) of each foreign word in the files of rooms."""
    for path in (p for room in rooms for p in sorted((root / room).rglob("*"))):
        file = path.relative_to(root).as_posix()
        if not path.is_file() or path.suffix == ".pyc" or under(file, tuple(PLACES_OF_THEIR_OWN)):
            continue
        lines = [file, *path.read_text("utf-8", errors="replace").splitlines()]
        for number, line in enumerate(lines):
            if word := FOREIGN.search(line):
                yield file, number, word[0]


def test_the_platform_names_no_use_case_no_kind_and_no_country() -> None:
    slips = [
        f"{file}:{line} says '{word}'"
        for file, line, word in foreign_words("yupana", "serving")
        if not under(file, NOT_YET)
    ]
    assert not slips, "\n".join(slips)


def test_a_room_that_is_done_is_taken_from_the_list() -> None:
    dirty = {file for file, _, _ in foreign_words("yupana", "serving")}
    clean = [room for room in NOT_YET if not any(under(file, (room,)) for file in dirty)]
    assert not clean, f"take these from NOT_YET: {', '.join(clean)}"


def loaders(tree: ast.AST) -> Iterator[tuple[int, str, str | None]]:
    """(line, loader, module) of what imports by string; no module where it is not a literal.

    The import of a loader itself is none.
    """
    calls = {id(n.func): n for n in ast.walk(tree) if isinstance(n, ast.Call)}
    aliases = {
        a.asname: a.name
        for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)
        for a in n.names if a.asname and a.name in LOADERS
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            name = aliases.get(node.id, node.id)
        elif isinstance(node, ast.Attribute) and node.attr != "exec":
            name = node.attr
        else:
            continue
        if name in LOADERS:
            call = calls.get(id(node))
            first = call.args[0] if call and call.args else None
            literal = first.value if isinstance(first, ast.Constant) else None
            yield node.lineno, name, literal if isinstance(literal, str) else None


def is_allowed(file: str, loader: str, module: str | None) -> bool:
    other = module is not None and module.split(".")[0] not in PROJECT
    return file == RESOLVER or (other and (file, loader) in NO_PROJECT_MODULE)


def test_only_the_resolver_imports_by_string() -> None:
    files = {p.relative_to(ROOT).as_posix(): p for r in PROJECT for p in (ROOT / r).rglob("*.py")}
    uses = [
        (file, *use)
        for file, path in sorted(files.items())
        for use in loaders(ast.parse(path.read_text("utf-8")))
    ]
    slips = [
        f"{file}:{line}: {loader} of {module or 'a computed name'}"
        for file, line, loader, module in uses
        if not is_allowed(file, loader, module)
    ]
    assert not slips, "yupana.core.usecase is the one place for this:\n" + "\n".join(slips)
    assert set(NO_PROJECT_MODULE) <= {(file, loader) for file, _, loader, _ in uses}


@pytest.mark.parametrize(
    "code",
    [
        "import importlib\nimportlib.import_module('models.river')",
        "from importlib import import_module as load\nload(f'models.{name}')",
        "import threading, importlib\nthreading.Thread(target=importlib.import_module)",
        "__import__('yupana.tasks')",
        "exec('import models.river')",
        "from importlib.util import find_spec\nfind_spec('serving.river')",
        "import runpy\nrunpy.run_module('pipelines.river')",
    ],
)
def test_an_import_by_string_is_seen(code: str) -> None:
    uses = list(loaders(ast.parse(code)))
    assert uses
    for file in ("yupana/gate/gate.py", "yupana/data/engine/spark.py"):
        assert not all(is_allowed(file, loader, module) for _, loader, module in uses)


def test_words_are_seen_in_any_file_and_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "page.html").write_text("<p>\nEl Ubigeo</p>")
    (tmp_path / "room" / "wis.txt").write_text("likewise")
    words = list(foreign_words("room", root=tmp_path))
    assert words == [("room/page.html", 2, "Ubigeo"), ("room/wis.txt", 0, "wis")]
