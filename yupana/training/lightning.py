"""Lightning as kits run it: without its advice, and on one thread for small networks."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def small_network() -> Iterator[None]:
    """A training that a second thread helps little.

    On a busy machine the threads wait for each other at every layer; one thread also adds up in
    one order, so that equal seeds give equal weights.
    """
    import torch

    for name in ("lightning", "pytorch_lightning", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            # Lightning advises worker processes; the data is already in memory.
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_num_threads(threads)
