"""Lets Feast be imported in half the time.

Feast wraps its classes in typeguard's `typechecked`, which parses and compiles their source again
in every process that imports them: more than half of the seconds that `import feast` takes, paid
by each command, task and service worker. `python -O` leaves it out too, and with it every assert
of every library.
"""

from __future__ import annotations

from typing import Any


def quick() -> None:
    """Make `typechecked` leave things as they are; called before Feast is first imported."""
    import typeguard

    typeguard.typechecked = _as_it_is


def _as_it_is(target: Any = None, **_: Any) -> Any:
    return _as_it_is if target is None else target
