"""Wait for what comes soon, and no longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(look: Callable[[], T], seconds: float = 60.0, pause: float = 0.02) -> T:
    """What `look` says once it is true.

    Raises:
        AssertionError: it was not true within `seconds`.
    """
    end = time.monotonic() + seconds
    while not (answer := look()):
        assert time.monotonic() < end, f"not within {seconds} s: {answer!r}"
        time.sleep(pause)
    return answer
