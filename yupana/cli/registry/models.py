"""Commands of the model registry: what there is, what differs, what serves; and the proof."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.registry.models_tables import as_values, comparison_table, details, table
from yupana.cli.registry.train import register_model
from yupana.config.lazy import settings
from yupana.console.options import AsJson, emit, say_json
from yupana.core.errors import UsageError

if TYPE_CHECKING:
    from yupana.config.settings import Settings
    from yupana.core.types import StepResult
    from yupana.lineage import steps
    from yupana.tracking.versions import Version

Which = Annotated[
    str,
    typer.Argument(
        metavar="MODEL@VERSION", help="A version or an alias: USE_CASE@3, USE_CASE@champion."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(no_args_is_help=True, help="The model registry: versions and champion.")
    for command in (show, compare, delete, restore, promote):
        group.command()(command)
    group.command("list")(list_models)
    group.command("register")(register_model)
    app.add_typer(group, name="models")


def list_models(
    name: Annotated[str, typer.Argument(help="Only the versions of this use case.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the registered versions: alias, slot, score, against the best baseline, date, data.

    Below the list: where the champion is not what answers.

    Example: yupana models list USE_CASE
    """
    from yupana.tracking import roles, versions

    listing = versions.listing(settings(), name)
    by_name = {name: roles.of(settings(), name) for name in dict.fromkeys(v.name for v in listing)}
    if as_json:
        say_json([as_values(v, by_name[v.name]) for v in listing])
    else:
        table(listing, by_name)


def show(which: Which, as_json: AsJson = False) -> None:
    """Show one version: scores, parameters, data versions, environment, hardware, code.

    Example: yupana models show USE_CASE@champion
    """
    from yupana.tracking import roles

    config, version = _find(which)
    now = roles.of(config, version.name)
    if as_json:
        whole = {"params": version.params, "metrics": version.metrics, "facts": version.tags}
        say_json({**as_values(version, now), **whole})
    else:
        details(version, now)


def compare(
    which: Annotated[
        list[str], typer.Argument(metavar="MODEL@VERSION…", help="Two versions or more.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say what differs between versions: scores, parameters, data, environment, code.

    Example: yupana models compare USE_CASE@2 USE_CASE@champion
    """
    from yupana.tracking import comparison

    if len(which) < 2:
        raise UsageError(
            "A comparison needs two versions or more.",
            where=" ".join(which),
            fix="Such as: yupana models compare USE_CASE@2 USE_CASE@champion",
        )
    difference = comparison.compare([_find(w)[1] for w in which])
    say_json(asdict(difference)) if as_json else comparison_table(difference)


def promote(
    which: Which,
    reason: Annotated[str, typer.Option(help="Why, if it is not better; recorded.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a version the champion; one that is not better needs a person's reason.

    Example: yupana models promote USE_CASE@2 --reason "version 3 misses every peak"
    """
    from yupana.identity import actors
    from yupana.tracking import deployment, slots, versions

    config, version = _find(which)
    by = actors.user()

    def work() -> steps.Outcome:
        from yupana.lineage import steps

        metrics = asdict(versions.promote(config, version, reason=reason, by=by))
        return steps.Outcome((version.ref,), metrics=metrics)

    # The same references as those of its registration: whoever asks what made the model finds
    # candidate and evaluation first.
    inputs = tuple(version.tags[k] for k in ("candidate", "evaluation"))
    result = _step(config, "promote", version, work, inputs)
    if slots.CHAMPION in slots.current(config.platform_db, version.name):
        # Services that run take the new champion without a restart. It is champion already, and
        # the log says so, should this fail.
        now = datetime.now(UTC)
        tag = deployment.deploy(config, version.name, now=now, by=by).tag
        result = result.model_copy(update={"metrics": {**result.metrics, "deployed": tag}})
    emit(result, as_json)


def delete(which: Which, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a version, after asking; it can be restored for a time. The champion is refused.

    Example: yupana models delete USE_CASE@2
    """
    from yupana.tracking import versions

    config, version = _find(which)
    if not yes:
        typer.confirm(f"Delete {version.ref}?", abort=True, err=True)

    def work() -> steps.Outcome:
        from yupana.lineage import steps

        last = versions.delete(config, version, date.today())
        return steps.Outcome((), metrics={"version": version.number, "restore_until": last})

    emit(_step(config, "delete_model", version, work, (version.ref,)), as_json)


def restore(which: Which, as_json: AsJson = False) -> None:
    """Undo a deletion.

    Example: yupana models restore USE_CASE@2
    """
    from yupana.tracking import versions

    config, version = _find(which)

    def work() -> steps.Outcome:
        from yupana.lineage import steps

        versions.restore(config, version, date.today())
        return steps.Outcome((), metrics={"version": version.number})

    emit(_step(config, "restore_model", version, work, (version.ref,)), as_json)


def _find(which: str) -> tuple[Settings, Version]:
    from yupana.tracking import versions

    config = settings()
    return config, versions.find(config, which)


def _step(
    settings: Settings, step: str, version: Version, work: Any, inputs: tuple[str, ...]
) -> StepResult:
    from yupana.lineage import steps

    # What is done by hand is done each time that it is asked for.
    return steps.run(settings, step, version.name, work, inputs=inputs, still_there=lambda _: False)
