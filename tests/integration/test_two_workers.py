"""A real service with two workers: bounds, a full disk, and a clock that was set back.

The home lies on a tmpfs of its own where it can be mounted, which takes root.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import small_service
from late_lake import DISTRICTS
from small_service import NAME, NEWEST

from yupana.config.settings import Settings
from yupana.identity.local_key import local_key
from yupana.ledger import writer
from yupana.ledger.entries import Entry
from yupana.orchestration import service
from yupana.predictions import prediction_log
from yupana.tasks.forecast.serving.question import MOST_ENTITIES

SIZE = 256 << 20
FORECAST = f"/v1/{NAME}/forecast"
ALERTS = f"/v1/{NAME}/alerts"
READS = ("/livez", "/metrics", "/v1/models", f"{ALERTS}?as_of={NEWEST}")
BODY = {"ubigeo": DISTRICTS[0], "as_of": str(NEWEST), "horizon": 1}
LARGE_AT_ONCE = 20
LONGEST_WAIT = 1.0
"""Seconds for a sign of life beside them; two when they were not answered by turns."""


@dataclass(frozen=True)
class Running:
    """The service; `disk` is None where no file system could be mounted."""

    settings: Settings
    url: str
    key: str
    disk: Path | None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=10)

    def raw(self, request: bytes) -> bytes:
        """What is answered to bytes that no client library sends."""
        host, port = self.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=15) as line:
            line.sendall(request)
            answer = b""
            while part := line.recv(65536):
                answer += part
        return answer


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        yield None
    else:
        yield folder
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def running(disk: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    place = disk or tmp_path_factory.mktemp("two")
    settings = Settings(home=place / "home", serve_port=0, serve_workers=2)
    small_service.run(settings)
    with service.running(settings, NAME) as url:
        yield Running(settings, url, local_key(settings.platform_db, settings.home), disk)


def test_a_sign_of_life_does_not_wait_for_large_questions(running: Running) -> None:
    """Twenty of two thousand districts at once."""
    body = {**BODY, "ubigeo": [f"{10_0000 + n}" for n in range(MOST_ENTITIES)]}

    async def flood() -> float:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=running.url, timeout=60, limits=limits) as client:
            asking = [
                asyncio.create_task(client.post(FORECAST, json=body, headers=running.headers))
                for _ in range(LARGE_AT_ONCE)
            ]
            longest = 0.0
            while not all(task.done() for task in asking):
                began = time.monotonic()
                assert (await client.get("/livez")).status_code == 200
                longest = max(longest, time.monotonic() - began)
                await asyncio.sleep(0.01)
            replies = await asyncio.gather(*asking)
        assert {len(reply.json()["abstentions"]) for reply in replies} == {MOST_ENTITIES}
        return longest

    # The first asks about districts that the service has not looked for yet.
    waits = [asyncio.run(flood()) for _ in range(3)]
    print(f"/livez beside {LARGE_AT_ONCE} of {MOST_ENTITIES}: {waits} s")
    assert min(waits) < LONGEST_WAIT


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31"])
def test_days_that_no_calendar_reaches_are_refused(running: Running, day: str) -> None:
    with running.client() as client:
        for reply in (
            client.post(FORECAST, json={**BODY, "as_of": day}),
            client.get(ALERTS, params={"as_of": day}),
        ):
            assert (reply.status_code, reply.json()["where"]) == (400, "as_of")


def test_a_key_in_a_trailer_opens_nothing(running: Running) -> None:
    reply = running.raw(
        f"POST {FORECAST} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
        f"Authorization: Bearer {running.key}\r\n\r\n".encode()
    )
    assert reply.startswith(b"HTTP/1.1 401")


def test_two_hosts_are_refused(running: Running) -> None:
    reply = running.raw(b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 400") and b'"where":"Host"' in reply


def test_a_body_without_a_key_is_not_waited_for(running: Running) -> None:
    began = time.monotonic()
    head = f"POST {FORECAST} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    assert running.raw(f"{head}Content-Length: 60000\r\n\r\n".encode()).startswith(b"HTTP/1.1 401")
    assert time.monotonic() - began < 5


def fill(folder: Path) -> Path:
    """Take every block that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    stream.write(b"\0" * size)
            except OSError:
                continue
    return ballast


def refused_while_reads_go_on(client: httpx.Client) -> None:
    """What needs the record gets 503 within two seconds, all else its answer."""
    for path in READS:
        assert client.get(path).status_code == 200, path
    began = time.monotonic()
    refused: Any = client.post(FORECAST, json=BODY)
    assert refused.status_code == 503, refused.text
    assert time.monotonic() - began < 2.0
    assert refused.headers["content-type"] == "application/problem+json"


def test_a_full_disk_stops_what_needs_the_record_and_nothing_else(running: Running) -> None:
    if running.disk is None:
        pytest.skip("a file system of its own can be mounted by root alone")
    with running.client() as client:
        answered = client.post(FORECAST, json=BODY)
        assert answered.status_code == 200, answered.text
        ballast = fill(running.disk)
        end = time.monotonic() + 12
        while time.monotonic() < end:
            refused_while_reads_go_on(client)
        ballast.unlink()
        room = time.monotonic()
        while (again := client.post(FORECAST, json=BODY)).status_code != 200:
            assert time.monotonic() - room < 10, again.text
            time.sleep(0.2)
    ids = [reply.json()["predictions"][0]["prediction_id"] for reply in (answered, again)]
    entries = prediction_log.entries(running.settings.platform_db, NAME)
    assert set(ids) <= {entry.prediction_id for entry in entries}


def test_with_a_clock_a_day_back_no_answer_is_dated(running: Running) -> None:
    """The last test of this service: the ledger has seen tomorrow, and keeps it."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    before = len(list(prediction_log.entries(running.settings.platform_db, NAME)))
    writer.append(running.settings, [Entry("access", "x")], now=tomorrow)
    with running.client() as client:
        for _ in range(3):
            refused_while_reads_go_on(client)
    assert len(list(prediction_log.entries(running.settings.platform_db, NAME))) == before
    (log,) = (running.settings.home / "logs").glob(f"serve-{NAME}-*.log")
    assert "clock is not that of the ledger" in log.read_text()
