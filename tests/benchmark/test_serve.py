"""The load generator and the verdicts of the serving benchmark, on a server that stalls."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pytest

from tests.benchmark import serve_load, serve_report, serve_sides
from tests.benchmark.serve_country import codes
from tests.benchmark.serve_load import Load


def answered(
    rate: float, seconds: float, *, stall: float = 0.0, status: int = 200
) -> tuple[Load, dict[str, Any]]:
    """Load on a server that stops everything once for `stall` seconds, halfway."""

    async def run() -> Any:
        end_of_calm = time.perf_counter() + seconds / 2
        stalled = False

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal stalled
            while head := await reader.readuntil(b"\r\n\r\n"):
                assert b"x-key: k\r\n" in head
                await reader.readexactly(2)
                if stall and not stalled and time.perf_counter() > end_of_calm:
                    stalled = True
                    await held(stall)
                await gate.wait()
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok" % status)

        async def held(spell: float) -> None:
            gate.clear()
            await asyncio.sleep(spell)
            gate.set()

        gate = asyncio.Event()
        gate.set()
        server = await asyncio.start_server(quiet(answer), "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        job = {
            "url": url,
            "rate": rate,
            "seconds": seconds,
            "body": "{}",
            "headers": {"x-key": "k"},
        }
        async with server:
            load = Load(job)
            return load, await load.run()

    return asyncio.run(run())


def quiet(answer: Any) -> Any:
    async def until_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return until_the_end


def test_all_who_came_during_a_stall_are_charged_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_load, "MOST_LINES", serve_load.FIRST_LINES)
    load, reply = answered(200, 1.0, stall=0.4)
    assert reply["failed"] == 0 and 150 < reply["sent"] < 250
    # Some eighty of two hundred came in those 0.4 s; sixteen of them found a free line.
    assert sum(each > 0.05 for each in load.latencies) > 40 and reply["p50_ms"] < 200


def test_an_answer_that_is_not_good_is_a_failure() -> None:
    _, reply = answered(100, 0.3, status=503)
    assert reply["failed"] == reply["sent"] > 0


def test_a_verdict_needs_the_bound_on_its_side() -> None:
    most = {"yupana": 600.0, "fastapi, ready": 1000.0, "litserve": 700.0}
    result = {
        "requests_per_second": {name: {"16": of} for name, of in most.items()},
        "open_loop": {"yupana": {"p99_ms": 4.0}, "fastapi, ready": {"p99_ms": 1.0}},
        "country": {"first_s": 1.5, "later_s": 0.1},
        "ready_s": [9.0, 11.0, 8.0],
        "soak": {"after_bytes": 110, "before_bytes": 100},
    }
    verdicts = {r["what"]: serve_report.verdict(r) for r in serve_report.ratios(result)}
    assert verdicts["requests/s, yupana / fastapi, ready"] == "met"
    assert verdicts["requests/s, yupana / litserve"] == "missed"
    assert verdicts["p99 at half load, yupana / fastapi, ready"] == "missed"
    assert (
        verdicts["national batch, first call, s"] == "met"
        and verdicts["start to ready, s"] == "met"
    )
    assert verdicts["memory after / before the soak"] == "missed"
    assert verdicts["national batch, later calls, s"] == ""


def test_a_country_of_codes() -> None:
    districts = codes(1900)
    assert len(set(districts)) == 1900 and all(len(c) == 6 and c.isdigit() for c in districts)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are pinned on Linux only")
def test_a_core_is_given_back() -> None:
    before = os.sched_getaffinity(0)
    with serve_sides.on_core(min(before)):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before
