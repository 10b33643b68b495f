"""Commands of the model registry: what there is, what differs, what serves; and the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli import judging
from yupana.cli.common import AsJson, emit
from yupana.cli.lake import say_json
from yupana.cli.models_shown import as_values, comparison, details, reproduced, table

if TYPE_CHECKING:
    from yupana.config.settings import Settings
    from yupana.core.types import StepResult
    from yupana.governance import steps
    from yupana.tracking.versions import Version

Which = Annotated[
    str, typer.Argument(metavar="MODEL@VERSION", help="E.g. outbreak@3, outbreak@champion.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(no_args_is_help=True, help="The model registry: versions and champion.")
    for command in (show, compare, delete, restore, promote):
        group.command()(command)
    group.command("list")(list_models)
    group.command("register")(judging.register_model)
    app.add_typer(group, name="models")
    app.command()(reproduce)


def list_models(
    name: Annotated[str, typer.Argument(help="Only this model, e.g. outbreak.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the registered versions: alias, WIS, against the best baseline, date, data.

    Example: yupana models list outbreak
    """
    from yupana.config.settings import settings
    from yupana.tracking import versions

    found = versions.listing(settings(), name)
    say_json([as_values(v) for v in found]) if as_json else table(found)


def show(which: Which, as_json: AsJson = False) -> None:
    """Show one version: scores, parameters, data versions, environment, hardware, code.

    Example: yupana models show outbreak@champion
    """
    found = _find(which)[1]
    if as_json:
        whole = {"params": found.params, "metrics": found.metrics, "facts": found.tags}
        say_json({**as_values(found), **whole})
    else:
        details(found)


def compare(
    which: Annotated[
        list[str], typer.Argument(metavar="MODEL@VERSION…", help="Two versions or more.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say what differs between versions: scores, parameters, data, environment, code.

    Example: yupana models compare outbreak@2 outbreak@champion
    """
    from yupana.core.errors import UsageError
    from yupana.tracking import versions

    if len(which) < 2:
        raise UsageError(
            "A comparison needs two versions or more.",
            where=" ".join(which),
            fix="Such as: yupana models compare outbreak@2 outbreak@champion",
        )
    told = versions.compare([_find(w)[1] for w in which])
    say_json(told) if as_json else comparison(told)


def promote(
    which: Which,
    reason: Annotated[str, typer.Option(help="Why, if it is not better; recorded.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a version the champion; one that is not better needs a person's reason.

    Example: yupana models promote outbreak@2 --reason "version 3 misses the rainy season"
    """
    import getpass
    from datetime import UTC, datetime

    from yupana.tracking import versions

    chosen, found = _find(which)

    def work() -> steps.Outcome:
        from yupana.governance import deployments, steps
        from yupana.tracking import deployment

        made = versions.promote(chosen, found, reason=reason, by=getpass.getuser())
        if deployments.CHAMPION in deployments.current(chosen.platform_db, found.name):
            # Services that run take the new champion without a restart.
            made["deployed"] = deployment.deploy(
                chosen, found.name, now=datetime.now(UTC), by=getpass.getuser()
            )
        return steps.Outcome((found.ref,), metrics=made)

    # The same references as those of its registration: whoever asks what made the model finds
    # candidate and evaluation first.
    made_of = tuple(found.tags[k] for k in ("candidate", "evaluation"))
    emit(_step(chosen, "promote", found, work, made_of), as_json)


def delete(which: Which, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a version, after asking; it can be restored for a time. The champion is refused.

    Example: yupana models delete outbreak@2
    """
    from datetime import date

    from yupana.tracking import versions

    chosen, found = _find(which)
    if not yes:
        typer.confirm(f"Delete {found.ref}?", abort=True, err=True)

    def work() -> steps.Outcome:
        from yupana.governance import steps

        last = versions.delete(chosen, found, date.today())
        return steps.Outcome((), metrics={"version": found.number, "restore_until": last})

    emit(_step(chosen, "delete_model", found, work, (found.ref,)), as_json)


def restore(which: Which, as_json: AsJson = False) -> None:
    """Undo a deletion.

    Example: yupana models restore outbreak@2
    """
    from datetime import date

    from yupana.tracking import versions

    chosen, found = _find(which)

    def work() -> steps.Outcome:
        from yupana.governance import steps

        versions.restore(chosen, found, date.today())
        return steps.Outcome((), metrics={"version": found.number})

    emit(_step(chosen, "restore_model", found, work, (found.ref,)), as_json)


def reproduce(which: Which, as_json: AsJson = False) -> None:
    """Train a version again from its recorded data and seed, and compare weights and forecasts.

    On the same machine both must be equal byte for byte; on another, forecasts within the
    tolerance that the answer states. Exit code 1 if it is not reproduced.

    Example: yupana reproduce outbreak@3
    """
    from yupana.core.progress import Lines

    chosen, found = _find(which)
    told: dict[str, Any] = {}

    def work() -> steps.Outcome:
        from yupana.evaluation import reproduce as again
        from yupana.governance import steps

        told.update(again.reproduce(chosen, found, Lines().say))
        return steps.Outcome((), metrics={k: told[k] for k in ("reproduced", "how", "differs")})

    _step(chosen, "reproduce", found, work, (found.ref,))
    say_json(told) if as_json else reproduced(told)
    if not told["reproduced"]:
        raise typer.Exit(1)


def _find(which: str) -> tuple[Settings, Version]:
    from yupana.config.settings import settings
    from yupana.tracking import versions

    chosen = settings()
    return chosen, versions.find(chosen, which)


def _step(
    chosen: Settings, step: str, found: Version, work: Any, inputs: tuple[str, ...]
) -> StepResult:
    from yupana.governance import steps

    # What is done by hand is done each time that it is asked for.
    return steps.run(chosen, step, found.name, work, inputs=inputs, still_there=lambda _: False)
