"""A stream's run: batches from the broker or folder to this disk, and each published as a file.

What is written is published before more is read; a batch that an earlier run left is published
first. See `yupana.data.streams` for what holds whatever is killed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.hashing import file_sha256
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.core.types import StepResult
from yupana.data.contracts import contract as contracts
from yupana.data.contracts import stream_address
from yupana.data.contracts.contract import Contract
from yupana.data.lake import delta, history
from yupana.data.streams import commit, mqtt, spool
from yupana.data.streams.source import Source, open_source
from yupana.data.streams.spool import Batch
from yupana.orchestration.batch import ingest_batch

MOST = 50_000


@dataclass
class Run:
    """One run of a stream, and what it has published so far.

    Attributes:
        most: messages of one batch.
        stopped: asked between batches; the one at work is finished.
        rows: `read`, `published` and `quarantined`.
        broken: messages that break a rule, by rule.
        faults: messages that were lost before they were read.
    """

    settings: Settings
    contract: Contract
    source: Source
    progress: Progress
    most: int
    stopped: Callable[[], bool]
    batches: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def table(self) -> Path:
        return self.settings.table("published", self.contract.name)

    def once(self) -> None:
        """Publish what an earlier run wrote, then what is there now."""
        settings, name = self.settings, self.contract.name
        for batch in spool.waiting(settings, name):
            self._publish(batch)
        newest = spool.newest(settings, name)
        self.source.resume(newest.state if newest else commit.state(self.table))
        self.source.look()
        for fault in self.source.faults():
            # Until a batch says where it went on, each look finds the same.
            if fault not in self.faults:
                self.progress.say(f"lost: {fault}")
                self.faults.append(fault)
        while not self.stopped():
            lines, after = self.source.lines(self.most), commit.last(self.table, name)
            new = spool.write(settings, name, lines, self.source.state, after)
            if new is None:
                break
            self.source.resume(new.state)
            self.progress.say(f"batch {new.number}: {new.messages:,} messages are on this disk")
            self._publish(new)

    def _publish(self, batch: Batch) -> None:
        settings, contract = self.settings, self.contract
        if self._is_published_otherwise(batch):
            self.progress.say(f"batch {batch.number} was published under an earlier contract")
        else:
            fetched = spool.source_file(settings, contract.name, contract.location, batch)
            result = ingest_batch(settings, contract, fetched, self.progress)
            self.batches += 1
            self.rows.update(result.metrics["rows"])
            self.broken.update(result.metrics.get("broken", {}))
        spool.finish(settings, contract.name, batch)

    def _is_published_otherwise(self, batch: Batch) -> bool:
        """Whether the table holds a batch whose contract has changed since: only a crash between
        its publication and its end leaves one."""
        if commit.last(self.table, self.contract.name) < batch.number:
            return False
        path = spool.path_of(self.settings, self.contract.name, batch)
        stands = history.standing(
            self.table,
            source_sha256=file_sha256(path),
            contract_sha256=self.contract.sha256,
            adds_up=True,
        )
        return stands is None


def stream(
    settings: Settings,
    name: str,
    progress: Progress,
    *,
    most: int = MOST,
    every: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> StepResult:
    """Publish all messages that are there now; or go on, and look again and again.

    Args:
        most: messages of one batch.
        every: seconds between looks; None looks once.
        stopped: asked between batches; the one at work is finished.

    Raises:
        UsageError: no such data set, or it is no stream.
        TransientError: the broker does not answer (with `every` it is waited for).
        TerminalError: after all is published: more messages than the contract allows break a
            rule, or messages were lost before they were read.
    """
    contract = contracts.load(settings.root, name)
    if not contract.stream:
        raise UsageError(
            f"'{name}' is no stream.", where=contract.location, fix=f"Run `yupana ingest {name}`."
        )
    begin = time.monotonic()
    lock = settings.lock(f"{name}.stream")
    with one_at_a_time(lock, f"another run of the stream {name}", progress):
        source = open_source(settings, name, contract.location, progress)
        run = Run(settings, contract, source, progress, most, stopped)
        try:
            if every is None:
                run.once()
            else:
                _follow(run, every)
        finally:
            source.close()
    result = _result(run, time.monotonic() - begin)
    _require(run)
    return result


def _follow(run: Run, every: float) -> None:
    while not run.stopped():
        try:
            run.once()
        except TransientError as trouble:
            run.progress.say(" ".join(str(trouble).split()))
        _pause(every, run.stopped)


def _pause(seconds: float, stopped: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not stopped() and (remaining := end - time.monotonic()) > 0:
        time.sleep(min(remaining, 0.2))


def _result(run: Run, seconds: float) -> StepResult:
    contract, there = run.contract, delta.exists(run.table)
    outputs = (
        (delta.ref(run.settings.lake, "published", contract.name).ref,) if there else ()
    )
    metrics = {
        "batches": run.batches,
        "rows": {kind: run.rows[kind] for kind in ("read", "published", "quarantined")},
        "broken": dict(run.broken.most_common()),
        "known_on": str(datetime.now(UTC).date()),
    }
    return StepResult(
        step="stream",
        subject=contract.name,
        status="done" if run.batches else "unchanged",
        outputs=outputs,
        metrics=metrics,
        seconds=round(seconds, 2),
    )


def _require(run: Run) -> None:
    """Tell a person, once all is published, what a stream must not go on with in silence.

    Messages that came twice are no fault: brokers and sensors send again what was not confirmed.
    """
    read, limit = run.rows["read"], run.contract.limit
    over = [
        f"{count:,} of {read:,} messages break '{rule}' (the contract allows {100 * limit:g} %)"
        for rule, count in run.broken.most_common()
        if rule != "key.unique" and count > limit * read
    ]
    faults = over + [f"lost: {fault}" for fault in run.faults]
    if not faults:
        return
    name = run.contract.name
    raise TerminalError(
        f"All that is good was published and the stream can go on, but {'; '.join(faults)}.",
        where=run.contract.location,
        fix=f"`yupana quarantine {name}` names each message: mend the sensors, or the contract if "
        "the rule is wrong. That nothing is lost, the broker must keep messages longer than the "
        "time between two runs.",
    )


def bridge(
    settings: Settings,
    name: str,
    progress: Progress,
    *,
    stopped: Callable[[], bool],
    quiet: float | None = None,
) -> int:
    """Take an MQTT stream's messages into files; how many were written.

    Args:
        quiet: seconds without a message after which it ends; None: never.

    Raises:
        UsageError: no such data set, or it is not MQTT's.
        TransientError: the broker does not answer.
        TerminalError: the broker refuses the login or the subscription.
    """
    contract = contracts.load(settings.root, name)
    if not contract.location.startswith("mqtt"):
        raise UsageError(
            f"'{name}' does not come by MQTT.",
            where=contract.location,
            fix=f"Run `yupana stream {name}`, which reads Kafka and folders itself.",
        )
    lock = settings.lock(f"{name}.bridge")
    with one_at_a_time(lock, f"another bridge of {name}", progress):
        place = stream_address.parse(contract.location)
        return mqtt.Bridge(settings, name, place, progress).run(stopped, quiet)
