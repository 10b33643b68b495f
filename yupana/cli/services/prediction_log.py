"""The command that carries the prediction log into the lake: export-predictions."""

from __future__ import annotations

from typing import Annotated

import typer

from yupana.console.options import AsJson, UseCase, emit


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("export-predictions")(export_predictions)


def export_predictions(
    use_case: UseCase,
    keep_days: Annotated[
        int | None,
        typer.Option(min=1, help="Then remove older records from the database; default: none."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Append the new records of the prediction log to the lake's table predictions/<use case>.

    What was recorded before --keep-days is removed from the database once it is in the lake.

    Example: yupana export-predictions USE_CASE --keep-days 400
    """
    from datetime import UTC, datetime, timedelta

    from yupana.config.settings import settings
    from yupana.core.progress import Lines
    from yupana.predictions import archive, export

    config = settings()
    result = export.export(config, use_case, Lines())
    if keep_days:
        before = datetime.now(UTC) - timedelta(days=keep_days)
        count = archive.forget(config, use_case, before)
        result = result.model_copy(update={"metrics": {**result.metrics, "removed": count}})
    emit(result, as_json)
