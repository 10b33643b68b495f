"""The spec of a use case, `models/<name>/usecase.yaml`: what it is, without importing any of it.

DAGs, roles, the gate, pages and the client read it; only what trains or answers imports the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from yupana.core import plain_yaml
from yupana.core.errors import UsageError
from yupana.core.types import Frozen
from yupana.core.usecase import FILE, demand_kind, home, names

Role = Literal[
    "agency", "auditor", "clerk", "data-engineer", "ml-engineer", "public", "supervisor"
]  # fmt: skip
"""An administrator may do everything. `public` is no role of a key: whoever calls, without one."""

SUBMIT = "submit"
"""The action behind the bare address of a use case, and behind what hangs on a receipt."""

Direction = Literal["lower", "higher"]
"""Which values of a metric are better."""

Column = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
"""The name of a column."""

_PART = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
Below = Annotated[str, Field(pattern=f"^{_PART}(/{_PART})*$")]
"""A path that leaves its folder by no way."""


class Bilingual(Frozen):
    """A text for people, Spanish first."""

    es: str
    en: str


class Data(Frozen):
    """Data sets by the names of their contracts.

    Attributes:
        trigger: a new publication of it starts the use case's DAG.
        required: the features cannot be computed without these.
        optional: used where they are published.
        late: the one whose newest rows are reported late, if any.
    """

    trigger: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    late: str = ""


class Entity(Frozen):
    """What a prediction is about.

    Attributes:
        key: column that names it.
        groups: attributes by which results are compared for fairness.
    """

    key: Column
    groups: tuple[Column, ...] = ()


class Metric(Frozen):
    """What decides between models.

    Attributes:
        name: as evaluations write it.
        better: which values are better.
        baselines: names of the models that must be beaten.
        label: how people write it; by default its name.
    """

    name: str
    better: Direction
    baselines: tuple[str, ...] = Field(min_length=1)
    label: str = ""

    @property
    def title(self) -> str:
        """How people write it."""
        return self.label or self.name

    def is_better(self, one: float, other: float) -> bool:
        """Whether one value is better than another; even ones are not."""
        return one < other if self.better == "lower" else one > other

    def best(self, values: Mapping[str, float]) -> str:
        """The model with the best value, the first by name of even ones."""
        sign = 1 if self.better == "lower" else -1
        return min(values, key=lambda name: (sign * values[name], name))


class Features(Frozen):
    """Where features come from.

    Attributes:
        table: the feature table in the lake.
        service: the Feast service that training and serving share; empty: whoever asks brings
            what is needed, and no store is read.
    """

    table: str
    service: str = ""


class Model(Frozen):
    """The model's name in scores and reports, and the files that make a folder one."""

    final: str
    files: tuple[Below, ...]


class Example(Frozen):
    """A well-known entity, for the first run, pages and help."""

    entity: str
    title: Bilingual


class Spec(Frozen):
    """A use case.

    Attributes:
        task: its kind, a package of `yupana.tasks`.
        actions: what callers may ask for, and the roles that may.
        log: `durable`: an answer that cannot be recorded is not given; `best-effort`: it is given,
            and waits on this machine's disk for its record.
        options: the section that is named by the kind, which the kind itself reads.
    """

    name: str
    task: str
    title: Bilingual
    data: Data
    entity: Entity
    metric: Metric
    features: Features
    model: Model
    actions: dict[str, tuple[Role, ...]]
    example: Example
    log: Literal["durable", "best-effort"] = "durable"
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _section(cls, values: Any) -> Any:
        """The kind's own section goes into `options`."""
        if isinstance(values, dict) and values.get("task") in values:
            values = dict(values)
            values["options"] = values.pop(values["task"])
        return values


def load(name: str, models: Path | None = None) -> Spec:
    """The spec of a use case.

    Raises:
        UsageError: there is none, or it breaks a rule; names file, field and mend.
    """
    return _read(name, models or home())


@lru_cache
def _read(name: str, models: Path) -> Spec:
    path = models / name / FILE
    if not name.isidentifier() or not path.is_file():
        raise UsageError(
            f"There is no use case '{name}'.",
            where=f"models/{name}/{FILE}",
            fix=f"Use one of: {', '.join(names(models))}; or `yupana new usecase {name}`.",
        )
    try:
        values = plain_yaml.read(path)
        spec = Spec.model_validate(values)
    except yaml.YAMLError as error:
        raise UsageError(
            f"The spec is no YAML: {error}".split("\n")[0],
            where=f"{path}{plain_yaml.line(error)}",
            fix="Mend that line; docs/use-cases.md has an example.",
        ) from error
    except ValidationError as error:
        # Without its kind, what is in the kind's section is a stranger.
        if isinstance(values, dict) and "task" in values:
            demand_kind(values["task"], f"{path}, task")
        first = error.errors()[0]
        raise UsageError(
            f"The spec is not right: {first['msg']}.",
            where=f"{path}, {'.'.join(map(str, first['loc'])) or 'the whole file'}",
            fix="Mend that field; docs/use-cases.md names them all.",
        ) from error
    if spec.name != name:
        raise UsageError(
            f"The spec in the folder {name} calls itself '{spec.name}'.",
            where=f"{path}, name",
            fix=f"Write `name: {name}`: a use case has one name across the folders.",
        )
    return spec
