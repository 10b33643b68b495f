"""What Prometheus reads at /metrics: requests, abstentions, keys, the log, models, data.

BentoML names a folder for the numbers of all workers in PROMETHEUS_MULTIPROC_DIR before they
start, so any worker tells the sum. Labels have few values: agencies are owners of keys, and what
an unknown caller sends is in none.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import psutil
from anyio import to_thread
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from yupana.serving.http import metric_files

metric_files.install()
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
REQUESTS = Histogram(
    "yupana_request_seconds",
    "Requests and how long they took",
    ["model", "agency", "outcome"],
    buckets=SECONDS,
)
RUNNING = Gauge("yupana_requests_running", "Requests now", multiprocess_mode="livesum")
ABSTAINED = Counter("yupana_abstentions", "Entities not answered", ["model", "code"])
KEYS_REFUSED = Counter("yupana_keys_refused", "Keys refused, by reason", ["reason"])
COMMIT = Histogram(
    "yupana_log_commit_seconds", "One transaction of the prediction log", buckets=SECONDS
)
WAITING = Gauge("yupana_log_waiting", "Answers not yet in the log", multiprocess_mode="livesum")
LOG_UP = Gauge("yupana_log_up", "1: answers can be recorded", multiprocess_mode="livemin")
DATA_AGE = Gauge(
    "yupana_data_age_days",
    "Days since the last day with data",
    ["use_case"],
    multiprocess_mode="livemax",
)
UNSIGNED = Gauge(
    "yupana_ledger_unsigned_seconds",
    "Since when the signature of the ledger's end is due; 0: all is signed in time",
    multiprocess_mode="livemostrecent",
)
SIGNER_LATE = Gauge(
    "yupana_ledger_signer_late",
    "1: the ledger's signer is absent for longer than YUPANA_SIGN_WITHIN_MINUTES",
    multiprocess_mode="livemostrecent",
)
MODEL = Gauge(
    "yupana_model_version",
    "Version that serves in each slot",
    ["use_case", "slot"],
    multiprocess_mode="livemostrecent",
)
RELOAD_REFUSED = Counter(
    "yupana_reload_refused", "Placed models that failed their own test", ["use_case"]
)
look: list[Callable[[], None]] = []
"""Called before the numbers are read: those that set what is only known by looking."""


@lru_cache(maxsize=4096)
def requests(model: str, agency: str, outcome: str) -> Histogram:
    """The series of these labels; finding it anew would cost more than counting."""
    return REQUESTS.labels(model, agency, outcome)


def outcome(status: int) -> str:
    """What became of a request, in one word."""
    if status < 400:
        return "answered"
    if status >= 500:
        return "failed"
    return {401: "no key", 403: "no key", 429: "limited", 499: "gone"}.get(status, "refused")


def text() -> bytes:
    """All numbers of all workers, as Prometheus reads them."""
    for one in look:
        one()
    registry = REGISTRY
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        _forget_the_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """What a worker that was killed said of itself is true no more; what it counted is."""
    for path in folder.glob("gauge_live*_*.db"):
        pid = int(path.stem.rsplit("_", 1)[1])
        if not psutil.pid_exists(pid):
            mark_process_dead(pid, str(folder))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell the numbers; reading those of many workers takes milliseconds, so in a thread."""
    numbers = await to_thread.run_sync(text)
    await Response(numbers, media_type=CONTENT_TYPE_LATEST)(scope, receive, send)
