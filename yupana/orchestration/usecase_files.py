"""Whether the files of a use case are complete, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import spec as specs
from yupana.core import usecase
from yupana.core.errors import YupanaError
from yupana.core.spec import Spec
from yupana.data.contracts import contract
from yupana.gate import register


@dataclass(frozen=True)
class Finding:
    """One thing that a use case needs: whether it is there, else what is wrong and the mend."""

    what: str
    where: str
    fault: str = ""

    @property
    def ok(self) -> bool:
        return not self.fault


def check(settings: Settings, name: str) -> list[Finding]:
    """Every finding of a use case, in the order in which one would write it.

    Raises:
        UsageError: there is no such use case, or its spec cannot be read.
    """
    spec = specs.load(name)
    return [*_kind(settings, spec), *_data(settings, spec), *_code(spec), *_papers(settings, spec)]


def _kind(settings: Settings, spec: Spec) -> Iterator[Finding]:
    where = f"models/{spec.name}/{usecase.FILE}, task"
    yield Finding(f"the kind {spec.task}", where, _fault(partial(usecase.task, spec.task)))
    if spec.task in usecase.kinds():
        where = f"models/{spec.name}/{usecase.FILE}, {spec.task}"
        kind = usecase.task(spec.task)
        fault = _fault(partial(kind.check, spec))
        yield Finding(f"what {spec.task} asks of the spec", where, fault)
        if not fault:
            where = f"models/{spec.name}/{usecase.FILE}, entity.key"
            check = partial(kind.check_training_rows, settings, spec)
            yield Finding(kind.training_rows(spec), where, _fault(check))


def _data(settings: Settings, spec: Spec) -> Iterator[Finding]:
    for dataset in dict.fromkeys((spec.data.trigger, *spec.data.required)):
        where = f"expectations/{dataset}/contract.yaml"
        yield Finding(
            f"the contract of {dataset}", where,
            _fault(partial(contract.load, settings.root, dataset)),
        )  # fmt: skip


def _code(spec: Spec) -> Iterator[Finding]:
    name = spec.name
    where = f"models/{name}/__init__.py"
    yield Finding("the object USE_CASE", where, _fault(partial(usecase.load, name)))
    if spec.features.service:
        where = f"feature_repo/{name}/definitions.py"
        yield Finding("the Feast definitions", where, _fault(partial(_service, spec)))
    where = f"pipelines/{name}.py"
    yield Finding("the pipeline", where, _fault(partial(usecase.pipeline, name)))
    root = usecase.home().parent
    yield _there("the service", root, f"serving/{name}/service.py")
    yield _there("its manifest", root, f"serving/{name}/kustomization.yaml")


def _service(spec: Spec) -> None:
    """Demand that the definitions hold the service that the spec names."""
    names = {getattr(each, "name", "") for each in usecase.definitions(spec.name).OBJECTS}
    if absent := {spec.features.table, spec.features.service} - names:
        raise ValueError(f"OBJECTS holds no {', '.join(sorted(absent))}, which the spec names.")


def _papers(settings: Settings, spec: Spec) -> Iterator[Finding]:
    yield _there("the text of the model card", settings.root, f"models/{spec.name}/card.yaml")
    where = f"models/{spec.name}/governance.yaml"
    yield Finding(
        "the risk register", where, _fault(partial(register.load, settings.root, spec.name))
    )


def _there(what: str, root: Path, path: str) -> Finding:
    return Finding(what, path, "" if (root / path).is_file() else "There is no such file.")


def _fault(read: Callable[[], object]) -> str:
    """Why something cannot be read; empty where it can."""
    try:
        read()
    except YupanaError as error:
        return str(error)
    except Exception as error:  # whatever a module raises when it is imported
        return f"{type(error).__name__}: {error}"
    return ""
