"""Commands of projects: an environment, permissions on data, experiments and models as one."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console import tables
from yupana.console.options import AsJson, say, say_json
from yupana.core.errors import UsageError

if TYPE_CHECKING:
    from yupana.config.settings import Settings

Name = Annotated[str, typer.Argument(help="The project's name: small letters, digits, - and _.")]
Title = Annotated[str, typer.Option(help="What the project is, for people.")]
Data = Annotated[list[str] | None, typer.Option(help="Data set that it may read; once for each.")]
Model = Annotated[
    list[str] | None, typer.Option(help="Use case that it trains; once for each.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Projects: environment, data permissions, experiments and models under one name.",
    )
    for command in (create, show, change, delete, restore):
        group.command()(command)
    group.command("list")(list_projects)
    app.add_typer(group, name="projects")


def create(
    name: Name, title: Title = "", data: Data = None, model: Model = None, as_json: AsJson = False
) -> None:
    """Make a project for the present environment; YUPANA_PROJECT chooses it.

    Example: yupana projects create NAME --data DATASET --model USE_CASE
    """
    from yupana.tracking import projects

    config = settings()
    project = projects.create(config, name, title=title, data=data or [], models=model or [])
    _log(config, "create", name, project)
    say(project, f"made: {name}. Choose it by YUPANA_PROJECT={name}", as_json)


def list_projects(as_json: AsJson = False) -> None:
    """List the projects.

    Example: yupana projects list
    """
    from rich.text import Text

    from yupana.tracking import projects

    listing = projects.listing(settings())
    if as_json:
        say_json(listing)
        return
    rows = []
    for row in listing:
        name = Text(row["name"], style="bold")
        if row["deleted_on"]:
            name.append(f"\ndeleted {row['deleted_on']}", style="not bold red")
        cells = row["title"], "\n".join(row["data"]), "\n".join(row["models"])
        rows.append((name, *cells, row["lock"][:12], f"{row['changed']:%Y-%m-%d}"))
    heads = ("project", "title", "data", "models", "environment", "changed")
    tables.show(*heads, rows=rows)


def show(name: Name, as_json: AsJson = False) -> None:
    """Show a project, its models' versions, and whether its environment is the present one.

    Example: yupana projects show NAME
    """
    from yupana.tracking import facts, projects, versions

    config = settings()
    row = projects.find(config, name)
    model_versions = []
    for model in row["models"]:
        try:
            model_versions += versions.listing(config, model)
        except UsageError:
            # Nothing of it is registered yet.
            continue
    document = {
        **row,
        "environment_is_present": row["lock"] == facts.environment(config)["lock"],
        "versions": [
            {"version": v.ref, "aliases": v.aliases} for v in model_versions if not v.deleted
        ],
    }
    if as_json:
        say_json(document)
        return
    for key, value in document.items():
        print(f"{key}: {_plain(value)}")


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(v) for v in value) or "none"
    if isinstance(value, dict):
        return f"{value['version']} {' '.join(value['aliases'])}".strip()
    return str(value)


def change(
    name: Name,
    title: Title = "",
    data: Data = None,
    model: Model = None,
    lock: Annotated[bool, typer.Option("--lock", help="Take the present environment.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change what is given; --data and --model replace the whole list before.

    Example: yupana projects change NAME --data DATASET --data OTHER
    """
    from yupana.tracking import projects

    config = settings()
    before = projects.find(config, name)
    project = projects.change(config, name, title=title, data=data, models=model, lock=lock)
    new = {k: v for k, v in project.items() if v != before[k]}
    _log(config, "change", name, new)
    if as_json:
        say_json(project)
        return
    for key, value in new.items():
        print(f"{key}: {_plain(value)}")


def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Close a project, after asking; its runs and models stay, and it can be restored for a time.

    Example: yupana projects delete NAME
    """
    from yupana.tracking import projects

    config = settings()
    projects.find(config, name)
    if not yes:
        typer.confirm(f"Delete project '{name}'?", abort=True, err=True)
    last = projects.delete(config, name, date.today())
    _log(config, "delete", name, {"restore_until": last})
    words = f"deleted: {name}. Until {last}: yupana projects restore {name}"
    say({"name": name, "deleted": True, "restore_until": last}, words, as_json)


def restore(name: Name, as_json: AsJson = False) -> None:
    """Undo a deletion.

    Example: yupana projects restore NAME
    """
    from yupana.tracking import projects

    config = settings()
    project = projects.restore(config, name, date.today())
    _log(config, "restore", name, {})
    say(project, f"restored: {name}", as_json)


def _log(settings: Settings, what: str, name: str, details: dict[str, Any]) -> None:
    from yupana.identity import actors
    from yupana.lineage import events

    facts = {"what": what, "by": actors.user(), **details}
    events.append(settings, "project", name, status="done", facts=facts)
