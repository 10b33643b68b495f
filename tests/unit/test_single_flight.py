"""Work that is done once for many: what is merged, what fails, and who goes away."""

from __future__ import annotations

import asyncio
import threading

import pytest

from yupana.serving.http.single_flight import SingleFlight


def test_what_is_asked_meanwhile_is_done_in_one_go() -> None:
    turns: list[list[int]] = []
    go = threading.Event()

    def work(batch: list[int]) -> None:
        go.wait(5)
        turns.append(batch)

    async def main() -> None:
        flight = SingleFlight(work)
        first = asyncio.create_task(flight.do(0))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(flight.do(i)) for i in range(1, 6)]
        await asyncio.sleep(0.05)
        rest.pop().cancel()
        go.set()
        await asyncio.gather(first, *rest)

    asyncio.run(main())
    assert turns == [[0], [1, 2, 3, 4, 5]], "who goes away takes the work from no one"


def test_a_failure_is_told_to_all_who_wait_and_the_next_turn_is_new() -> None:
    failing = True

    def work(_: list[int]) -> None:
        if failing:
            raise OSError("away")

    async def main() -> None:
        nonlocal failing
        flight = SingleFlight(work)
        outcomes = await asyncio.gather(*[flight.do(i) for i in range(3)], return_exceptions=True)
        assert [type(error) for error in outcomes] == [OSError] * 3
        failing = False
        await flight.do(4)
        failing = True
        with pytest.raises(OSError, match="away"):
            await flight.do(5)

    asyncio.run(main())
