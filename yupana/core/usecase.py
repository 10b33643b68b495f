"""Find a use case's module in a room (`models`, `pipelines`, …) by its name."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from types import ModuleType

from yupana.core.errors import UsageError


def load(room: str, use_case: str) -> ModuleType:
    """Import `<room>.<use_case>`.

    Raises:
        UsageError: the room has no such module; the message lists those it has.
    """
    if not use_case.isidentifier() or importlib.util.find_spec(f"{room}.{use_case}") is None:
        package = importlib.import_module(room)
        known = sorted(m.name for m in pkgutil.iter_modules(package.__path__))
        raise UsageError(
            f"There is no use case '{use_case}' in {room}/.",
            where=f"{room}/{use_case}.py",
            fix=f"Use one of: {', '.join(known)}; or add {room}/{use_case}.py.",
        )
    return importlib.import_module(f"{room}.{use_case}")
