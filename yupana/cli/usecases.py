"""`yupana usecases`: what use cases there are, what each is, and whether it is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from yupana.console.options import AsJson, say_json

if TYPE_CHECKING:
    from yupana.core.spec import Spec


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(usecases)


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
    from dataclasses import asdict

    from yupana.config.settings import settings
    from yupana.orchestration import usecase_check

    config = settings()
    results = {name: usecase_check.check(config, name) for name in names}
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
