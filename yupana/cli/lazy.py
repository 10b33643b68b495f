"""Command groups whose modules are imported when their command is called.

`--help` and completion ask for all of them, and import all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from yupana.core import usecase

MODULES = {
    "machine": ("run", "setup", "doctor", "up", "down", "maintain"),
    "usecases": ("usecases", "new"),
    "datasets.ingest": ("ingest",),
    "datasets.contract": ("contract",),
    "datasets.mask": ("mask",),
    "datasets.stream": ("stream", "bridge"),
    "datasets.catalogue": ("datasets", "standards"),
    "datasets.lake": ("history", "quarantine"),
    "datasets.releases": ("diff", "retract", "restore"),
    "datasets.reports": ("quality", "profile"),
    "registry.train": ("train", "due", "evaluate", "register"),
    "registry.models": ("models",),
    "registry.projects": ("projects",),
    "services.serve": ("deploy", "adopt", "serve", "share", "bento"),
    "services.keys": ("keys",),
    "services.webhooks": ("webhooks",),
    "services.usage": ("usage",),
    "services.prediction_log": ("export-predictions", "agency-answers"),
    "oversight.monitor": ("monitor",),
    "oversight.alerts": ("alerts",),
    "oversight.trace": ("trace",),
    "oversight.events": ("events",),
    "oversight.lineage": ("lineage",),
    "oversight.report": ("report",),
    "oversight.governance": ("governance",),
    "oversight.audit": ("audit",),
    "database": ("database",),
}
"""The modules of this package, in the order of the help, and the commands that each registers."""


class Commands(Mapping[str, Any]):
    """All commands by name; looking one up imports its module.

    First the platform's, then those of each kind of use case, then a group for each use case
    that has commands of its own.
    """

    def __init__(self) -> None:
        packages = [("yupana.cli", MODULES), *usecase.kinds_commands()]
        self._modules: dict[str, list[tuple[str, str]]] = {}
        for package, modules in packages:
            for module, commands in modules.items():
                for command in commands:
                    self._modules.setdefault(command, []).append((package, module))
        self._groups = usecase.with_own_commands()

    def __getitem__(self, name: str) -> Any:
        """The command; of one that several kinds have, what all of them take."""
        if name in self._groups:
            return own(name)
        variants = [commands_of(*choice)[name] for choice in self._modules[name]]
        return variants[0] if len(variants) == 1 else _shared(name, variants)

    def for_arguments(self, name: str, arguments: Sequence[str]) -> Any:
        """The command of the kind whose use case is among the arguments, where kinds share it."""
        choices = self._modules.get(name, [])
        of = next((a for a in arguments if a in usecase.names()), "")
        if len(choices) < 2 or not of:
            return self[name]
        from yupana.core import spec

        package = usecase.commands_package(spec.load(of).task)
        mine = next((choice for choice in choices if choice[0] == package), choices[0])
        return commands_of(*mine)[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._modules
        yield from self._groups

    def __len__(self) -> int:
        return len(self._modules) + len(self._groups)


def commands_of(package: str, *modules: str) -> Mapping[str, Any]:
    """The commands of modules of a package by name."""
    app = typer.Typer()
    for module in modules:
        usecase.command_module(package, module).register(app)
    return _group(app).commands


def _shared(name: str, variants: Sequence[Any]) -> TyperCommand:
    """A command as its help shows it before a use case says of which kind it is."""
    options = {p.name: p for command in variants for p in command.params if p.opts[0][:1] == "-"}
    arguments = [p for p in variants[0].params if p.name not in options]
    words = "\n\n".join(command.help or "" for command in variants)
    return TyperCommand(
        name,
        params=[*arguments, *options.values()],
        help=f"{words}\n\nWhat it takes depends on the kind of the use case: "
        f"`yupana {name} USE_CASE --help`.",
    )


def own(use_case: str) -> Any:
    """The group of the commands that a use case adds."""
    package, modules = usecase.own_commands(use_case)
    group = typer.Typer(no_args_is_help=True, help=f"Commands of the use case {use_case} alone.")
    for module in modules:
        usecase.command_module(package, module).register(group)
    root = typer.Typer()
    root.add_typer(group, name=use_case)
    return _group(root).commands[use_case]


def _group(app: typer.Typer) -> TyperGroup:
    # A lone command would stand for the whole application.
    app.callback()(lambda: None)
    return typer.main.get_group(app)


class LazyGroup(TyperGroup):
    """A group that holds `Commands`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.commands = Commands()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the help; imports nothing."""
        return list(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name, of the kind of the use case that they name."""
        commands = self.commands
        if isinstance(commands, Commands) and args and args[0] in commands:
            return args[0], commands.for_arguments(args[0], args[1:]), args[1:]
        return super().resolve_command(ctx, args)
