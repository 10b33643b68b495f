"""What a trace asks of a kind of use case."""

from __future__ import annotations

from typing import Protocol

from yupana.core import spec, usecase
from yupana.core.spec import Spec
from yupana.predictions.entry import LogEntry


class Task(Protocol):
    """What the kind's object `TASK` offers a trace; light to import."""

    def answer(self, entry: LogEntry, spec: Spec) -> str:
        """What was predicted, in one line; empty where the log does not keep it."""
        ...


def answer(entry: LogEntry) -> str:
    """What was predicted, as the kind of its use case says it; empty for one without a spec."""
    if entry.use_case not in usecase.names():
        return ""
    about = spec.load(entry.use_case)
    task: Task = usecase.task(about.task)
    return task.answer(entry, about)
