"""`yupana usecases`: what there are, and whether each is complete; `yupana new`: files of one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, say_json
from yupana.core.errors import UsageError

if TYPE_CHECKING:
    from yupana.core.spec import Spec


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(usecases)
    group = typer.Typer(no_args_is_help=True, help="Write the files of something new.")
    group.callback()(lambda: None)
    group.command()(usecase)
    app.add_typer(group, name="new")


def usecases(
    name: Annotated[
        str, typer.Argument(help="One use case, or the word check; without it all are listed.")
    ] = "",
    of: Annotated[str, typer.Argument(metavar="[NAME]", help="With check: one use case.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the use cases, show the spec of one, or check that all, or one, are complete.

    Examples: yupana usecases NAME; yupana usecases check NAME
    """
    from yupana.core import spec as specs
    from yupana.core import usecase

    if name == "check":
        _check([of] if of else usecase.names(), as_json)
        return
    listing = [specs.load(n) for n in ([name] if name else usecase.names())]
    if as_json:
        values = [one.model_dump(mode="json") for one in listing]
        say_json(values[0] if name else values)
        return
    for one in listing:
        _show(one)


def _show(spec: Spec) -> None:
    data, metric = spec.data, spec.metric
    print(f"{spec.name}: {spec.title.es} / {spec.title.en}")
    print(f"  kind: {spec.task}")
    print(f"  data: {', '.join(data.required)}; if published: {', '.join(data.optional) or 'none'}")
    print(f"  about: {spec.entity.key}, by {', '.join(spec.entity.groups) or 'no group'}")
    baselines = ", ".join(metric.baselines)
    print(f"  metric: {metric.name}, {metric.better} is better, against {baselines}")
    print(f"  actions: {', '.join(spec.actions)}")


def _check(names: list[str] | tuple[str, ...], as_json: bool) -> None:
    from yupana.orchestration import usecase_files

    config = settings()
    results = {name: usecase_files.check(config, name) for name in names}
    whole = all(one.ok for findings in results.values() for one in findings)
    if as_json:
        values = {name: [asdict(one) for one in findings] for name, findings in results.items()}
        say_json({"complete": whole, "use_cases": values})
    else:
        for name, findings in results.items():
            print(f"{name}: {'complete' if all(f.ok for f in findings) else 'not complete'}")
            for one in findings:
                print(f"  {'ok ' if one.ok else 'no '} {one.what}   {one.where}")
                if one.fault:
                    print(f"      {one.fault}")
    if not whole:
        raise typer.Exit(1)


Column = Annotated[str, typer.Option(metavar="COLUMN", help="Of a forecast, as --column says it.")]


def usecase(
    name: Annotated[str, typer.Argument(help="Small letters, digits and underscores.")],
    data: Annotated[str, typer.Option(metavar="DATASET", help="A published data set.")],
    task: Annotated[str, typer.Option(help="The kind of use case.")] = "forecast",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="PART=COLUMN", help="Guessed where only one can be; may be repeated."),
    ] = None,
    entity: Column = "",
    period: Column = "",
    count: Column = "",
    as_json: AsJson = False,
) -> None:
    """Write a small use case of a kind, which trains, serves and is monitored at once.

    All its files bear its name, and no other file changes. Its columns are guessed from contract
    and table. Forecasts read entity, period and count: the data set has a row an entity and a week
    or a month. Classifiers read entity, text, label, group, time and title: a row is a text.

    Example: yupana new usecase river_floods --data river_floods_monthly --entity station

    Example: yupana new usecase requests --task classify --data requests --column text=narrative
    """
    from yupana.cli.lazy import Commands
    from yupana.core import usecase as use_cases
    from yupana.orchestration import new_usecase

    if name in {*Commands()} - {*use_cases.names()}:
        raise UsageError(
            f"`yupana {name}` is a command already.",
            where="NAME",
            fix="Give another name: below it stand the commands that a use case adds.",
        )
    columns = _columns(column or [], {"entity": entity, "period": period, "count": count})
    paths = new_usecase.write(settings(), name, task, data, columns, datetime.now(UTC).date())
    if as_json:
        say_json({"use_case": name, "files": paths})
        return
    print("\n".join(paths))
    print(f"\nnext: yupana usecases check {name}, then features, train, deploy, serve, monitor")


def _columns(pairs: list[str], own: dict[str, str]) -> dict[str, str]:
    """Columns by the parts of a kind that read them.

    Raises:
        UsageError: one is not written PART=COLUMN.
    """
    columns = {part: column for part, column in own.items() if column}
    for pair in pairs:
        part, _, column = pair.partition("=")
        if not part or not column:
            raise UsageError(
                f"'{pair}' does not say which column is what.",
                where="--column",
                fix="Write PART=COLUMN, as --column text=narrative.",
            )
        columns[part] = column
    return columns
