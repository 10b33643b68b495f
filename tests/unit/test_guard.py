"""The guard before an application that fails in every way; no server in between."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from yupana.serving.http import access_log, bounds
from yupana.serving.http.access_log import AccessLog, AccessRecord
from yupana.serving.http.guard import Guard

Message = dict[str, Any]
OK = [
    {"type": "http.response.start", "status": 200, "headers": []},
    {"type": "http.response.body", "body": b"{}"},
]


class MemoryLog(AccessLog):
    """AccessLog that a test can look at."""

    def __init__(self) -> None:
        super().__init__(os.open(os.devnull, os.O_WRONLY))
        self.records: list[Any] = []

    def add(self, line: Any) -> None:
        self.records.append(line)


def ask(
    app: Callable[..., Awaitable[None]],
    *parts: Message,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    lines: AccessLog | None = None,
    state: Message | None = None,
) -> list[Message]:
    """What is answered to one request, whose body comes in `parts` and then no more."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def run() -> None:
        waiting = list(parts)

        async def receive() -> Message:
            if waiting:
                return waiting.pop(0)
            await asyncio.sleep(60)
            raise AssertionError

        scope = {
            "type": "http", "method": "POST", "path": "/v1/a", "raw_path": b"/v1/a",
            "query_string": b"", "headers": [(b"host", b"a"), *headers], "state": state or {},
            "http_version": "1.1",
        }  # fmt: skip
        inside = bounds.WholeBody(app)
        await Guard(inside, lines or MemoryLog(), behind_tls=False)(scope, receive, send)
        task = asyncio.current_task()
        assert task is not None and not task.cancelling(), "the task goes on being cancelled"

    asyncio.run(run())
    return messages


async def fine(scope: Any, receive: Any, send: Any) -> None:
    for message in OK:
        await send(message)


def test_names_are_never_given_twice() -> None:
    names = {dict(ask(fine)[0]["headers"])[b"x-request-id"] for _ in range(50)}
    assert len(names) == 50


def test_a_length_that_is_no_number_is_refused() -> None:
    for length in (b"-1", b"1e3", b"10 ", b""):
        assert ask(fine, headers=((b"content-length", length),))[0]["status"] == 413


def test_a_body_longer_than_its_length_says_is_still_bounded() -> None:
    part = {"type": "http.request", "body": b"x" * 40000, "more_body": True}
    assert ask(fine, part, part, headers=((b"content-length", b"5"),))[0]["status"] == 413


def test_the_application_gets_the_body_whole() -> None:
    got: list[Message] = []

    async def read(scope: Any, receive: Any, send: Any) -> None:
        got.append(await receive())
        await fine(scope, receive, send)

    first = {"type": "http.request", "body": b"ab", "more_body": True}
    last = {"type": "http.request", "body": b"cd", "more_body": False}
    ask(read, first, last, headers=((b"transfer-encoding", b"chunked"),))
    assert got == [{"type": "http.request", "body": b"abcd", "more_body": False}]


def test_what_comes_or_answers_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BODY_SECONDS", 0.1)
    monkeypatch.setattr(bounds, "REQUEST_SECONDS", 0.3)

    async def sleep(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(30)

    assert ask(fine, headers=((b"content-length", b"5"),))[0]["status"] == 408
    assert ask(sleep)[0]["status"] == 504


def test_another_end_than_by_its_deadline_is_let_through() -> None:
    async def ended(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        ask(ended)


def test_an_answer_that_has_begun_is_cut_off_and_not_followed_by_another() -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send(OK[0])
        raise ValueError("secreto")

    log = MemoryLog()
    with pytest.raises(ConnectionAbortedError) as cut:
        ask(half, lines=log)
    assert "secreto" not in str(cut.value) and cut.value.__suppress_context__
    assert [type(line).__name__ for line in log.records] == ["dict", "AccessRecord"]
    assert "secreto" not in json.dumps(log.records[0])


def test_an_error_after_the_answer_is_logged_alone() -> None:
    async def late(scope: Any, receive: Any, send: Any) -> None:
        await fine(scope, receive, send)
        raise ValueError

    log = MemoryLog()
    messages = ask(late, lines=log)
    assert [m.get("status") for m in messages] == [200, None]
    assert log.records[0]["error"] == "ValueError" and log.records[1].status == 200


def test_an_answer_may_say_itself_how_long_it_is_kept() -> None:
    async def lasting(scope: Any, receive: Any, send: Any) -> None:
        await send({**OK[0], "headers": [(b"cache-control", b"max-age=60")]})
        await send(OK[1])

    values = [v for n, v in ask(lasting)[0]["headers"] if n == b"cache-control"]
    assert values == [b"max-age=60"]
    assert (b"cache-control", b"no-store") in ask(fine)[0]["headers"]


def test_a_reader_that_stands_still_makes_no_request_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "MOST_WAITING", 1000)
    out, into = os.pipe()
    lines = AccessLog(into)
    one = AccessRecord(0.0, 0.1, "a" * 60, "GET", "/v1/a", 200, None)
    started = time.monotonic()
    for _ in range(20):
        for _ in range(500):
            lines.add(one)
        time.sleep(0.06)
    assert time.monotonic() - started < 5
    read = bytearray()

    def drain() -> None:
        while chunk := os.read(out, 65536):
            read.extend(chunk)

    reader = threading.Thread(target=drain)
    reader.start()
    time.sleep(0.3)
    lines.close()
    os.close(into)
    reader.join()
    records = [json.loads(line) for line in read.splitlines()]
    dropped = sum(line["lines"] for line in records if line["event"] == "lines dropped")
    assert dropped > 0 and len([x for x in records if x["event"] == "request"]) + dropped == 10000
