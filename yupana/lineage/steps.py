"""Run a step once for given inputs, time it, and leave one line in the event log."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yupana.config import parent_run
from yupana.config.settings import Settings
from yupana.core.errors import record_text
from yupana.core.hashing import value_sha256
from yupana.core.types import StepResult
from yupana.lineage import contents, events, sole_writer
from yupana.webhooks.notice import Notice


@dataclass
class Outcome:
    """What a step's work hands back: references out, more references in, counts, the files (or
    folders of files) that it wrote for others to read, and what webhooks are told of it."""

    outputs: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    notices: tuple[Notice, ...] = ()


def key_of(inputs: tuple[str, ...], depends_on: Any) -> str:
    """What tells one run of a step from the next in the event log."""
    return value_sha256([inputs, depends_on])


def run(
    settings: Settings,
    step: str,
    subject: str,
    work: Callable[[], Outcome],
    *,
    inputs: tuple[str, ...] = (),
    depends_on: Any = None,
    still_there: Callable[[tuple[str, ...]], bool] = lambda outputs: True,
    earlier: bool = False,
    anew: bool = False,
    tables: tuple[str, ...] = (),
) -> StepResult:
    """Do `work` unless the newest success of this step had the same inputs.

    Args:
        inputs: references that the step reads.
        depends_on: anything else that the result depends on (code hash, parameters).
        still_there: whether the outputs of an earlier success still exist.
        earlier: any earlier success with the same inputs counts, not the newest alone.
        anew: do it whatever was done before: the log, which may be long, is not read.
        tables: `<zone>/<name>` of each table that this step alone writes. They are put back first
            to what a step left, also where nothing has to run; see `sole_writer`.

    Returns:
        StepResult with status `done`, or `unchanged` when nothing had to run.

    Raises:
        ContentError: a table that the step reads, or one of `tables`, is not as its own step
            left it.
        Exception: as raised by `work`. Of each, a `failed` event was logged, without what may
            quote a row (`record_text`); the error has the event's id as a note.
    """
    key = key_of(inputs, depends_on)
    with sole_writer.holding(settings, step, tables):
        before = None if anew else _last(settings, step, subject, key if earlier else None)
        if (
            before
            and before["key"] == key
            and still_there(tuple(before["outputs"]))
            and contents.is_whole(settings, before["outputs"], before.get("content", {}))
        ):
            return _unchanged(step, subject, before)
        return _once(settings, step, subject, work, inputs, key)


def _last(settings: Settings, step: str, subject: str, key: str | None) -> events.Event | None:
    """The last time that this was done; with a key, done on just that."""
    return events.last_done(
        settings.events, step, subject, lambda e: key is None or e["key"] == key
    )


def _unchanged(step: str, subject: str, before: Mapping[str, Any]) -> StepResult:
    return StepResult(
        step=step,
        subject=subject,
        status="unchanged",
        inputs=tuple(before["inputs"]),
        outputs=tuple(before["outputs"]),
        metrics=before["facts"],
        event=before["id"],
    )


def _once(
    settings: Settings, step: str, subject: str, work: Callable[[], Outcome],
    inputs: tuple[str, ...], key: str,
) -> StepResult:  # fmt: skip
    start, mine = time.monotonic(), uuid.uuid4().hex
    try:
        contents.demand_tables(settings, inputs)
        with parent_run.as_parent(mine, f"{step}.{subject}"):
            outcome = work()
    except Exception as error:
        events.append(
            settings,
            step,
            subject,
            status="failed",
            inputs=inputs,
            key=key,
            seconds=time.monotonic() - start,
            facts={"error": record_text(error)},
            event_id=mine,
        )
        # With it, who reads the whole error elsewhere finds the event, and the other way round.
        error.add_note(f"event: {mine}")
        raise
    seconds = time.monotonic() - start
    everything_in = (*inputs, *(i for i in outcome.inputs if i not in inputs))
    event = events.append(
        settings,
        step,
        subject,
        status="done",
        inputs=everything_in,
        outputs=outcome.outputs,
        key=key,
        seconds=seconds,
        facts=outcome.metrics,
        event_id=mine,
        files=outcome.files,
        notices=outcome.notices,
    )
    return StepResult(
        step=step,
        subject=subject,
        status="done",
        inputs=everything_in,
        outputs=outcome.outputs,
        metrics=outcome.metrics,
        seconds=round(seconds, 2),
        event=event,
    )
