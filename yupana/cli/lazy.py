"""Command groups whose modules are imported when their command is called.

`--help` and completion ask for all of them, and import all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

MODULES = {
    "machine": ("run", "setup", "doctor", "up", "down", "maintain"),
    "data": ("ingest",),
    "contract": ("contract",),
    "stream": ("stream", "bridge"),
    "catalogue": ("datasets", "standards"),
    "lake": ("history", "quarantine"),
    "releases": ("diff", "retract", "restore"),
    "reports": ("quality", "profile"),
    "learn": ("features", "split", "train", "due"),
    "fitting": ("fit", "pool"),
    "judging": ("evaluate", "register"),
    "models": ("models", "reproduce"),
    "projects": ("projects",),
    "backtest": ("backtest",),
    "challenge": ("challenge",),
    "forecast": ("predict",),
    "nowcast": ("nowcast",),
    "serve": ("deploy", "adopt", "serve", "ask", "share"),
    "bento": ("bento",),
    "keys": ("keys",),
    "usage": ("usage",),
    "prediction_log": ("export-predictions",),
    "monitor": ("monitor",),
    "alerts": ("alerts",),
    "replay": ("replay",),
    "trace": ("trace",),
    "lineage": ("lineage",),
    "tune": ("tune",),
    "report": ("report",),
    "impact": ("impact",),
    "governance": ("governance",),
    "audit": ("audit",),
}
"""The modules of this package, in the order of the help, and the commands that each registers."""


class Commands(Mapping[str, Any]):
    """All commands by name; looking one up imports its module."""

    def __init__(self) -> None:
        self._modules = {name: module for module, names in MODULES.items() for name in names}

    def __getitem__(self, name: str) -> Any:
        return registered(self._modules[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


def registered(module: str) -> Mapping[str, Any]:
    """The commands of a module of this package by name."""
    app = typer.Typer()
    import_module(f"yupana.cli.{module}").register(app)
    return typer.main.get_group(app).commands


class LazyGroup(TyperGroup):
    """A group that holds `Commands`."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = Commands()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the help; imports nothing."""
        return list(self.commands)
