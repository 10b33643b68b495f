"""Keys, quotas and statistics on both databases: SQLite, and a real PostgreSQL where it is."""

from __future__ import annotations

import multiprocessing as mp
import socket
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from pathlib import Path

import httpx
import pytest
from access_app import serving
from platform_db import Control, postgres

from yupana.identity import activity, api_keys
from yupana.identity.api_keys import Terms
from yupana.identity.keyring import Keyring
from yupana.identity.quotas import Counter, Policy
from yupana.predictions import usage
from yupana.predictions.usage import Caller, Request, Writer
from yupana.predictions.usage_report import EntityUsage, Figures, report
from yupana.tracking import slots
from yupana.tracking.slots import Placed

NOON = 1_772_366_400.0
DAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Control]]:
    with postgres() as database:
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'platform.db'}"
    return str(request.getfixturevalue("server")[0])


def _start(together: Barrier) -> None:
    together.wait(60)


def _spend(url: str, key: str, limit: int, tries: int, start: float) -> int:
    time.sleep(max(start - time.time(), 0))
    counter, policy = Counter(url), Policy("quota", limit, 86400)
    answered = 0
    for _ in range(tries):
        if lacking := counter.lacking(key, [policy], NOON):
            counter.fetch([(key, lacking, NOON)])
        answered += counter.spend(key, [policy], NOON)[0]
    return answered


@pytest.fixture(scope="module")
def six() -> Iterator[Pool]:
    """Six processes that have imported what they need, so that they begin together."""
    context = mp.get_context("spawn")
    together = context.Barrier(7)
    with context.Pool(6, _start, (together,)) as pool:
        together.wait(60)
        yield pool


@pytest.mark.parametrize("limit", [90, 300])
def test_processes_at_once_answer_the_limit_and_no_more(url: str, limit: int, six: Pool) -> None:
    """The first question of each also makes the tables: all at once."""
    start = time.time() + 0.3
    arguments = [(url, f"k{limit}", limit, limit, start) for _ in range(6)]
    assert sum(six.starmap(_spend, arguments, chunksize=1)) == limit


def test_a_key_lives_as_it_does_on_the_other_database(url: str) -> None:
    now = datetime.now(UTC)
    key = api_keys.create(url, Terms("Áncash", ("outbreak:forecast",)), now=now, by="test")
    name = key.split("_")[1]
    new = api_keys.rotate(url, name, grace=timedelta(hours=1), now=now, by="test")
    ring = Keyring(url)
    ring.refresh()
    assert [ring.check(k, now.timestamp())[1] for k in (key, new)] == ["", ""]
    api_keys.revoke(url, name, now=now, by="test")
    ring.refresh()
    assert ring.check(new, now.timestamp())[1] == "revoked"
    (row,) = (r for r in api_keys.listing(url) if r["id"] == name)
    assert row["created"] == now and row["revoked"] == now


def test_slots_are_placed_changed_and_cleared(url: str) -> None:
    who = {"now": datetime.now(UTC), "by": "test"}
    slot = ("outbreak", slots.CHALLENGER)
    slots.place(url, "outbreak", slots.CHAMPION, Placed("outbreak:1"), **who)
    slots.place(url, *slot, Placed("outbreak:2", 0.1), **who)
    slots.place(url, *slot, Placed("outbreak:3"), **who)
    assert slots.current(url, "outbreak") == {
        "champion": Placed("outbreak:1"), "challenger": Placed("outbreak:3"),
    }  # fmt: skip
    slots.clear(url, *slot, **who)
    slots.clear(url, *slot, **who)
    assert slots.current(url, "outbreak") == {"champion": Placed("outbreak:1")}
    entries = [r["what"] for r in activity.listing(url, who["now"]) if r["by"] == "test"]
    assert entries.count("deploy") == 3 and entries.count("withdraw") == 1
    slots.clear(url, "outbreak", slots.CHAMPION, **who)


def test_the_report_counts_ranks_and_filters(url: str) -> None:
    writer = Writer(url)
    for i in range(1, 101):
        caller = Caller("k", "A", "agency", "outbreak@1", ["160101", f"16010{i % 3 + 2}"])
        status = 500 if i == 1 else 429 if i <= 3 else 200
        writer.add(Request(NOON + i, caller, "outbreak:forecast", status, float(i)))
    writer.add(Request(NOON + 86400, Caller("j", "B", "agency", "cholera"), "x:y", 200, 7.0))
    writer.add(Request(NOON - 86400, Caller("k", "A", "agency", "outbreak@2"), "x:y", 200, 1.0))
    writer.close()
    usage = report(url, DAY)
    assert usage.total == Figures(
        "", 101, 2, 1, pytest.approx(50, rel=0.05), pytest.approx(95, rel=0.05)
    )
    assert [(d.name, d.requests) for d in usage.days] == [
        ("2026-03-01", 100), ("2026-03-02", 1),
    ]  # fmt: skip
    assert [a.name for a in usage.agencies] == ["A", "B"]
    assert [a.p95_ms for a in usage.agencies] == pytest.approx([95, 7], rel=0.05)
    assert usage.entities[0] == EntityUsage("160101", 100)
    assert sum(e.requests for e in usage.entities) == 200
    assert report(url, DAY, "B").total.requests == 1
    assert report(url, DAY - timedelta(days=1), model="outbreak").total.requests == 101
    assert report(url, DAY - timedelta(days=1), model="outbreak@2").total.requests == 1
    assert report(url, DAY, "nobody").total == Figures("", 0, 0, 0, None, None)


def test_old_statistics_are_forgotten_and_what_was_done_to_keys_is_not(url: str) -> None:
    now = datetime.now(UTC)
    terms = Terms("old", ("outbreak:forecast",))
    api_keys.create(url, terms, now=now - timedelta(days=900), by="test")
    writer = Writer(url)
    for days in (0, 800):
        caller = Caller("k", "old", "agency", "outbreak@1", ["160101"])
        writer.add(Request(now.timestamp() - 86400 * days, caller, "outbreak:forecast", 200, 1.0))
    writer.refused("unknown", "", "", "")
    writer.close()
    before = now.date() - timedelta(days=730)
    old = {"request_counts": 1, "entity_counts": 1, "activity": 0}
    assert usage.forget(url, before, dry_run=True) == old == usage.forget(url, before)
    assert usage.forget(url, before) == dict.fromkeys(old, 0)
    kept = report(url, before - timedelta(days=900), "old")
    assert kept.total.requests == 1 and kept.entities[0].requests == 1
    assert usage.forget(url, now.date() + timedelta(days=1))["activity"] >= 1
    start = now - timedelta(days=901)
    assert [r["what"] for r in activity.listing(url, start) if r["agency"] == "old"] == ["create"]
    assert not [r for r in activity.listing(url, start) if r["what"] == "refused"]


def test_a_database_that_goes_away_closes_the_door_and_loses_no_count(
    server: tuple[str, Control],
) -> None:
    url, control = server
    now = datetime.now(UTC)
    terms = {"scopes": ("outbreak:forecast",), "rate": "none"}
    wide = api_keys.create(url, Terms("wide", quota="none", **terms), now=now, by="test")
    exact = api_keys.create(url, Terms("exact", quota="90/day", **terms), now=now, by="test")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    def ask(base: str, key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.post(f"{base}/v1/outbreak/forecast", headers=headers, timeout=30).status_code

    with serving(url, port, stale=3) as base:
        assert [ask(base, k) for k in (wide, exact)] == [200, 200]
        control("stop")
        assert ask(base, wide) == 200, "keys are known for a while"
        assert ask(base, exact) == 503, "a limit that cannot be counted is not passed"
        time.sleep(3)
        assert ask(base, wide) == 503
        control("start")
        assert [ask(base, k) for k in (wide, exact)] == [200, 200]
    assert report(url, now.date(), "wide").total.requests >= 3
    assert usage.FLUSH_SECONDS <= 1
