"""Lets Feast be imported in a third of the time.

Feast wraps its classes in typeguard's `typechecked`, which parses and compiles their source again
in every process that imports them: more than half of the seconds that `import feast` takes, paid
by each command, task and service worker. `python -O` leaves it out too, and with it every assert
of every library. And it imports at once torch, for answers as tensors, and a server of its own,
neither of which anybody asks for here; its first online read imports the drivers of all databases
that an online store may lie in, to see whether this one may be asked for a view's version.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


def quick() -> None:
    """Make `typechecked` leave things as they are; called before Feast is first imported."""
    import typeguard

    typeguard.typechecked = _as_it_is
    sys.modules.setdefault("feast.torch_wrapper", _TorchWrapper("feast.torch_wrapper"))
    sys.modules.setdefault("feast.feature_server", _Server("feast.feature_server"))
    from feast.infra.online_stores.online_store import OnlineStore

    # Nobody here names a view's version; who did would be refused by Feast.
    OnlineStore._versioned_read_supported = False


class _TorchWrapper(ModuleType):
    """Stands for `feast.torch_wrapper`: imports torch when it is asked for."""

    @staticmethod
    def get_torch() -> ModuleType:
        import torch

        module: ModuleType = torch
        return module


class _Server(ModuleType):
    """Stands for `feast.feature_server`: imports it when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        sys.modules.pop(self.__name__, None)
        import feast.feature_server as server

        return getattr(server, name)


def _as_it_is(target: Any = None, **_: Any) -> Any:
    return _as_it_is if target is None else target
