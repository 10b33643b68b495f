"""What the pages of the site are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.hashing import file_sha256
from yupana.lineage import contents

State = Literal["yes", "no", "part", "unknown"]


@dataclass(frozen=True)
class SiteRequest:
    """What the site is built of: one use case of one home, and one prediction to trace.

    Attributes:
        day: on which evidence is judged fresh or too old.
        prediction: its id; empty for the newest.
    """

    settings: Settings
    use_case: str
    day: date
    prediction: str = ""

    @property
    def folder(self) -> Path:
        """Where the reports of the use case lie."""
        return self.settings.reports / self.use_case


@dataclass(frozen=True)
class Basis:
    """One thing that a page rests on.

    Attributes:
        es: what it is, in Spanish; `en` in English.
        ref: its reference, or its path below the home.
        sha256: of its bytes, or of the value where it is no file; empty where there is none.
        time: ISO moment or day, as the thing itself tells it; empty where it does not.
    """

    es: str
    en: str
    ref: str
    sha256: str = ""
    time: str = ""


@dataclass(frozen=True)
class Missing:
    """What was not run yet, and the command that runs it."""

    es: str
    en: str
    command: str


@dataclass(frozen=True)
class Answer:
    """One answer of the first page: a state, and a sentence in both languages."""

    state: State
    es: str
    en: str


@dataclass(frozen=True)
class Page:
    """One page before it is written.

    Attributes:
        name: file name without `.html`, which is also its template's.
        values: what the template is filled with.
        basis: what it rests on; `missing`: what was not run.
        answer: what the first page says of it; None where it answers no question.
        files: bytes that lie beside the page, by file name.
    """

    name: str
    values: dict[str, Any]
    basis: tuple[Basis, ...] = ()
    missing: tuple[Missing, ...] = ()
    answer: Answer | None = None
    files: dict[str, bytes] = field(default_factory=dict)


def of_file(
    request: SiteRequest, path: Path, es: str, en: str, *, time: str = "", ref: str = ""
) -> Basis:
    """A file of this home that a page rests on, with the hash of its bytes."""
    home = request.settings.home
    place = path.relative_to(home).as_posix() if path.is_relative_to(home) else path.name
    return Basis(es, en, ref or place, file_sha256(path), time)


def read(settings: Settings, path: Path) -> dict[str, Any]:
    """A report's JSON.

    Raises:
        ContentError: the file is not as the step left it that wrote it.
        TerminalError: the file is not whole JSON.
    """
    try:
        return dict(json.loads(contents.read(settings, path)))
    except ValueError as error:
        raise TerminalError(
            f"The report {path.name} is not whole JSON.",
            where=str(path),
            fix="Delete it and make it again by its command.",
        ) from error


def newest(times: Sequence[str]) -> str:
    """The newest of some ISO moments and days; empty where there is none."""
    return max((t for t in times if t), default="")
