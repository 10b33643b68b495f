"""The command that says for whom a model is good, for whom not, and who is not measured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.config.settings import Settings

_DAY = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(impact)


def impact(
    use_case: UseCase,
    model: Annotated[
        str, typer.Option(help="A registered version or its alias: 3, challenger.")
    ] = "champion",
    first: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="Periods that end from then on.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="Periods that end up to this day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say for whom the model is right and for whom not: errors, calibration, missed and false
    alerts by group, with intervals, costs and population; a page and JSON.

    The periods are those that the model never saw: its test periods, and recorded forecasts whose
    period is known by now. Small counts are hidden, and groups without data named.

    Example: yupana impact outbreak --from 2021-06-01
    """
    from yupana.lineage import events, steps
    from yupana.tracking import aliases, versions

    config, today = settings(), datetime.now(UTC).date()
    if model == "champion":
        ref = aliases.champion(config, use_case)
    else:
        ref = versions.find(config, f"{use_case}@{model.removeprefix(f'{use_case}@')}").ref
    since, until = (day.date() if day else None for day in (first, last))

    def work() -> steps.Outcome:
        from yupana.tasks.forecast.impact import report

        document = report.make(
            config, versions.find(config, ref), today, first=since, last=until, say=Lines().say
        )
        files = report.write(config, document)
        facts = {**_facts(document), **{name: str(path) for name, path in files.items()}}
        outputs = (f"report:{use_case}/impact-{document['id']}",)
        return steps.Outcome(outputs, tuple(document["rests_on"]), facts, tuple(files.values()))

    code = events.code_hash(config.root, "models", "feature_repo", "yupana/tasks/forecast")
    result = steps.run(
        config, "impact", use_case, work, inputs=_inputs(config, use_case, ref),
        depends_on=[code, config.seed, str(since), str(until), _outside(config, use_case)],
        still_there=lambda outputs: all(_json(config, ref).exists() for ref in outputs),
    )  # fmt: skip
    if as_json:
        emit(result, as_json)
    else:
        _show(result.metrics, result.status)


def _json(settings: Settings, ref: str) -> Path:
    return settings.reports / f"{ref.removeprefix('report:')}.json"


def _inputs(settings: Settings, use_case: str, model: str) -> tuple[str, ...]:
    """The model, and the tables that the report reads where they are there."""
    from yupana.data.lake import delta
    from yupana.tasks.forecast import usecases
    from yupana.tasks.forecast.impact import group_words

    definition = usecases.load(use_case)
    names = (definition.counted, group_words.INDICATORS, definition.cases_by_age)
    tables = [("published", name) for name in names if name]
    there = [t for t in (*tables, ("forecasts", use_case)) if delta.exists(settings.table(*t))]
    return (model, *(delta.ref(settings.lake, zone, name).ref for zone, name in there))


def _outside(settings: Settings, use_case: str) -> list[Any]:
    """What the report says of costs and of users, which no reference names."""
    from yupana.tasks.forecast.impact import report

    price = report.costs(settings.root, use_case)
    feedback = report.feedback_counts(settings.platform_db, use_case)
    return [price.model_dump(mode="json") if price else None, feedback]


def _show(facts: dict[str, Any], status: str) -> None:
    for line in facts["summary"]:
        print(f"- {line['es']}\n  {line['en']}")
    print(f"{'already done' if status == 'unchanged' else 'page'}: {facts['html']}")


def _facts(report: dict[str, Any]) -> dict[str, Any]:
    everyone = report["groups"][0]
    names = ("n", "ratio", "coverage_90", "missed", "false_alarms")
    return {
        **{name: everyone[name] for name in names},
        "period": report["period"],
        "groups": len(report["groups"]),
        "worse": [
            f"{g['by']}/{g['of']}"
            for g in report["groups"]
            if (g["against_others"] or {}).get("says") == "worse"
        ],
        "unmeasured": [u["by"] for u in report["unmeasured"]],
        "summary": report["summary"],
    }
