"""Commands of the forecaster: the forecast of all districts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, AsOf, UseCase, emit
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(predict)


def predict(
    use_case: UseCase,
    as_of: AsOf = None,
    boundaries: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="GeoJSON of districts, for a map in place of tiles.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast all districts from the newest week or month, with alert levels, and write a page.

    The Delta table forecasts/<use case> gets a row a district and period ahead: 23 quantiles, the
    alert level against the same time of past years, the probability to exceed them.
    forecasts/<use case>_areas holds the sums of provinces and departments. The page for health
    offices is reports/forecast-<use case>.html in YUPANA_HOME. Webhooks get a notice.

    With --as-of: what was predicted on that day, or would have been, by a model and from data that
    knew nothing later; the page's name ends with the day. What a day's forecast rests on is decided
    once: asked for again, after any release, training or promotion, it is the same.

    Example: yupana predict outbreak --as-of 2020-06-06
    """
    from yupana.lineage import events, steps
    from yupana.tasks.forecast import predict as weekly
    from yupana.tasks.forecast import usecases
    from yupana.tasks.forecast.dataset import sources, vintage
    from yupana.tasks.forecast.pages import forecast_page
    from yupana.tracking import aliases, past_models

    config, today = settings(), date.today()
    day = as_of.date() if as_of else today
    if day > today:
        raise UsageError(
            f"{day} is in the future.",
            where="--as-of",
            fix=f"Ask for {today} or earlier; what is ahead is forecast from what is known now.",
        )
    definition = usecases.load(use_case)
    published = vintage.versions(config, definition, day).refs
    basis = weekly.basis(config, use_case, day, published) if as_of else None
    # A past day's model is part of the key; what was used is told by the work.
    older = ""
    if basis:
        inputs, older = basis.sources, basis.model
    elif as_of:
        inputs, older = published, past_models.logged(config, use_case, day)
    else:
        inputs = (aliases.champion(config, use_case), *published)
    page = forecast_page.path(config.reports, use_case, day.isoformat() if as_of else "")

    def reference() -> str:
        return f"report:{page.stem}@{file_sha256(page)[:16]}"

    def work() -> steps.Outcome:
        from yupana.tasks.forecast import forecast_rows
        from yupana.tasks.forecast import notices as forecast_notices

        before = {} if as_of else forecast_notices.levels(config, definition)
        past = as_of is not None
        forecast = weekly.predict(config, use_case, day, past=past, on=basis)
        # Whatever can be refused is, before anything is committed.
        drawing = forecast_page.draw(forecast, boundaries)
        forecast = weekly.record(config, forecast, past=past)
        forecast_page.write(forecast, drawing, page)
        rows = {"districts": len(forecast.districts), "areas": len(forecast.areas)}
        lead = definition.frequency.lead
        end = definition.frequency.ahead(forecast.data_as_of, lead)
        facts = {
            "day": day.isoformat(),
            "past": past,
            "model": forecast.model,
            "sources": forecast.sources,
            "data_as_of": forecast.data_as_of.isoformat(),
            "districts": int(forecast.districts["entity"].nunique()),
            "rows": rows,
            "alerts": {
                definition.frequency.name: end.isoformat(),
                **forecast_rows.alerts(forecast.districts, lead),
            },
            "hindsight": forecast.hindsight,
            "published_later": forecast.published_later,
            f"stale_{definition.frequency.name}s": forecast.stale,
            "silent": dict(forecast.silent),
            "page": str(page),
        }
        refs = forecast.sources
        learned = () if forecast.hindsight else sources.learned_from(config, definition, refs)
        read = (forecast.model, *forecast.sources, *learned)
        outputs = (*forecast.refs, reference())
        # A past day is no news.
        notices = () if as_of else forecast_notices.notices(forecast, definition.spec, before)
        files = (page, forecast_page.folder_of(page))
        return steps.Outcome(outputs, read, facts, files, notices)

    code = events.code_hash(config.root, "models", "feature_repo", "yupana/tasks/forecast")
    drawn_on = file_sha256(boundaries) if boundaries else ""
    emit(
        steps.run(
            config,
            "forecast",
            use_case,
            work,
            inputs=inputs,
            depends_on=[code, str(as_of or ""), older, drawn_on],
            earlier=True,
            tables=(f"forecasts/{use_case}", f"forecasts/{use_case}_areas"),
            # A later forecast may have taken the page's place.
            still_there=lambda outputs: page.exists() and outputs[-1] == reference(),
        ),
        as_json,
    )
