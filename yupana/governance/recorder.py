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
from yupana.governance import prediction_rows
from yupana.governance.predictions import Given
from yupana.governance.spool import Row, Spool

_LOG = logging.getLogger(__name__)
WAIT_SECONDS = 1.5
"""How long an answer waits for its record before it is refused."""
WATCH_SECONDS = 0.25
RETRY_SECONDS = 0.5
LINGER_SECONDS = 0.2
"""Answers that need not wait gather for this long; then they are written in one go."""
WITNESS_SECONDS = 1.0
"""How long a service's answers may be without a checkpoint with the ledger's witness."""
MOST_AT_ONCE = 5_000
MOST_WAITING = 100_000
MOST_KNOWN = 50_000
_Future = asyncio.Future[None]
_Item = tuple[Sequence[Given], _Future | None]


class LogAwayError(TransientError):
    """The prediction log cannot take an answer now, so the answer must not be given."""

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
        durable: True where nothing may be told that is not recorded (high risk): `record` waits
            for the commit. False: `record` returns at once, and the rows are on a disk within a
            second, in the database or, while that is away, in the spool.
        spool: names the files of the spool (see `Spool`); its stem is the use case.
        on_commit: told the seconds of each transaction.
        witness: leaves a checkpoint of the ledger unless one was left in the last seconds (its
            argument), and says whether one covers what was written (see `ledger.witness.leave`).
    """

    def __init__(
        self, url: str, *, durable: bool, spool: Path,
        on_commit: Callable[[float], None] = lambda _: None,
        witness: Callable[[float], bool] = lambda _: True,
    ) -> None:  # fmt: skip
        self._on_commit, self._witness, self._use_case = on_commit, witness, spool.stem
        self._url, self._durable, self._spool = url, durable, Spool(spool)
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._late: deque[tuple[float, _Future]] = deque()
        self._up = self._stuck = self._closed = False
        self._watcher: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        # One thread writes the first, another the second.
        self._came = self._went = 0
        self._kept: list[Given] = []
        self._connection: Any = None
        self._inserter: prediction_rows.Inserter | None = None
        self._known: set[str] = set()
        self._unseen = False
        self._next_try = 0.0
        self._coming_home: Iterator[bool] | None = None
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
        return self._came - self._went

    async def record(self, given: list[Given]) -> None:
        """Put answers into the log.

        Raises:
            LogAwayError: they cannot be kept, and must not be given.
        """
        if self._closed or self._stuck or self.waiting() > MOST_WAITING:
            raise LogAwayError
        self._came += len(given)
        if not self._durable:
            self._queue.put((given, None))
            return
        loop = asyncio.get_running_loop()
        future: _Future = loop.create_future()
        self._late.append((loop.time() + WAIT_SECONDS, future))
        if self._watcher is not loop:
            self._watcher = loop
            loop.call_later(WATCH_SECONDS, self._expire, loop)
        self._queue.put((given, future))
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
        while self._late and (self._late[0][1].done() or self._late[0][0] <= now):
            _resolve([self._late.popleft()[1]], failed=True)
        self._watcher = loop if self._late else None
        if self._late:
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
        if self._kept:
            _LOG.error("%d answers were told and could not be kept", len(self._kept))
        self._disconnect()
        self._spool.close()

    def _round(self, batch: list[_Item]) -> None:
        if batch:
            self._group(batch)
        if self._kept or not self._up or self._coming_home:
            self._bring_home()
        if self._kept:
            self._put_aside([])

    def _checkpoint(self, every: float) -> None:
        if self._unseen and self._up:
            try:
                self._unseen = not self._witness(every)
            except Exception as error:
                # The answers are recorded, and this thread must live on: the next one covers them.
                _LOG.error("no checkpoint was left with the witness: %s", error)

    def _take(self) -> tuple[list[_Item], bool]:
        """What waits, and whether it is the last."""
        batch: list[_Item] = []
        rows, wait = 0, 0.0 if self._coming_home else RETRY_SECONDS
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
        given = [one for items, _ in batch for one in items]
        self._went += len(given)
        if self._durable:
            written = self._write(given)
            self._tell([future for _, future in batch if future], failed=not written)
        elif not (self._up and self._write(given)):
            self._put_aside(given)

    def _tell(self, futures: list[_Future], failed: bool) -> None:
        try:
            futures[0].get_loop().call_soon_threadsafe(_resolve, futures, failed)
        except RuntimeError:
            _LOG.warning("the event loop ended before %d answers were told", len(futures))

    def _put_aside(self, given: list[Given]) -> None:
        """Into the spool; what even that does not take is kept, and nothing new is let in."""
        self._kept += given
        forecasts = {one.told.key: one.told for one in self._kept}
        try:
            self._spool.append(
                [prediction_rows.forecast_row(told) for told in forecasts.values()],
                [prediction_rows.answer_row(one) for one in self._kept],
            )
        except OSError as error:
            if not self._stuck:
                _LOG.error("neither database nor spool takes answers: %s", error)
            self._stuck = True
        else:
            self._kept, self._stuck = [], False

    def _bring_home(self) -> None:
        """Try the database again, and give it some of what was put aside."""
        if not self._up and (time.monotonic() < self._next_try or not self._insert([], [])):
            return
        if self._kept and self._write(self._kept):
            self._kept, self._stuck = [], False
        if self._up and self._coming_home:
            try:
                if next(self._coming_home, True):
                    self._coming_home = None
            except OSError as error:
                _LOG.error("the spool cannot be read, and is tried again: %s", error)
                self._coming_home = self._replay()

    def _replay(self) -> Iterator[bool]:
        """Each step writes some rows; says True when the database went away in between."""
        for path in self._spool.waiting():
            for forecasts, answers in self._spool.rows(path):
                rows = [prediction_rows.timed(row) for row in answers]
                yield not self._insert(forecasts, rows)

    def _write(self, given: list[Given]) -> bool:
        fresh = {g.told.key: g.told for g in given if g.told.key not in self._known}
        rows = [prediction_rows.forecast_row(told) for told in fresh.values()]
        start = time.perf_counter()
        if not self._insert(rows, [prediction_rows.answer_row(one) for one in given]):
            return False
        self._on_commit(time.perf_counter() - start)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known |= fresh.keys()
        return True

    def _insert(self, forecasts: list[Row], answers: list[Row]) -> bool:
        """Whether the database took the rows; it is let go of if it did not."""
        try:
            if self._inserter is None:
                made = prediction_rows.prepare(self._url)
                self._connection = made.raw_connection()
                self._inserter = prediction_rows.Inserter(self._connection, made.dialect.name)
            if not self._up:
                self._inserter.probe()
            self._inserter.write(forecasts, answers, self._use_case)
            self._unseen |= bool(answers)
        except Exception as error:
            # Of whatever kind: those who wait must be told, and the thread must live on.
            if self._up or not self._started.is_set():
                cause = f"{type(error).__name__}: {error}".splitlines()[0]
                _LOG.error("the prediction log is away: %s", cause)
            self._disconnect()
            self._up, self._next_try = False, time.monotonic() + RETRY_SECONDS
            return False
        if not self._up:
            _LOG.info("the prediction log is there")
            self._up, self._coming_home = True, self._replay()
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
