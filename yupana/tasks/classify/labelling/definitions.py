"""The file `models/<use case>/labelling.yaml`: the labels, and functions that need no code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from yupana.core import plain_yaml
from yupana.core.errors import UsageError
from yupana.core.types import Frozen
from yupana.tasks.classify.labelling import folding
from yupana.tasks.classify.labelling.labels import Source

FILE = "labelling.yaml"

Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,62}$")]
LabelName = Annotated[str, Field(min_length=1, max_length=200)]
Phrases = Annotated[tuple[str, ...], Field(max_length=500)]


class Words(Frozen):
    """Whole words or phrases, blind to accents and capitals; `perr*` is a beginning.

    Attributes:
        any: one of them is in the text.
        all: each of them is.
        none: none of them is.
    """

    any: Phrases = ()
    all: Phrases = ()
    none: Phrases = ()

    @field_validator("any", "all", "none")
    @classmethod
    def _words(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in value:
            folding.of_words([phrase])
        return value

    @model_validator(mode="after")
    def _some(self) -> Words:
        if not (self.any or self.all):
            raise ValueError("`any` or `all` must name a word: without, every text has the label")
        return self


class FromSource(Frozen):
    """What another source says of a text stands for the label.

    Attributes:
        of: the source.
        says: its labels that stand for ours; empty: the label of the same name.
    """

    of: Source
    says: tuple[str, ...] = ()


class Definition(Frozen):
    """A labelling function: where its condition holds, its label; else it abstains.

    Attributes:
        version: a whole number that grows with each change of the function.
        reads: the part of the text that is looked at.
    """

    name: Name
    version: int = Field(ge=1)
    label: LabelName
    reads: Literal["both", "title", "text"] = "both"
    words: Words | None = None
    pattern: str | None = Field(None, min_length=1, max_length=2000)
    source: FromSource | None = None

    @field_validator("pattern")
    @classmethod
    def _bounded(cls, value: str | None) -> str | None:
        if value is not None:
            folding.of_pattern(value)
        return value

    @model_validator(mode="after")
    def _one(self) -> Definition:
        if sum(part is not None for part in (self.words, self.pattern, self.source)) != 1:
            raise ValueError("one of `words`, `pattern` and `source` must be there, and one alone")
        return self


class Definitions(Frozen):
    """All that the file says.

    Attributes:
        labels: the labels that a text may have.
    """

    labels: tuple[LabelName, ...] = Field(min_length=2)
    functions: tuple[Definition, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Definitions:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("a label stands twice in `labels`")
        names = [function.name for function in self.functions]
        for function in self.functions:
            if function.label not in self.labels:
                raise ValueError(
                    f"the function {function.name} gives '{function.label}', which is not among "
                    "`labels`"
                )
            if names.count(function.name) > 1:
                raise ValueError(f"two functions are called {function.name}")
        return self


def read(path: Path) -> Definitions:
    """The definitions of a file.

    Raises:
        UsageError: it is not there, is no YAML, or breaks a rule; names file, field and mend.
    """
    try:
        return Definitions.model_validate(plain_yaml.read(path))
    except FileNotFoundError as error:
        raise UsageError(
            "The use case has no labels and labelling functions.",
            where=str(path),
            fix="Write that file: docs/labelling.md has an example.",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(
            "The labelling functions are no YAML.",
            where=f"{path}{plain_yaml.line(error) if isinstance(error, yaml.YAMLError) else ''}",
            detail=str(error).split("\n")[0],
            fix="Mend that line; docs/labelling.md has an example.",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"A labelling function is not right: {first['msg'].removeprefix('Value error, ')}.",
            where=f"{path}, {'.'.join(map(str, first['loc'])) or 'the whole file'}",
            fix="Mend that field; docs/labelling.md names them all.",
        ) from error
