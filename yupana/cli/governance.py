"""Commands of those who answer for a model: check, assess, approve, suspend, resume, history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.common import AsJson, UseCase
from yupana.cli.governance_shown import as_values, conditions, line, table
from yupana.cli.lake import say_json

if TYPE_CHECKING:
    from yupana.config.settings import Settings
    from yupana.governance.measures import Subject

Which = Annotated[
    str, typer.Argument(metavar="MODEL@VERSION", help="E.g. outbreak@3, outbreak@champion.")
]
Target = Annotated[
    str, typer.Argument(metavar="USE_CASE|MODEL@VERSION", help="E.g. outbreak, or outbreak@3.")
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
    for command in (check, assess, approve, suspend, resume, history):
        group.command()(command)
    app.add_typer(group, name="governance")


def check(
    use_case: UseCase,
    model: Annotated[
        str, typer.Option(help="Judge this version, e.g. outbreak@3; default: the champion.")
    ] = "",
    stage: Annotated[
        str, typer.Option(help="Judge for trial or service; default: the register's stage.")
    ] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Say of every condition whether it is met, by which evidence, and what to do if not.

    Exit code 1 if the stage is not met.

    Example: yupana governance check outbreak --stage service
    """
    from datetime import UTC, datetime
    from typing import cast

    from yupana.config.settings import settings
    from yupana.core.errors import UsageError
    from yupana.governance import gate
    from yupana.governance.case import Stage

    if stage not in ("", "trial", "service"):
        raise UsageError(
            f"There is no stage '{stage}'.", where="--stage", fix="Use trial or service."
        )
    chosen = settings()
    subject = _judged(chosen, use_case, model, folder)
    asked = cast(Stage, stage) if stage else None
    decision = gate.decide(chosen, use_case, subject, "check", datetime.now(UTC), asked)
    say_json(gate.to_json(decision)) if as_json else conditions(decision)
    if not decision.allowed:
        raise typer.Exit(1)


def assess(which: Which, folder: Folder = None, as_json: AsJson = False) -> None:
    """Record register, files and measures by group as they are today; counts for some months.

    The first of three steps: assess, then approve as another person, then `yupana models promote`.
    An edit of the register or of the model's files ends it.

    Example: yupana governance assess outbreak@champion
    """
    from yupana.config.settings import settings
    from yupana.governance import acting, actions

    chosen = settings()
    model = _subject(chosen, which, folder)
    made, decision = actions.assess(chosen, model, now=_now(), accounts=acting.here())
    if as_json:
        say_json(as_values(chosen, made))
        return
    print(line(chosen, made))
    if unmet := made.facts["unmet"]:
        print(f"  still open for service: {', '.join(unmet)}")
        asked = f"{decision.use_case} --model {model.name} --stage service"
        print(f"  see: yupana governance check {asked}")
    else:
        print(f"  next, by another person: yupana governance approve {model.name} --reason …")


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

    Example: yupana governance approve outbreak@3 --reason "Revisada con la DIRESA Loreto"
    """
    from yupana.config.settings import settings
    from yupana.governance import actions

    chosen = settings()
    model = _subject(chosen, which, folder)
    made = actions.approve(chosen, model, reason, now=_now(), accounts=_accounts(chosen, key))
    if as_json:
        say_json(as_values(chosen, made))
        return
    print(line(chosen, made))
    way = f"adopt {model.use_case} … --version" if folder else "models promote"
    print(f"  next: yupana {way} {model.version if folder else model.name}")


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

    Example: yupana governance suspend outbreak@3 --reason "Alertas falsas en Maynas"
    """
    _halt("suspend", target, reason, reason_en, key, as_json)


def resume(
    target: Target,
    reason: Reason,
    reason_en: ReasonEn = "",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Lift a suspension, as a supervisor.

    A deputy stops and does not start again. `yupana governance history` says what is suspended.

    Example: yupana governance resume outbreak@3 --reason "Corregida la notificación de Maynas"
    """
    _halt("resume", target, reason, reason_en, key, as_json)


def history(use_case: UseCase, as_json: AsJson = False) -> None:
    """List what was decided, oldest first, from the ledger.

    Example: yupana governance history outbreak
    """
    from yupana.config.settings import settings
    from yupana.governance import decisions
    from yupana.governance.ledger import access

    chosen = settings()
    made = decisions.of(chosen, use_case)
    if made:
        access.note(chosen, "name", f"decisions/{use_case}", events=len(made))
    say_json([as_values(chosen, one) for one in made]) if as_json else table(chosen, made)
    if wrong := decisions.trouble(made):
        typer.echo(f"NOT WHOLE: {wrong}", err=True)
        raise typer.Exit(1)


def _halt(
    kind: str, target: str, reason: str, reason_en: str, key: Path | None, as_json: bool
) -> None:
    from yupana.config.settings import settings
    from yupana.governance import actions

    chosen = settings()
    act = {"suspend": actions.suspend, "resume": actions.resume}[kind]
    made = act(
        chosen, target, reason, reason_en=reason_en, now=_now(), accounts=_accounts(chosen, key)
    )
    say_json(as_values(chosen, made)) if as_json else print(line(chosen, made))


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _accounts(chosen: Settings, key: Path | None) -> tuple[str, ...]:
    """By what the caller acts; the key does not hide whose session it is."""
    from yupana.governance import acting

    return (*((acting.by_file(chosen, key),) if key else ()), *acting.here())


def _judged(chosen: Settings, use_case: str, model: str, folder: Path | None) -> Subject | None:
    """The model to judge; None where the use case has no champion to fall back on."""
    from yupana.core.errors import UsageError

    if model:
        return _subject(chosen, model, folder)
    try:
        return _subject(chosen, f"{use_case}@champion", None)
    except UsageError:
        return None


def _subject(chosen: Settings, which: str, folder: Path | None) -> Subject:
    from yupana.core.errors import UsageError
    from yupana.tracking import subjects, versions

    if folder is None:
        found = versions.find(chosen, which)
        return subjects.of_folder(found.name, found.number, found.folder)
    name, _, version = which.partition("@")
    if not version.isdigit() or not folder.is_dir():
        raise UsageError(
            f"'{which}' in '{folder}' names no model of another platform.",
            where="--folder",
            fix="Write NAME@VERSION, and the folder that `dvc get` brought.",
        )
    return subjects.of_folder(name, int(version), folder)
