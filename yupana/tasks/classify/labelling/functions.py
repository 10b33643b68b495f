"""Labelling functions of a use case: those of its YAML file, and those of its Python module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from yupana.core import usecase
from yupana.core.errors import UsageError, record_text
from yupana.core.hashing import value_sha256
from yupana.tasks.classify.labelling import definitions, folding
from yupana.tasks.classify.labelling.definitions import Definition

if TYPE_CHECKING:
    import polars as pl

MODULE = "labelling"

Given = Mapping[str, Mapping[str, str]]
"""What each source says of texts: source → entity → label."""


class Text(NamedTuple):
    """A text as a labelling function sees it; the title may be empty."""

    entity: str
    title: str
    text: str


class Failure(NamedTuple):
    """A function could not judge a text, and abstains there.

    Attributes:
        function: `name@version`.
        entity: the text's id, or empty where the function failed as a whole.
        error: what happened, without what the text says.
    """

    function: str
    entity: str
    error: str


@dataclass(frozen=True)
class Function:
    """A labelling function.

    Attributes:
        label: the one that it gives; empty: any.
        source: the source that it repeats; empty: none.
        digest: SHA-256 of what it does, so that a change without a new version is seen.
    """

    name: str
    version: int
    digest: str
    label: str = ""
    source: str = ""
    votes: Callable[[pl.DataFrame, Given, list[Failure]], list[str | None]] = field(
        kw_only=True, repr=False, compare=False
    )

    @property
    def author(self) -> str:
        """How the labels table names it."""
        return f"{self.name}@{self.version}"


def labelling_function(
    name: str, version: int
) -> Callable[[Callable[[Text], str | None]], Function]:
    """Make a labelling function of a Python function of one text, which returns a label or None.

    Example:
        @labelling_function("long_complaint", 1)
        def long_complaint(text: Text) -> str | None:
            return "other" if len(text.text) > 5000 else None
    """

    def decorate(judge: Callable[[Text], str | None]) -> Function:
        author = f"{name}@{version}"

        def votes(texts: pl.DataFrame, given: Given, failures: list[Failure]) -> list[str | None]:
            return [_judged(judge, author, Text(*row), failures) for row in
                    texts.select("entity", "title", "text").iter_rows()]  # fmt: skip

        return Function(name, version, value_sha256(inspect.getsource(judge)), votes=votes)

    return decorate


def _judged(
    judge: Callable[[Text], str | None], author: str, text: Text, failures: list[Failure]
) -> str | None:
    try:
        return judge(text)
    except Exception as error:
        failures.append(Failure(author, text.entity, record_text(error)))
        return None


def of_definition(about: Definition) -> Function:
    """The function of a definition."""

    def votes(texts: pl.DataFrame, given: Given, failures: list[Failure]) -> list[str | None]:
        hits = _from_source(about, texts, given) if about.source else _found(about, texts)
        return [about.label if hit else None for hit in hits]

    digest = value_sha256(about.model_dump(mode="json"))
    source = about.source.of if about.source else ""
    return Function(about.name, about.version, digest, about.label, source, votes=votes)


def _found(about: Definition, texts: pl.DataFrame) -> list[bool]:
    """Whether each text has the words or the pattern."""
    import polars as pl

    folded = texts.get_column(f"folded_{about.reads}")
    if about.pattern is not None:
        return folded.str.contains(folding.of_pattern(about.pattern)).to_list()
    assert about.words is not None
    found = pl.repeat(True, len(texts), eager=True)
    if about.words.any:
        found &= folded.str.contains(folding.of_words(about.words.any))
    for phrase in about.words.all:
        found &= folded.str.contains(folding.of_words([phrase]))
    if about.words.none:
        found &= ~folded.str.contains(folding.of_words(about.words.none))
    return found.to_list()


def _from_source(about: Definition, texts: pl.DataFrame, given: Given) -> list[bool]:
    assert about.source is not None
    says, theirs = about.source.says or (about.label,), given.get(about.source.of, {})
    return [theirs.get(entity) in says for entity in texts.get_column("entity")]


class Labelling(NamedTuple):
    """A use case's labels in the order of its file, and its functions."""

    labels: tuple[str, ...]
    functions: tuple[Function, ...]


def load(use_case: str) -> Labelling:
    """The labels and labelling functions of a use case.

    Raises:
        UsageError: there is no such use case or no file of labels, it breaks a rule, there is no
            function, or two functions have the same name.
    """
    module = usecase.part(use_case, MODULE)
    path = usecase.home() / use_case / definitions.FILE
    about = definitions.read(path)
    python = [f for f in vars(module).values() if isinstance(f, Function)] if module else []
    functions = (*map(of_definition, about.functions), *python)
    names = [function.name for function in functions]
    if doubled := next((name for name in names if names.count(name) > 1), ""):
        raise UsageError(
            f"Two labelling functions are called '{doubled}'.",
            where=f"{path} and {MODULE}.py beside it",
            fix="Give each a name of its own: their labels are told apart by it.",
        )
    if not functions:
        raise UsageError(
            f"The use case '{use_case}' has no labelling function.",
            where=str(path),
            fix="Write some under `functions:`; docs/labelling.md has an example.",
        )
    return Labelling(about.labels, functions)
