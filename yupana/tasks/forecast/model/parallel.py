"""Calls that share nothing, on all cores that torch may use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver, get_context
from typing import Any, TypeVar

Made = TypeVar("Made")


def prepare() -> None:
    """Let a process import what training needs meanwhile; its forks then start at once.

    A fork of this process would not do: torch hangs in it after a training here.
    """
    if _workers() > 1:
        get_context("forkserver").set_forkserver_preload(["yupana.tasks.forecast.model.network_training"])
        forkserver.ensure_running()


def each(function: Callable[..., Made], jobs: Sequence[tuple[Any, ...]]) -> list[Made]:
    """`function(*job)` for each job, in their order; the results are those of one after the other.

    With a GPU it is one after the other: they would only wait for each other there.
    """
    if _workers() < 2:
        return [function(*job) for job in jobs]
    prepare()
    with ProcessPoolExecutor(_workers(), get_context("forkserver")) as pool:
        return list(pool.map(function, *zip(*jobs, strict=True)))


def _workers() -> int:
    import torch

    return 1 if torch.cuda.is_available() else torch.get_num_threads()
