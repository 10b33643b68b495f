"""What all commands share: the options they have in common and how a result is shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from yupana.core.types import StepResult

AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")]


def as_of(means: str) -> Any:
    """The option `--as-of`, a day that has begun.

    Args:
        means: its help.
    """
    return typer.Option("--as-of", formats=["%Y-%m-%d"], help=means, callback=_begun)


def _begun(day: datetime | None) -> datetime | None:
    from yupana.core.days import must_have_begun

    must_have_begun(day.date() if day else None, datetime.now(UTC).date())
    return day


AsOf = Annotated[datetime | None, as_of("Use only what was known on this day.")]


def of_use_case(name: str) -> str:
    """The name of a use case, which becomes a part of paths; none is empty."""
    from yupana.core.names import must_be

    return name and must_be(name, "use case", "river_level")


UseCase = Annotated[
    str, typer.Argument(help="The use case; `yupana usecases` lists them.", callback=of_use_case)
]

Tuning = Annotated[
    str, typer.Option(help="Reference that `yupana tune` printed; default: the model's options.")
]


def say_json(value: Any) -> None:
    """One line of JSON on stdout."""
    print(json.dumps(value, ensure_ascii=False, default=str))


def say(value: Any, words: str, as_json: bool) -> None:
    """One line of JSON for programs, or words for people, on stdout."""
    say_json(value) if as_json else print(words)


# Too long to be read; programs get them.
_LONG = ("raw", "stages", "corrects", "change", "set_aside", "warnings")


def emit(result: StepResult, as_json: bool) -> StepResult:
    """Show a step's result, and hand it back: one JSON line for programs, words for people."""
    if as_json:
        print(json.dumps({**result.metrics, **result.model_dump()}, default=str))
        return result
    outcome = "already done" if result.status == "unchanged" else f"done in {result.seconds:.1f} s"
    print(f"{result.step} {result.subject}: {outcome} → {', '.join(result.outputs)}")
    for name, value in result.metrics.items():
        if isinstance(value, int | float | str | dict) and name not in _LONG:
            print(f"  {name}: {_plain(value)}")
    return result


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    return f"{value:,.3f}" if isinstance(value, float) else str(value)
