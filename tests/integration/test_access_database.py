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

from yupana.governance import activity, deployments, keys, usage
from yupana.governance.deployments import Placed
from yupana.governance.keyring import Keyring
from yupana.governance.keys import Terms
from yupana.governance.quotas import Counter, Policy
from yupana.governance.usage import Caller, Request, Writer
from yupana.governance.usage_report import report

NOON = 1_772_366_400.0
DAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Control]]:
    with postgres() as made:
        yield made


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
    given = [(url, f"k{limit}", limit, limit, start) for _ in range(6)]
    assert sum(six.starmap(_spend, given, chunksize=1)) == limit


def test_a_key_lives_as_it_does_on_the_other_database(url: str) -> None:
    now = datetime.now(UTC)
    made = keys.create(url, Terms("Áncash", ("outbreak:forecast",)), now=now, by="test")
    name = made.split("_")[1]
    new = keys.rotate(url, name, grace=timedelta(hours=1), now=now, by="test")
    ring = Keyring(url)
    ring.refresh()
    assert [ring.check(k, now.timestamp())[1] for k in (made, new)] == ["", ""]
    keys.revoke(url, name, now=now, by="test")
    ring.refresh()
    assert ring.check(new, now.timestamp())[1] == "revoked"
    (row,) = (r for r in keys.listing(url) if r["id"] == name)
    assert row["created"] == now and row["revoked"] == now


def test_slots_are_placed_changed_and_cleared(url: str) -> None:
    who = {"now": datetime.now(UTC), "by": "test"}
    slot = ("outbreak", deployments.CHALLENGER)
    deployments.place(url, "outbreak", deployments.CHAMPION, Placed("outbreak:1"), **who)
    deployments.place(url, *slot, Placed("outbreak:2", 0.1), **who)
    deployments.place(url, *slot, Placed("outbreak:3"), **who)
    assert deployments.current(url, "outbreak") == {
        "champion": Placed("outbreak:1"), "challenger": Placed("outbreak:3"),
    }  # fmt: skip
    deployments.clear(url, *slot, **who)
    deployments.clear(url, *slot, **who)
    assert deployments.current(url, "outbreak") == {"champion": Placed("outbreak:1")}
    done = [r["what"] for r in activity.listing(url, who["now"]) if r["by"] == "test"]
    assert done.count("deploy") == 3 and done.count("withdraw") == 1
    deployments.clear(url, "outbreak", deployments.CHAMPION, **who)


def test_the_report_counts_ranks_and_filters(url: str) -> None:
    writer = Writer(url)
    for i in range(1, 101):
        caller = Caller("k", "A", "agency", "outbreak@1", ["160101", f"16010{i % 3 + 2}"])
        status = 500 if i == 1 else 429 if i <= 3 else 200
        writer.add(Request(NOON + i, caller, "outbreak:forecast", status, float(i)))
    writer.add(Request(NOON + 86400, Caller("j", "B", "agency", "cholera"), "x:y", 200, 7.0))
    writer.add(Request(NOON - 86400, Caller("k", "A", "agency", "outbreak@2"), "x:y", 200, 1.0))
    writer.close()
    found = report(url, DAY)
    assert found["total"] == {
        "requests": 101, "refused": 2, "errors": 1,
        "median_ms": pytest.approx(50, rel=0.05), "p95_ms": pytest.approx(95, rel=0.05),
    }  # fmt: skip
    assert [(d["day"], d["requests"]) for d in found["days"]] == [
        ("2026-03-01", 100), ("2026-03-02", 1),
    ]  # fmt: skip
    assert [a["agency"] for a in found["agencies"]] == ["A", "B"]
    assert [a["p95_ms"] for a in found["agencies"]] == pytest.approx([95, 7], rel=0.05)
    assert found["districts"][0] == {"ubigeo": "160101", "asked": 100}
    assert sum(d["asked"] for d in found["districts"]) == 200
    assert report(url, DAY, "B")["total"]["requests"] == 1
    assert report(url, DAY - timedelta(days=1), model="outbreak")["total"]["requests"] == 101
    assert report(url, DAY - timedelta(days=1), model="outbreak@2")["total"]["requests"] == 1
    nothing = report(url, DAY, "nobody")["total"]
    assert (nothing["requests"], nothing["errors"], nothing["median_ms"]) == (0, 0, None)


def test_old_statistics_are_forgotten_and_what_was_done_to_keys_is_not(url: str) -> None:
    now = datetime.now(UTC)
    keys.create(url, Terms("old", ("outbreak:forecast",)), now=now - timedelta(days=900), by="test")
    writer = Writer(url)
    for days in (0, 800):
        caller = Caller("k", "old", "agency", "outbreak@1", ["160101"])
        writer.add(Request(now.timestamp() - 86400 * days, caller, "outbreak:forecast", 200, 1.0))
    writer.refused("unknown", "", "", "")
    writer.close()
    before = now.date() - timedelta(days=730)
    old = {"requests_counted": 1, "districts_asked": 1, "activity": 0}
    assert usage.forget(url, before, dry_run=True) == old == usage.forget(url, before)
    assert usage.forget(url, before) == dict.fromkeys(old, 0)
    kept = report(url, before - timedelta(days=900), "old")
    assert kept["total"]["requests"] == 1 and kept["districts"][0]["asked"] == 1
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
    wide = keys.create(url, Terms("wide", quota="none", **terms), now=now, by="test")
    exact = keys.create(url, Terms("exact", quota="90/day", **terms), now=now, by="test")
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
    assert report(url, now.date(), "wide")["total"]["requests"] >= 3
    assert usage.FLUSH_SECONDS <= 1
