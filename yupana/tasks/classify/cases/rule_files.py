"""The rules of a use case read from its folder; whatever is wrong names file, field and mend."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from yupana.core import plain_yaml, spec, usecase
from yupana.core.errors import UsageError
from yupana.tasks.classify.cases.rules import Answer, Routing, Rules

_DOCS = "docs/cases.md names all fields"
Model = TypeVar("Model", bound=BaseModel)


def folder(use_case: str) -> Path:
    """`serving/<use case>/`."""
    return usecase.home().parent / "serving" / use_case


def load(use_case: str, languages: tuple[str, ...] = ("es",), where: Path | None = None) -> Rules:
    """Routing and answers of a use case.

    Args:
        languages: that its classifier reads, ISO 639-1.
        where: the folder; default: `folder(use_case)`.

    Raises:
        UsageError: a file is not there or breaks a rule, or two answers have the same id and
            version; names file, field and mend.
    """
    home = where or folder(use_case)
    routing = _read(home / "routing.yaml", Routing)
    answers: dict[tuple[str, int], Answer] = {}
    for path in sorted((home / "answers").glob("*.yaml")):
        answer = _read(path, Answer)
        if strange := sorted({*answer.when.labels} - {*routing.labels}):
            raise _wrong(path, "when.labels", f"routing.yaml has no label '{strange[0]}'")
        if (answer.id, answer.version) in answers:
            raise _wrong(path, "version", f"'{answer.id}' has a version {answer.version} already")
        answers[answer.id, answer.version] = answer
    return Rules(routing, tuple(answers.values()), languages)


def of_spec(use_case: str) -> Rules:
    """By the languages that the use case's spec names in its kind's section."""
    options = spec.load(use_case).options
    return load(use_case, tuple(options.get("languages", ("es",))))


def _read(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(plain_yaml.read(path))
    except OSError as error:
        raise UsageError(
            f"The rules of cases cannot be read: {error.strerror}.",
            where=str(path),
            fix=f"Write that file; {_DOCS}.",
        ) from error
    except yaml.YAMLError as error:
        raise UsageError(
            "It is no YAML.",
            where=f"{path}{plain_yaml.line(error)}",
            detail=str(error).split("\n")[0],
            fix=f"Mend that line; {_DOCS}.",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise _wrong(path, ".".join(map(str, first["loc"])), first["msg"]) from error


def _wrong(path: Path, field: str, why: str) -> UsageError:
    return UsageError(
        f"The rules of cases are not right: {why}.",
        where=f"{path}, {field or 'the whole file'}",
        fix=f"Mend that field; {_DOCS}.",
    )
