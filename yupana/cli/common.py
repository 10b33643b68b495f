"""What all commands share: the options they have in common and how a result is shown."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from yupana.core.types import StepResult

AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Use only what was known on this day."),
]
UseCase = Annotated[str, typer.Argument(help="The use case, e.g. outbreak.")]


# Too long to be read; programs get them.
_LONG = ("raw", "stages", "corrects", "change", "set_aside", "warnings")


def emit(result: StepResult, as_json: bool) -> StepResult:
    """Show a step's result, and hand it back: one JSON line for programs, words for people."""
    if as_json:
        print(json.dumps({**result.metrics, **result.model_dump()}, default=str))
        return result
    said = "already done" if result.status == "unchanged" else f"done in {result.seconds:.1f} s"
    print(f"{result.step} {result.subject}: {said} → {', '.join(result.outputs)}")
    for name, value in result.metrics.items():
        if isinstance(value, int | float | str | dict) and name not in _LONG:
            print(f"  {name}: {_plain(value)}")
    return result


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    return f"{value:,.3f}" if isinstance(value, float) else str(value)
