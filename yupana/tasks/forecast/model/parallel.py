"""Calls that share nothing, on all cores that torch may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

Made = TypeVar("Made")


def each(
    function: Callable[..., Made], jobs: Sequence[tuple[Any, ...]], ended: Callable[[int], None]
) -> list[Made]:
    """`function(*job)` for each job, in their order; the results are those of one after the other.

    With a GPU it is one after the other: they would only wait for each other there. A fork of this
    process would not do: torch hangs in it after a training here.

    Args:
        ended: told how many have ended.
    """
    if _workers() < 2:
        return list(_counted((function(*job) for job in jobs), ended))
    forks = get_context("forkserver")
    forks.set_forkserver_preload(["yupana.tasks.forecast.model.network_training"])
    with ProcessPoolExecutor(_workers(), forks) as pool:
        return list(_counted(pool.map(function, *zip(*jobs, strict=True)), ended))


def _counted(results: Iterable[Made], ended: Callable[[int], None]) -> Iterator[Made]:
    for number, result in enumerate(results, start=1):
        ended(number)
        yield result


def _workers() -> int:
    import torch

    return 1 if torch.cuda.is_available() else torch.get_num_threads()
