"""Commands of those who answer for a model: check, evidence, assess, approve, suspend, resume,
history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yupana.cli.oversight.governance_tables import as_values, conditions, line, table
from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, say, say_json
from yupana.core.errors import UsageError

if TYPE_CHECKING:
    from yupana.config.settings import Settings
    from yupana.gate.decisions import Record
    from yupana.gate.measures import Subject

Which = Annotated[
    str,
    typer.Argument(
        metavar="MODEL@VERSION", help="A version or an alias: USE_CASE@3, USE_CASE@champion."
    ),
]
Target = Annotated[
    str,
    typer.Argument(metavar="USE_CASE|MODEL@VERSION", help="A use case, or a version: USE_CASE@3."),
]
Reason = Annotated[
    str, typer.Option(help="Why, in Spanish, without names of persons: kept for ever and shown.")
]
ReasonEn = Annotated[str, typer.Option(help="The same in English.")]
Key = Annotated[
    Path | None,
    typer.Option(help="File with your own key or token, beside this machine's account."),
]
Folder = Annotated[
    Path | None,
    typer.Option(help="The files of a model that another platform shared and no registry has."),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        no_args_is_help=True, help="The risk register and the gate: who may decide what, and why."
    )
    for command in (check, evidence, assess, approve, suspend, resume, history):
        group.command()(command)
    app.add_typer(group, name="governance")


def check(
    use_case: UseCase,
    model: Annotated[
        str, typer.Option(help="Judge this version, e.g. USE_CASE@3; default: the champion.")
    ] = "",
    stage: Annotated[
        str, typer.Option(help="Judge for trial or service; default: the register's stage.")
    ] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Say of every condition whether it is met, by which evidence, and what to do if not.

    Exit code 1 if the stage is not met.

    Example: yupana governance check USE_CASE --stage service
    """
    from typing import cast

    from yupana.gate import gate
    from yupana.gate.case import Stage

    if stage not in ("", "trial", "service"):
        raise UsageError(
            f"There is no stage '{stage}'.", where="--stage", fix="Use trial or service."
        )
    config = settings()
    subject = _subject_or_none(config, use_case, model, folder)
    target_stage = cast(Stage, stage) if stage else None
    decision = gate.decide(config, use_case, subject, "check", datetime.now(UTC), target_stage)
    say_json(gate.to_json(decision)) if as_json else conditions(decision)
    if not decision.allowed:
        raise typer.Exit(1)


def evidence(
    use_case: UseCase,
    file: Annotated[Path, typer.Argument(help="What `make test` wrote: var/tests.json.")],
    as_json: AsJson = False,
) -> None:
    """Take over the results of the tests that the use case's register names as evidence.

    Each counts for as many days as the register says, from the day on which it ran.

    Example: yupana governance evidence USE_CASE var/tests.json
    """
    from yupana.console.options import emit
    from yupana.gate import results

    emit(results.record(settings(), use_case, results.read(file), datetime.now(UTC)), as_json)


def assess(which: Which, folder: Folder = None, as_json: AsJson = False) -> None:
    """Record register, files and measures by group as they are today; counts for some months.

    The first of three steps: assess, then approve as another person, then `yupana models promote`.
    An edit of the register or of the model's files ends it.

    Example: yupana governance assess USE_CASE@champion
    """
    from yupana.gate import actions
    from yupana.identity import actors

    config = settings()
    model = _subject(config, which, folder)
    record, decision = actions.assess(config, model, now=datetime.now(UTC), accounts=actors.here())
    after = [f"next, by another person: yupana governance approve {model.name} --reason …"]
    if unmet := record.facts["unmet"]:
        arguments = f"{decision.use_case} --model {model.name} --stage service"
        after = [
            f"still open for service: {', '.join(unmet)}",
            f"see: yupana governance check {arguments}",
        ]
    _say(config, record, as_json, *after)


def approve(
    which: Which,
    reason: Reason,
    key: Key = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Approve an assessed model for decisions, as a person other than its author.

    Who may: an approver whom the register names, by an own account. All accounts of the session
    count (user, login, --key), so nobody approves in the author's session.

    Example: yupana governance approve USE_CASE@3 --reason "Revisada con la agencia"
    """
    from yupana.gate import actions

    config = settings()
    model = _subject(config, which, folder)
    now, accounts = datetime.now(UTC), _accounts(config, key)
    record = actions.approve(config, model, reason, now=now, accounts=accounts)
    way = f"adopt {model.use_case} … --version" if folder else "models promote"
    next_ = f"next: yupana {way} {model.version if folder else model.name}"
    _say(config, record, as_json, next_)


def suspend(
    target: Target,
    reason: Reason,
    reason_en: ReasonEn = "",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Stop a use case or one model: services stop answering within seconds, and say why.

    Who may: the supervisor or a deputy of the register; on trial, the owner of YUPANA_HOME too.
    No other model answers in its place, and it stays stopped when a service starts again.

    Example: yupana governance suspend USE_CASE@3 --reason "Alertas falsas"
    """
    _suspension("suspend", target, reason, reason_en, key, as_json)


def resume(
    target: Target,
    reason: Reason,
    reason_en: ReasonEn = "",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Lift a suspension, as a supervisor.

    A deputy stops and does not start again. `yupana governance history` says what is suspended.

    Example: yupana governance resume USE_CASE@3 --reason "Corregida la notificación"
    """
    _suspension("resume", target, reason, reason_en, key, as_json)


def history(use_case: UseCase, as_json: AsJson = False) -> None:
    """List what was decided, oldest first, from the ledger.

    Example: yupana governance history USE_CASE
    """
    from yupana.gate import decisions
    from yupana.identity import activity

    config = settings()
    record = decisions.of(config, use_case)
    if record:
        activity.note_access(config, "name", f"decisions/{use_case}", events=len(record))
    say_json([as_values(config, one) for one in record]) if as_json else table(config, record)
    if wrong := decisions.trouble(record):
        typer.echo(f"NOT WHOLE: {wrong}", err=True)
        raise typer.Exit(1)


def _suspension(
    kind: str, target: str, reason: str, reason_en: str, key: Path | None, as_json: bool
) -> None:
    from yupana.gate import actions

    config = settings()
    act = {"suspend": actions.suspend, "resume": actions.resume}[kind]
    now, accounts = datetime.now(UTC), _accounts(config, key)
    order = actions.Order(target, reason, reason_en, now=now, accounts=accounts)
    _say(config, act(config, order), as_json)


def _say(settings: Settings, record: Record, as_json: bool, *after: str) -> None:
    """A decision, and for people what comes after it."""
    say(as_values(settings, record), "\n  ".join([line(settings, record), *after]), as_json)


def _accounts(settings: Settings, key: Path | None) -> tuple[str, ...]:
    """By what the caller acts; the key does not hide whose session it is."""
    from yupana.identity import actors, credentials

    return (*((credentials.by_file(settings, key),) if key else ()), *actors.here())


def _subject_or_none(
    settings: Settings, use_case: str, model: str, folder: Path | None
) -> Subject | None:
    """The model to judge; None where the use case has no champion to fall back on."""
    if model:
        return _subject(settings, model, folder)
    try:
        return _subject(settings, f"{use_case}@champion", None)
    except UsageError:
        return None


def _subject(settings: Settings, which: str, folder: Path | None) -> Subject:
    from yupana.tracking import subjects, versions

    if folder is None:
        model = versions.find(settings, which)
        return subjects.of_folder(model.name, model.number, model.folder)
    name, _, version = which.partition("@")
    if not version.isdigit() or not folder.is_dir():
        raise UsageError(
            f"'{which}' in '{folder}' names no model of another platform.",
            where="--folder",
            fix="Write NAME@VERSION, and the folder that `dvc get` brought.",
        )
    return subjects.of_folder(name, int(version), folder)
