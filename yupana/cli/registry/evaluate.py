"""Commands that say how good a candidate is, and put it into the registry."""

from __future__ import annotations

from typing import Annotated

import typer

from yupana.console.options import AsJson, UseCase, emit

Candidate = Annotated[
    str, typer.Option(help="Reference of a fitted model, as the last step of its fit printed it.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(evaluate)
    app.command("register")(register_model)


def evaluate(use_case: UseCase, candidate: Candidate, as_json: AsJson = False) -> None:
    """Score a candidate and the baselines on the test rows, in all and by group.

    Example: yupana evaluate USE_CASE --candidate candidate:0123456789abcdef
    """
    from yupana.config.settings import settings
    from yupana.training import candidate_steps

    emit(candidate_steps.evaluate(settings(), use_case, candidate), as_json)


def register_model(
    use_case: UseCase,
    candidate: Candidate,
    backtest: Annotated[
        str, typer.Option(help="Reference that `yupana backtest --candidate` printed.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Put an evaluated candidate into the registry; the better one becomes champion.

    With --backtest it must be the better one there as well.

    Example: yupana register USE_CASE --candidate candidate:0123456789abcdef
    """
    from yupana.config.settings import settings
    from yupana.training import candidate_steps

    emit(candidate_steps.register(settings(), use_case, candidate, backtest), as_json)
