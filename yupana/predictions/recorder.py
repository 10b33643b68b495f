"""Writes answers into the prediction log while the service runs: one group, one commit.

All requests that wait when the writer's thread comes back share its next transaction, and so one
wait for the disk: the more ask at once, the larger the groups.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from yupana.core.errors import TransientError
from yupana.database.engine import engine
from yupana.predictions import log_writer
from yupana.predictions.log_writer import Row
from yupana.predictions.prediction_log import PredictionRecord
from yupana.predictions.spool import Spool

_LOG = logging.getLogger(__name__)
WAIT_SECONDS = 1.5
"""How long an answer waits for its record before it is refused."""
WATCH_SECONDS = 0.25
"""Between two looks at those who wait, and at the witness's file, which give Python's lock away."""
RETRY_SECONDS = 0.5
LINGER_SECONDS = 0.2
"""Answers that need not wait gather for this long; then they are written in one go."""
WITNESS_SECONDS = 1.0
"""How long a service's answers may be without a checkpoint with the ledger's witness."""
MOST_AT_ONCE = 5_000
MOST_WAITING = 100_000
MOST_KEYS = 50_000
_Future = asyncio.Future[None]
_Item = tuple[Sequence[PredictionRecord], _Future | None]


class LogAwayError(TransientError):
    """The prediction log cannot take an answer now, so the answer must not be sent."""

    def __init__(self) -> None:
        super().__init__(
            "The prediction log cannot be written.",
            where="platform database",
            fix="Try again in a few seconds; the service's own log names the cause.",
        )


class Recorder:
    """The log of one worker; `record` belongs to one event loop.

    Args:
        url: the platform database.
        durable: True where nothing may be sent that is not recorded: `record` waits
            for the commit. False: `record` returns at once, and the rows are on a disk within a
            second, in the database or, while that is away, in the spool.
        spool: names the files of the spool (see `Spool`); its stem is the use case.
        on_commit: receives the seconds of each transaction.
        witness: leaves a checkpoint of the ledger unless one was left in the last seconds (its
            argument), and says whether one covers what was written (see `ledger.witness.leave`).
    """

    def __init__(
        self, url: str, *, durable: bool, spool: Path, witness: Callable[[float], bool],
        on_commit: Callable[[float], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._on_commit, self._witness, self._use_case = on_commit, witness, spool.stem
        self._url, self._durable, self._spool = url, durable, Spool(spool)
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._deadlines: deque[tuple[float, _Future]] = deque()
        self._up = self._stuck = self._closed = False
        self._watcher: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        # One thread writes the first, another the second.
        self._entries = self._exits = 0
        self._unwritten: list[PredictionRecord] = []
        self._connection: Any = None
        self._inserter: log_writer.Inserter | None = None
        self._keys: set[str] = set()
        self._witness_due = False
        self._next_try = self._next_checkpoint = 0.0
        self._homecoming: Iterator[bool] | None = None
        self._thread = threading.Thread(target=self._run, name="prediction log", daemon=True)
        self._thread.start()
        # For a server that does not tell its application that it ends.
        atexit.register(self.close)

    def ready(self) -> bool:
        """Whether an answer could be recorded now, as far as is known."""
        if self._closed or not self._started.is_set():
            return False
        return self._up if self._durable else not self._stuck

    def waiting(self) -> int:
        """Answers that are not in the log yet."""
        return self._entries - self._exits

    async def record(self, records: list[PredictionRecord]) -> None:
        """Put answers into the log.

        Raises:
            LogAwayError: they cannot be stored, and must not be sent.
        """
        if self._closed or self._stuck or self.waiting() > MOST_WAITING:
            raise LogAwayError
        self._entries += len(records)
        if not self._durable:
            self._queue.put((records, None))
            return
        loop = asyncio.get_running_loop()
        future: _Future = loop.create_future()
        self._deadlines.append((loop.time() + WAIT_SECONDS, future))
        if self._watcher is not loop:
            self._watcher = loop
            loop.call_later(WATCH_SECONDS, self._expire, loop)
        self._queue.put((records, future))
        await future

    def close(self) -> None:
        """Write what waits, and stop; what the database does not take stays in the spool."""
        atexit.unregister(self.close)
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Refuse what has waited too long; one timer for all, since most never need it."""
        now = loop.time()
        while self._deadlines and (self._deadlines[0][1].done() or self._deadlines[0][0] <= now):
            _resolve([self._deadlines.popleft()[1]], failed=True)
        self._watcher = loop if self._deadlines else None
        if self._deadlines:
            loop.call_later(WATCH_SECONDS, self._expire, loop)

    def _run(self) -> None:
        self._bring_home()
        self._started.set()
        last = False
        while not last:
            batch, last = self._take()
            try:
                self._round(batch)
            except Exception:
                # Those who wait are refused in time; the thread must live on for the next.
                _LOG.exception("a group of answers could not be written")
            self._checkpoint(0.0 if last else WITNESS_SECONDS)
        if self._unwritten:
            _LOG.error("%d answers were sent and could not be stored", len(self._unwritten))
        self._disconnect()
        self._spool.close()

    def _round(self, batch: list[_Item]) -> None:
        if batch:
            self._group(batch)
        if self._unwritten or not self._up or self._homecoming:
            self._bring_home()
        if self._unwritten:
            self._put_aside([])

    def _checkpoint(self, every: float) -> None:
        now = time.monotonic()
        if self._witness_due and self._up and (not every or now >= self._next_checkpoint):
            self._next_checkpoint = now + WATCH_SECONDS
            try:
                self._witness_due = not self._witness(every)
            except Exception as error:
                # The answers are recorded, and this thread must live on: the next one covers them.
                _LOG.error("no checkpoint was left with the witness: %s", error)

    def _take(self) -> tuple[list[_Item], bool]:
        """What waits, and whether it is the last."""
        batch: list[_Item] = []
        rows, wait = 0, 0.0 if self._homecoming else RETRY_SECONDS
        try:
            while rows < MOST_AT_ONCE:
                item = self._queue.get(timeout=wait) if not batch else self._queue.get_nowait()
                if item is None:
                    return batch, True
                if not batch and not self._durable and not self._closed:
                    time.sleep(LINGER_SECONDS)
                batch.append(item)
                rows += len(item[0])
        except queue.Empty:
            pass
        return batch, False

    def _group(self, batch: list[_Item]) -> None:
        records = [one for items, _ in batch for one in items]
        self._exits += len(records)
        if self._durable:
            success = self._write(records)
            self._release([future for _, future in batch if future], failed=not success)
        elif not (self._up and self._write(records)):
            self._put_aside(records)

    def _release(self, futures: list[_Future], failed: bool) -> None:
        try:
            futures[0].get_loop().call_soon_threadsafe(_resolve, futures, failed)
        except RuntimeError:
            _LOG.warning("the event loop ended before %d callers could be answered", len(futures))

    def _put_aside(self, records: list[PredictionRecord]) -> None:
        """Into the spool; what even that does not take stays here, and nothing new is let in."""
        self._unwritten += records
        predictions = {one.prediction.key: one.prediction for one in self._unwritten}
        try:
            self._spool.append(
                [log_writer.prediction_row(one) for one in predictions.values()],
                [log_writer.record_row(one) for one in self._unwritten],
            )
        except OSError as error:
            if not self._stuck:
                _LOG.error("neither database nor spool takes answers: %s", error)
            self._stuck = True
        else:
            self._unwritten, self._stuck = [], False

    def _bring_home(self) -> None:
        """Try the database again, and give it some of what was put aside."""
        if not self._up and (time.monotonic() < self._next_try or not self._insert([], [])):
            return
        if self._unwritten and self._write(self._unwritten, late=True):
            self._unwritten, self._stuck = [], False
        if self._up and self._homecoming:
            try:
                if next(self._homecoming, True):
                    self._homecoming = None
            except OSError as error:
                _LOG.error("the spool cannot be read, and is tried again: %s", error)
                self._homecoming = self._replay()

    def _replay(self) -> Iterator[bool]:
        """Each step writes some rows; says True when the database went away in between."""
        for path in self._spool.waiting():
            for predictions, records in self._spool.rows(path):
                rows = [log_writer.timed(row) for row in records]
                yield not self._insert(predictions, rows, late=True)

    def _write(self, records: list[PredictionRecord], late: bool = False) -> bool:
        fresh = {r.prediction.key: r.prediction for r in records}
        fresh = {key: one for key, one in fresh.items() if key not in self._keys}
        rows = [log_writer.prediction_row(one) for one in fresh.values()]
        start = time.perf_counter()
        if not self._insert(rows, [log_writer.record_row(one) for one in records], late):
            return False
        self._on_commit(time.perf_counter() - start)
        if len(self._keys) > MOST_KEYS:
            self._keys.clear()
        self._keys |= fresh.keys()
        return True

    def _insert(self, predictions: list[Row], records: list[Row], late: bool = False) -> bool:
        """Whether the database took the rows; it is let go of if it did not."""
        try:
            if self._inserter is None:
                database = engine(self._url)
                self._connection = database.raw_connection()
                self._inserter = log_writer.Inserter(self._connection, database.dialect.name)
            if not self._up:
                self._inserter.probe()
            self._inserter.write(predictions, records, self._use_case, late=late)
            self._witness_due |= bool(records)
        except Exception as error:
            # Of whatever kind: those who wait must hear of it, and the thread must live on.
            if self._up or not self._started.is_set():
                cause = f"{type(error).__name__}: {error}".splitlines()[0]
                _LOG.error("the prediction log is away: %s", cause)
            self._disconnect()
            self._up, self._next_try = False, time.monotonic() + RETRY_SECONDS
            return False
        if not self._up:
            _LOG.info("the prediction log is there")
            self._up, self._homecoming = True, self._replay()
        return True

    def _disconnect(self) -> None:
        if self._connection is not None:
            try:
                self._connection.invalidate()
            except Exception as error:
                _LOG.debug("closing: %s", error)
        self._connection = self._inserter = None


def _resolve(futures: list[_Future], failed: bool) -> None:
    for future in futures:
        if future.done():
            continue
        if failed:
            future.set_exception(LogAwayError())
        else:
            future.set_result(None)
