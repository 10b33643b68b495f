"""Commands of the forecaster: the weekly forecast of all districts."""

from __future__ import annotations

from datetime import date

import typer

from yupana.cli.common import AsJson, AsOf, UseCase, emit


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(predict)


def predict(use_case: UseCase, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Forecast every district from the newest week, and keep the forecast as a Delta table.

    With --as-of: what would have been predicted on that day, by a model and from data that
    knew nothing later.

    Example: yupana predict outbreak --as-of 2020-06-06
    """
    from yupana.config.settings import settings
    from yupana.core import usecase
    from yupana.data import delta
    from yupana.governance import events, steps

    chosen = settings()
    day = as_of.date() if as_of else date.today()
    sources = usecase.load("feature_repo", f"{use_case}_weekly").SOURCES
    given = tuple(delta.ref(chosen.lake, "published", name).ref for name in sources)
    known = () if as_of else (events.champion(chosen.events, use_case),)

    def work() -> steps.Outcome:
        from yupana.evaluation import predict as weekly

        told = weekly.predict(chosen, use_case, day, past=as_of is not None)
        inputs = (told["model"], *told["sources"])
        facts = {k: told[k] for k in ("data_as_of", "districts", "hindsight", "stale_weeks")}
        return steps.Outcome((told["forecast"],), inputs=inputs, metrics=facts)

    code = events.code_hash(chosen.root, "models", "feature_repo", "yupana/evaluation")
    emit(
        steps.run(
            chosen,
            "forecast",
            use_case,
            work,
            inputs=(*known, *given),
            depends_on=[code, str(as_of or "")],
            earlier=True,
        ),
        as_json,
    )
