"""Score a champion on a file that nobody learned from, by a kind that can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from yupana.config.settings import Settings
from yupana.core import spec as specs
from yupana.core import usecase
from yupana.core.errors import UsageError


@runtime_checkable
class Task(Protocol):
    """What the kind's object `TASK` offers, where models are scored on rows of a file."""

    def score_file(
        self, settings: Settings, use_case: str, path: Path, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """Scores of the champion and its baselines, as JSON writes them."""
        ...


def report(
    settings: Settings, use_case: str, path: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """The scores of a champion on a file.

    Raises:
        UsageError: the kind scores otherwise, or the file cannot be read.
        TerminalError: there is no champion.
    """
    about = specs.load(use_case)
    task = usecase.task(about.task)
    if not isinstance(task, Task):
        raise UsageError(
            f"The kind {about.task} scores no rows of a file.",
            where="--cases",
            fix=f"Try its past instead: yupana backtest {use_case} --cases FILE --out FILE",
        )
    return task.score_file(settings, use_case, path, say)


def words(report: dict[str, Any], out: Path | None) -> str:
    """The numbers of a report, one a line."""
    lines = [f"{name}: {_plain(value)}" for name, value in report.items() if name != "by_class"]
    return "\n".join([*lines, f"→ {out}"] if out else lines)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return " to ".join(_plain(part) for part in value)
    return f"{value:.3f}" if isinstance(value, float) else str(value)
