"""The one place that imports by name: a use case's code, its kind, and commands.

Which modules a name stands for is said by `yupana.core.spec` and the folders; a test over the
syntax tree forbids importing by string anywhere else.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from yupana.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from rich.table import Table

    from yupana.core.evaluation import Evaluation, Paired
    from yupana.core.spec import Spec

Tables = dict[str, "pl.DataFrame"]

FILE = "usecase.yaml"


class UseCase(Protocol):
    """What the object `USE_CASE` of `models/<name>/__init__.py` offers."""

    spec: Spec

    def features(self, tables: Tables) -> pl.DataFrame:
        """Rows of the entity's key, `event_timestamp` (UTC) and features."""
        ...

    def fit(
        self, frame: pd.DataFrame, out: Path, *, seed: int, say: Callable[[str], None],
        options: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Fit on a training set and write the model's files to `out`."""
        ...  # fmt: skip

    def load(self, folder: Path) -> Any:
        """The fitted model."""
        ...

    def baselines(self, frame: pd.DataFrame) -> Mapping[str, Any]:
        """What the model must beat, by name."""
        ...

    def answer_table(self, answer: Mapping[str, Any]) -> Table:
        """An entity's answer for people at a terminal."""
        ...

    def evaluate(self, folder: Path, rows: Path, *, seed: int) -> Evaluation:
        """Score a candidate and its baselines on the part `test` of a training set's file.

        What it leaves in the folder beside the model's own files is named by `yupana evaluate`.
        """
        ...

    def paired(self, mine: Path, other: Path) -> Paired | None:
        """Two evaluated candidates on the rows that both were scored on; None where they have too
        few in common."""
        ...

    def card(self, folder: Path, evaluation: Evaluation) -> Sequence[str]:
        """Sections of the model card that the kind alone can write, as Markdown, Spanish first."""
        ...

    def write_selftest(self, folder: Path, model: Any) -> None:
        """Keep a model's answers to some rows that its files hold beside it."""
        ...

    def run_selftest(self, folder: Path, model: Any) -> None:
        """Demand that a loaded model answers as it did when it was deployed."""
        ...


def home() -> Path:
    """The folder `models/`, which holds a folder for each use case."""
    package = find_spec("models")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent


def names(models: Path | None = None) -> tuple[str, ...]:
    """The use cases that have a spec, in the order of their names.

    Args:
        models: the folder `models/`; None = the one that is installed.
    """
    return tuple(sorted(p.parent.name for p in (models or home()).glob(f"*/{FILE}")))


def load(name: str) -> UseCase:
    """A use case's code.

    Raises:
        UsageError: there is no such use case, or its spec breaks a rule.
    """
    if name not in names():
        raise _absent(f"There is no use case '{name}'.", f"models/{name}/{FILE}", name)
    use_case: UseCase = import_module(f"models.{name}").USE_CASE
    return use_case


def definitions(name: str) -> ModuleType:
    """A use case's Feast definitions, `feature_repo/<name>/definitions.py`; imports Feast."""
    return _module("feature_repo", name, "definitions")


def pipeline(name: str) -> ModuleType:
    """A use case's Kubeflow pipeline, `pipelines/<name>.py`; imports kfp."""
    return _module("pipelines", name)


def has_pipeline(name: str) -> bool:
    """Whether `pipelines/<name>.py` is there."""
    return name.isidentifier() and find_spec(f"pipelines.{name}") is not None


def kinds() -> tuple[str, ...]:
    """The kinds of use cases, packages of `yupana.tasks`."""
    package = import_module("yupana.tasks")
    return tuple(m.name for m in pkgutil.iter_modules(package.__path__) if m.ispkg)


def demand_kind(kind: str, where: str) -> None:
    """Demand that there is such a kind.

    Raises:
        UsageError: there is none; names those that are.
    """
    if kind not in kinds():
        raise UsageError(
            f"There is no kind of use cases called '{kind}'.",
            where=where,
            fix=f"Write `task:` and one of these into usecase.yaml: {', '.join(kinds())}.",
        )


def task(kind: str) -> Any:
    """A kind's object `TASK`: each room has a protocol of what it asks of it.

    Raises:
        UsageError: there is no such kind.
    """
    demand_kind(kind, f"yupana/tasks/{kind}")
    return import_module(f"yupana.tasks.{kind}").TASK


def part(name: str, module: str) -> ModuleType | None:
    """A module that the use case's kind looks for, `models/<name>/<module>.py`; None: it has none.

    Raises:
        UsageError: there is no such use case.
    """
    if name not in names():
        raise _absent(f"There is no use case '{name}'.", f"models/{name}/{FILE}", name)
    full = f"models.{name}.{module}"
    return import_module(full) if find_spec(full) else None


def service(name: str) -> str:
    """Where BentoML finds a use case's service: `serving.<name>.service:<Name>`."""
    return f"serving.{name}.service:{class_name(name)}"


def class_name(name: str) -> str:
    """The name of a use case's classes: river_floods → RiverFloods."""
    return "".join(part.title() for part in name.split("_"))


def template(kind: str) -> Any:
    """What writes a new use case of a kind: its `files` gives their texts by path, its `PARTS` are
    the names of the columns that it reads."""
    return import_module(f"yupana.tasks.{kind}.new")


def commands_package(kind: str) -> str:
    """Where the commands of a kind lie."""
    return f"yupana.tasks.{kind}.commands"


def kinds_commands() -> Iterator[tuple[str, Mapping[str, Sequence[str]]]]:
    """The package of commands of each kind, and the commands of each of its modules."""
    for kind in kinds():
        package = commands_package(kind)
        if find_spec(package):
            yield package, import_module(package).MODULES


def commands_of(kind: str) -> frozenset[str]:
    """The names of the commands of a kind."""
    packages = dict(kinds_commands())
    modules = packages.get(commands_package(kind), {})
    return frozenset(command for commands in modules.values() for command in commands)


def with_own_commands() -> tuple[str, ...]:
    """The use cases that add commands, by a package `models/<name>/commands/`."""
    models = home()
    return tuple(n for n in names(models) if (models / n / "commands" / "__init__.py").is_file())


def own_commands(name: str) -> tuple[str, Mapping[str, Sequence[str]]]:
    """The package of commands that a use case adds, and the commands of each of its modules."""
    package = f"models.{name}.commands"
    return package, import_module(package).MODULES


def command_module(package: str, module: str) -> Any:
    """A module of commands, which has `register(app)`."""
    return import_module(f"{package}.{module}")


def _module(folder: str, name: str, part: str = "") -> ModuleType:
    full = ".".join(p for p in (folder, name, part) if p)
    path = full.replace(".", "/") + ".py"
    if not name.isidentifier() or find_spec(f"{folder}.{name}") is None or find_spec(full) is None:
        raise _absent(f"The use case '{name}' has no {path}.", path, name)
    return import_module(full)


def _absent(what: str, where: str, name: str) -> UsageError:
    fix = f"Use one of: {', '.join(names())}; or `yupana new usecase {name}`."
    return UsageError(what, where=where, fix=fix)
