"""The frozen types that steps pass to each other. Only references travel, never rows.

A reference is a short text that names one immutable thing:
`raw:<sha256>`, `delta:<zone>/<table>@<version>`, `validation:<id>`, `training:<hash>`,
`split:<hash>`, `tuning:<hash>`, `member:<hash>`, `candidate:<hash>`, `backtest:<hash>`,
`evaluation:<hash>`, `model:<name>@<version>`, `deployment:<tag>`, `prediction:<id>`,
`report:<name>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

MOST_VERSION = 1_000_000
"""Of a model: registered here, or adopted."""

Status = Literal["done", "unchanged", "failed"]


class Frozen(BaseModel):
    """A value that does not change once made, and refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RawObject(Frozen):
    """The bytes of a published file, kept as they came and addressed by their SHA-256.

    Several files that are published together have `parts`, one a file: `path` is then empty, and
    `sha256` is of their sorted hashes, so that the same files in any order are the same.
    """

    dataset: str
    path: str
    sha256: str
    size: int
    source: str
    parts: tuple[RawObject, ...] = ()

    @property
    def ref(self) -> str:
        return f"raw:{self.sha256}"

    @property
    def files(self) -> tuple[RawObject, ...]:
        """The single files: itself, or its parts."""
        return self.parts or (self,)

    @property
    def hashes(self) -> tuple[str, ...]:
        """What its rows have as `source_sha256`."""
        return tuple(file.sha256 for file in self.files)

    @property
    def refs(self) -> tuple[str, ...]:
        return tuple(file.ref for file in self.files)


class DatasetRef(Frozen):
    """One version of a Delta table. `zone` is staging, published, quarantine or features."""

    zone: str
    name: str
    version: int
    path: str
    rows: int

    @property
    def ref(self) -> str:
        return f"delta:{self.zone}/{self.name}@{self.version}"


class RuleResult(Frozen):
    """How many of the staged rows broke one rule of the contract."""

    rule: str
    broken: int
    rows: int


class ValidationResult(Frozen):
    """The audit of one staged table by Great Expectations."""

    id: str
    success: bool
    rows: int
    rules: tuple[RuleResult, ...]
    report: str

    @property
    def ref(self) -> str:
        return f"validation:{self.id}"


class StepResult(Frozen):
    """What a step did: references in and out, counts and seconds."""

    step: str
    subject: str
    status: Status
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    metrics: dict[str, Any] = Field(default_factory=dict)
    seconds: float = 0.0
    event: str = ""


class TryOut(NamedTuple):
    """What a running service said to its first questions.

    Attributes:
        answers: how many there were.
        answer: what is shown of them, with the `prediction_id` of one.
    """

    answers: int
    answer: Mapping[str, Any]
