"""Quotas: windows, leases, clocks, and the headers that tell them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from yupana.core.errors import UsageError
from yupana.identity.quotas import Counter, Policy, Standing, headers, parse
from yupana.serving.http.access import Access

NOON = 1_772_366_400.0
MINUTE = Policy("rate", 3, 60)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'platform.db'}"


def take(worker: Counter, now: float, *policies: Policy) -> tuple[bool, list[Standing]]:
    if lacking := worker.lacking("key", policies, now):
        worker.fetch([("key", lacking, now)])
    return worker.spend("key", policies, now)


def test_limits_are_read_as_they_are_written() -> None:
    assert parse("quota", "1000/day") == Policy("quota", 1000, 86400)
    assert parse("rate", "60/min") == Policy("rate", 60, 60)
    assert parse("rate", "none") is None
    for wrong in ("", "0/day", "-1/day", "10/year", "10 / day", "1e3/day", "10"):
        with pytest.raises(UsageError, match="not a limit"):
            parse("rate", wrong)


def test_a_window_ends_and_the_next_begins(url: str) -> None:
    worker = Counter(url)
    answers = [take(worker, NOON + s, MINUTE) for s in (0, 1, 59, 59.5)]
    assert [allowed for allowed, _ in answers] == [True, True, True, False]
    assert [standing[0].rest for _, standing in answers] == [2, 1, 0, 0]
    assert [standing[0].reset for _, standing in answers] == [60, 59, 1, 1]
    assert take(worker, NOON + 60, MINUTE)[0]


def test_a_refusal_by_one_limit_spends_nothing_of_the_other(url: str) -> None:
    worker, day = Counter(url), Policy("quota", 100, 86400)
    for second in (0, 1, 2, 3, 4):
        allowed, standing = take(worker, NOON + second, MINUTE, day)
    assert not allowed and [s.rest for s in standing] == [0, 97]


def test_a_spent_window_is_not_asked_of_the_database_again(url: str) -> None:
    worker = Counter(url)
    for _ in range(4):
        take(worker, NOON, MINUTE)
    assert worker.lacking("key", [MINUTE], NOON + 1) == []
    assert worker.lacking("key", [Policy("rate", 5, 60)], NOON + 1), "a new limit counts at once"


@pytest.mark.parametrize("limit", [3, 250, 5000])
def test_workers_never_answer_more_than_the_limit_together(url: str, limit: int) -> None:
    workers, policy = [Counter(url) for _ in range(4)], Policy("quota", limit, 86400)
    answered = sum(take(workers[i % 4], NOON, policy)[0] for i in range(limit * 2))
    assert answered == limit


def test_what_a_worker_holds_is_what_some_seconds_need_and_a_hundredth_at_most(url: str) -> None:
    policy = Policy("quota", 1000, 86400)
    for pace, most in ((0.05, 10), (1.0, 5), (60.0, 1)):
        worker = Counter(f"{url}{pace}")
        times = [NOON + i * pace for i in range(200)]
        answers = [take(worker, now, policy)[1][0].rest for now in times]
        assert answers == list(range(999, 799, -1))
        other = take(Counter(f"{url}{pace}"), times[-1], policy)[1][0].rest
        assert 800 - most <= other + 1 <= 800, pace


def test_a_worker_that_ends_gives_back_what_it_did_not_spend(url: str) -> None:
    policy = Policy("quota", 1000, 86400)
    for _ in range(20):
        worker = Counter(url)
        for _ in range(20):
            take(worker, NOON, policy)
        worker.give_back()
        worker.give_back()
    assert take(Counter(url), NOON, policy)[1][0].rest == 599


def test_a_service_gives_back_at_its_end(url: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.shutdown.complete"})

    async def nothing(*_: Any) -> None: ...

    policy = Policy("quota", 1000, 86400)
    access = Access(app, url, require_keys=True)
    for _ in range(20):
        take(access.counter, NOON, policy)
    asyncio.run(access({"type": "lifespan"}, nothing, nothing))
    assert take(Counter(url), NOON, policy)[1][0].rest == 979


def test_what_is_given_back_late_is_no_gift_to_the_next_window(url: str) -> None:
    policy = Policy("rate", 1000, 60)
    late, other = Counter(url), Counter(url)
    for _ in range(4):
        take(late, NOON, policy)
    assert take(other, NOON + 60, policy)[1][0].rest == 999
    late.give_back()
    assert take(Counter(url), NOON + 60, policy)[1][0].rest == 998


def test_clocks_that_differ_or_jump(url: str) -> None:
    ahead, behind = Counter(url), Counter(url)
    assert take(ahead, NOON + 60, MINUTE)[0]
    # A worker whose clock is late takes of the window that the others are in.
    assert [take(behind, NOON + 59, MINUTE)[0] for _ in range(3)] == [True, True, False]
    # A clock that jumped ahead by a year, and was set right again, locks no one out.
    year = Counter(url)
    assert take(year, NOON + 365 * 86400, MINUTE)[0]
    assert take(year, NOON + 61, MINUTE)[0]


def test_the_headers_are_those_of_the_draft() -> None:
    day = Policy("quota", 1000, 86400)
    assert headers([Standing(MINUTE, 2, 30), Standing(day, 997, 43200)]) == {
        "RateLimit-Policy": '"rate";q=3;w=60, "quota";q=1000;w=86400',
        "RateLimit": '"rate";r=2;t=30, "quota";r=997;t=43200',
    }
    assert headers([]) == {}
