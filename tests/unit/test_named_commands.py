"""Every command that pages, docs, help and errors tell people to run exists, with its options."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from yupana.cli import lazy
from yupana.config.settings import ROOT

ROOMS = ("yupana", "models", "serving", "dags", "pipelines", "feature_repo", "docs", "infra")
FILES = ("README.md", "CONTRIBUTING.md", "Makefile")

_START = r"(?:\$ |(?:\S*/)?\.venv/bin/|\./)?yupana (.+)"
LINE = re.compile(rf"^\s*(?:Example: |Run:? )?{_START}$", re.MULTILINE)
TAGGED = re.compile(r"<code[^>]*>(.*?)</code>", re.DOTALL)
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLACEHOLDER = "X"
COMING: tuple[str, ...] = ()
"""Commands that are being built; take one from here when it is there."""


def strings(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each text of a Python file; a value that is put in is `PLACEHOLDER`."""
    tree = ast.parse(source)
    inside = {
        id(part) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else PLACEHOLDER for p in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            yield node.lineno, str(node.value)


def spans(text: str) -> Iterator[str]:
    """What stands between backticks, paragraph by paragraph: an odd one spoils no other."""
    for paragraph in re.split(r"\n\s*\n", text):
        yield from paragraph.split("`")[1::2]


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of what a file tells people to run."""
    source = path.read_text("utf-8")
    if path.suffix == ".py":
        for line, text in strings(source):
            yield from ((line, span) for span in spans(text))
            yield from ((line, m[0]) for m in LINE.finditer(text))
        return
    # A name that a template puts in stands for a name.
    plain = re.sub(r"\{\{.*?\}\}", PLACEHOLDER, source)
    def line_of(at: int) -> int:
        return plain[:at].count("\n") + 1

    for match in FENCE.finditer(plain):
        block = match[1].replace("\\\n", " ")
        yield from ((line_of(match.start()), m[0]) for m in LINE.finditer(block))
    if path.suffix == ".html":
        for match in TAGGED.finditer(plain):
            code = html.unescape(match[1])
            yield from ((line_of(match.start()), part) for part in code.splitlines())
        return
    prose = FENCE.sub(lambda m: "\n" * m[0].count("\n"), plain)
    for match in re.finditer(r"(?:.+\n?)+", prose):
        yield from ((line_of(match.start()), span) for span in spans(match[0]))


def commands(text: str) -> Iterator[list[str]]:
    """The words of each yupana command in a text, without arguments in quotes."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", PLACEHOLDER, text)
    for part in re.split(r"&&|;|\||>|\s#|, (?=yupana\b)|\n(?=\s*yupana\b)", bare):
        if match := re.search(r"\byupana (?!yupana )(.+)", " ".join(part.split())):
            yield match[1].split()


def wrong(words: list[str]) -> str:
    """What of a command does not exist; empty when all of it does."""
    every: Any = lazy.Commands()
    name, rest = words[0].rstrip(".,:"), words[1:]
    if name.startswith((PLACEHOLDER, "<", "-", "…")) or name in COMING:
        return ""
    if name not in every:
        return f"no command '{name}'"
    command = every[name]
    while hasattr(command, "commands"):
        if not rest or not re.fullmatch(r"[a-z][a-z-]*", word := rest[0].rstrip(".,:")):
            return ""
        if word not in command.commands:
            return f"no command '{name} {word}'"
        command, rest, name = command.commands[word], rest[1:], f"{name} {word}"
    options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
    for word in rest:
        option = word.rstrip(".,:)").partition("=")[0]
        if option.startswith("--") and option != "--" and option not in options:
            return f"'{name}' has no option {option}"
    return ""


def files() -> list[Path]:
    paths = [
        path
        for room in ROOMS for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in (".py", ".md", ".html") and "__pycache__" not in path.parts
    ]  # fmt: skip
    return [*paths, *(ROOT / name for name in FILES)]


def test_every_command_that_is_named_exists() -> None:
    slips, count = [], 0
    for path in files():
        for line, text in texts(path):
            for words in commands(text):
                count += 1
                if what := wrong(words):
                    place = path.relative_to(ROOT)
                    slips.append(f"{place}:{line}: {what}: yupana {' '.join(words)}")
    assert not slips, "\n".join(slips)
    assert count > 250, "the search sees what people are told"


def test_a_command_that_has_come_is_awaited_no_more() -> None:
    assert not set(COMING) & set(lazy.Commands())


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.py", 'fix = f"Run `yupana ask {name} --ubigeo 1`."', "no option --ubigeo"),
        ("a.py", 'x = Missing("", "", f"yupana askk {name}")', "no command 'askk'"),
        ("a.py", '"""Do.\n\n    Example: yupana keys mint\n    """', "no command 'keys mint'"),
        ("a.html", "<pre><code>yupana audit verify\nyupana audit show</code></pre>", "audit show"),
        ("a.md", "```\n.venv/bin/yupana monitor X --weeks 8\n```", "no option --weeks"),
        ("a.md", "see `yupana train X && yupana deploi X`", "no command 'deploi'"),
        ("a.md", "yupana sees this as prose", ""),
    ],
)
def test_a_command_that_is_not_there_is_seen(
    tmp_path: Path, name: str, text: str, what: str
) -> None:
    (tmp_path / name).write_text(text)
    faults = [
        wrong(words) for _, part in texts(tmp_path / name) for words in commands(part)
    ]  # fmt: skip
    assert what in " ".join(faults) and bool("".join(faults)) is bool(what)
