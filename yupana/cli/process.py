"""What a process owes to those who started it: a polite end, and an error in plain words."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from yupana.core.errors import YupanaError

if TYPE_CHECKING:
    from yupana.core.types import StepResult


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Meanwhile an error of ours is printed without a stack, and ends the process by its code."""
    # A polite stop must pass through `finally`, as Ctrl-C does: children are ended there.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    except YupanaError as error:
        print(f"yupana: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("yupana: stopped", file=sys.stderr)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGTERM, before)


def component(step: Callable[[], StepResult]) -> str:
    """Do a step as the work of a pipeline's component, in its process; returns its reference."""
    with errors_for_people():
        return str(step().outputs[0])
