"""Command groups whose modules are imported when their command is called.

`--help` and completion ask for all of them, and import all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from yupana.core import spec, usecase

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
        """The command; of one that several kinds have, the first kind's."""
        if name in self._groups:
            return own(name)
        return commands_of(*self._modules[name][0])[name]

    def for_arguments(self, name: str, arguments: Sequence[str]) -> Any:
        """The command of the kind whose use case is the first argument, where kinds share it."""
        choices = self._modules.get(name, [])
        of = next((a for a in arguments if a in usecase.names()), "")
        if len(choices) < 2 or not of:
            return self[name]
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
