"""The end of a service that is asked to stop, before a real BentoML worker."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import httpx
from small_server import served
from waiting import wait_until


def test_a_polite_stop_ends_what_runs_and_takes_nothing_new(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        codes: list[int] = []

        def ask() -> None:
            codes.append(httpx.get(f"{running.url}/v1/wait?seconds=3", timeout=20).status_code)

        asking = [threading.Thread(target=ask) for _ in range(5)]
        for thread in asking:
            thread.start()
        wait_until(lambda: httpx.get(f"{running.url}/v1/running").json() == 5)
        running.process.send_signal(signal.SIGTERM)

        def refused() -> bool:
            try:
                return httpx.get(f"{running.url}/readyz", timeout=0.5).status_code != 200
            except httpx.HTTPError:
                return True

        wait_until(refused)
        assert not codes, "what runs is still running"
        for thread in asking:
            thread.join()
        assert codes == [200] * 5
        assert running.process.wait(timeout=20) == 0
