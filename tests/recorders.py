"""A recorder of predictions on a database of its own, for tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import answers

from yupana.config.settings import Settings
from yupana.ledger import witness
from yupana.predictions import prediction_log
from yupana.predictions.prediction_log import PredictionRecord
from yupana.predictions.recorder import Recorder


def record(*args: Any, **options: Any) -> PredictionRecord:
    """A record of this moment: a recorder takes no other."""
    return answers.record(*args, **{"time": time.time(), **options})


@contextmanager
def writing(url: str, tmp_path: Path, durable: bool = True) -> Iterator[Recorder]:
    seen = partial(witness.leave, Settings(home=tmp_path, platform_url=url))
    folder = tmp_path / "spool"
    recorder = Recorder(url, durable=durable, spool=folder / "outbreak.jsonl", witness=seen)
    assert recorder._started.wait(10)
    try:
        yield recorder
    finally:
        recorder.close()


def ids_of(url: str) -> list[str]:
    """Ids of what was recorded."""
    return [entry.prediction_id for entry in prediction_log.entries(url, "outbreak")]
