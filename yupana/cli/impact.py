"""The command that says for whom a model is good, for whom not, and who is not measured."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.common import AsJson, UseCase, emit

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
        datetime | None, typer.Option("--from", formats=_DAY, help="Weeks that end from this day.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="Weeks that end up to this day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say for whom the model is right and for whom not: errors, calibration, missed and false
    alerts by group, with intervals, costs and population; a page and JSON.

    The weeks are those that the model never saw: its test weeks, and recorded forecasts whose
    week is known by now. Small counts are hidden, and groups without data named.

    Example: yupana impact outbreak --from 2021-06-01
    """
    from datetime import UTC

    from yupana.config.settings import settings
    from yupana.core.progress import Lines
    from yupana.governance import events, steps
    from yupana.tracking import versions

    chosen, today = settings(), datetime.now(UTC).date()
    if model == "champion":
        # By the event log: asking the registry costs seconds, also where nothing is to be done.
        ref = events.champion(chosen.events, use_case)
    else:
        ref = versions.find(chosen, f"{use_case}@{model.removeprefix(f'{use_case}@')}").ref
    since, until = (day.date() if day else None for day in (first, last))

    def work() -> steps.Outcome:
        from yupana.evaluation.impact import report

        made = report.make(
            chosen, versions.find(chosen, ref), today, first=since, last=until, say=Lines().say
        )
        paths = {name: str(path) for name, path in report.write(chosen, made).items()}
        facts = {**_facts(made), **paths}
        return steps.Outcome(
            (f"report:{use_case}/impact-{made['id']}",), tuple(made["rests_on"]), facts
        )

    code = events.code_hash(chosen.root, "models", "feature_repo", "yupana/evaluation")
    result = steps.run(
        chosen, "impact", use_case, work, inputs=_inputs(chosen, use_case, ref),
        depends_on=[code, chosen.seed, str(since), str(until), _outside(chosen, use_case)],
        still_there=lambda outputs: all(_json(chosen, ref).exists() for ref in outputs),
    )  # fmt: skip
    if as_json:
        emit(result, as_json)
    else:
        _show(result.metrics, result.status)


def _json(settings: Settings, ref: str) -> Path:
    return settings.reports / f"{ref.removeprefix('report:')}.json"


def _inputs(settings: Settings, use_case: str, model: str) -> tuple[str, ...]:
    """The model, and the tables that the report reads where they are there."""
    from yupana.core import usecase
    from yupana.data import delta
    from yupana.evaluation.impact import ages, places

    weekly = usecase.load("feature_repo", f"{use_case}_weekly")
    tables = [("published", n) for n in (weekly.REPORTED, places.INDICATORS, ages.CASES)]
    there = [t for t in (*tables, ("forecasts", use_case)) if delta.exists(settings.table(*t))]
    return (model, *(delta.ref(settings.lake, zone, name).ref for zone, name in there))


def _outside(settings: Settings, use_case: str) -> list[Any]:
    """What the report says of costs and of users, which no reference names."""
    from yupana.evaluation.impact import report

    price = report.costs(settings.root, use_case)
    told = report.told_back(settings.platform_db)
    return [price.model_dump(mode="json") if price else None, told]


def _show(facts: dict[str, Any], status: str) -> None:
    for line in facts["summary"]:
        print(f"- {line['es']}\n  {line['en']}")
    print(f"{'already done' if status == 'unchanged' else 'page'}: {facts['html']}")


def _facts(report: dict[str, Any]) -> dict[str, Any]:
    everyone = report["groups"][0]
    kept = ("n", "ratio", "coverage_90", "missed", "false_alarms")
    return {
        **{name: everyone[name] for name in kept},
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
