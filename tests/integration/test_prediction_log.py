"""The prediction log under load: killed, and with its database stopped; nothing told is lost."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import log_app
import pytest
from answers import prediction, record
from platform_db import Control, postgres
from waiting import wait_until

from yupana.database.engine import engine
from yupana.predictions import log_writer, prediction_log


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Control]]:
    with postgres() as database:
        yield database


def _logged(url: str) -> list[str]:
    query = prediction_log.joined().with_only_columns(prediction_log.RECORDS.c.prediction_id)
    with engine(url).connect() as connection:
        return list(connection.execute(query).scalars())


def _kill_under_load(url: str, spool: Path, wait: float) -> list[str]:
    """The ids that clients received before the service was killed, `wait` s after the first."""
    answered = threading.Event()
    with log_app.serving(url, spool, durable=True) as (port, child):

        def kill() -> None:
            answered.wait(30)
            time.sleep(wait)
            child.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        ids, _, _ = asyncio.run(log_app.clients(port, 16, 40, answered))
        killer.join()
        assert child.wait(5) == -9
    return ids


@pytest.mark.parametrize(
    ("database", "kills"),
    [("sqlite", 3), ("postgresql", 2), pytest.param("sqlite", 20, marks=pytest.mark.long),
     pytest.param("postgresql", 20, marks=pytest.mark.long)],
)  # fmt: skip
def test_every_answer_of_a_killed_service_is_in_the_log(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, kills: int
) -> None:
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    if database == "postgresql":
        url = request.getfixturevalue("server")[0]
    chance, received = random.Random(7), set[str]()
    for _ in range(kills):
        received |= set(_kill_under_load(url, tmp_path / "log.jsonl", chance.uniform(0.2, 0.6)))
    logged = _logged(url)
    assert len(logged) == len(set(logged))
    assert len(received) > 10 * kills and received <= set(logged)
    print(f"{database}: {kills} kills, {len(received):,} answers received, {len(logged):,} logged")


def test_text_that_postgresql_cannot_hold_harms_no_group(server: tuple[str, Control]) -> None:
    odd = record(prediction(odd="a\0b \\u0000 ñ"))._replace(request_id="x\0y\\u0000")
    plain = record(prediction("160201"))
    log_writer.record(server[0], [odd, plain])
    entry = prediction_log.by_id(server[0], odd.prediction_id, "outbreak")
    assert entry and entry.request_id == "xy\\u0000"
    assert entry.features["odd"] == "a\0b \\u0000 ñ"
    assert prediction_log.by_id(server[0], plain.prediction_id, "outbreak")


@pytest.mark.parametrize("durable", [True, False])
def test_a_database_that_stops_under_load_loses_no_answer(
    server: tuple[str, Control], tmp_path: Path, durable: bool
) -> None:
    url, control = server
    before = set(_logged(url))
    with log_app.serving(url, tmp_path / "log.jsonl", durable) as (port, _):
        outage = threading.Timer(1, lambda: (control("stop"), time.sleep(2), control("start")))
        outage.start()
        ids, refused, longest = asyncio.run(log_app.clients(port, 8, 6))
        outage.join()
        assert longest < 2.2
        late, more, _ = asyncio.run(log_app.clients(port, 8, 0.5))
        assert late and more == 0, "it is well again"
        if durable:
            assert refused > 10
        else:
            assert refused == 0
            # The spool comes home.
            wait_until(lambda: not list(tmp_path.glob("log-*")))
    logged = _logged(url)
    assert len(logged) == len(set(logged))
    assert set(ids) | set(late) <= set(logged) - before


def test_what_was_spooled_survives_a_kill(server: tuple[str, Control], tmp_path: Path) -> None:
    url, control = server
    with log_app.serving(url, tmp_path / "log.jsonl", durable=False) as (port, child):
        asyncio.run(log_app.clients(port, 4, 0.3))
        control("stop")
        ids, refused, _ = asyncio.run(log_app.clients(port, 4, 1))
        time.sleep(1)
        child.kill()
    control("start")
    assert ids and refused == 0 and list(tmp_path.glob("log-*"))
    with log_app.serving(url, tmp_path / "log.jsonl", durable=False):
        wait_until(lambda: not list(tmp_path.glob("log-*")))
    logged = _logged(url)
    assert set(ids) <= set(logged) and len(logged) == len(set(logged))
    assert not list(tmp_path.glob("log-*"))
