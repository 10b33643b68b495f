"""Many who change the same rows at once: none waits for the other for ever, and no false alarm."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from platform_db import postgres

from tests import used_home
from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.identity import api_keys
from yupana.identity.api_keys import Terms
from yupana.ledger import pseudonyms
from yupana.monitoring import alerts, delivery, history
from yupana.orchestration import erasure
from yupana.predictions import usage
from yupana.trace import audit
from yupana.tracking import slots

TURNS, THREADS = 6, 4


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    settings = used_home.make(tmp_path)
    if request.param == "sqlite":
        yield settings
        return
    with postgres() as (url, _):
        engine.cache_clear()
        yield settings.model_copy(update={"platform_url": url})


def work(home: Settings, number: int, turn: int) -> list[Callable[[], object]]:
    """Changes of rows that the other threads change too."""
    url, now = home.platform_db, datetime.now(UTC)
    run = f"run{turn}"
    name = api_keys.create(url, Terms("A", ("outbreak:forecast",)), now=now, by="os:ana")
    key = name.split("_")[1]

    def count() -> None:
        writer = usage.Writer(url)
        for day in (0, 1, 2):
            caller = usage.Caller(key, "A", "agency", "outbreak@1", ("160101",))
            moment = (now - timedelta(days=day)).timestamp()
            writer.add(usage.Request(moment, caller, "outbreak:forecast", 200, 3.0))
        writer.refused("revoked", key, "A", "outbreak:forecast")
        writer.close()

    def forget() -> None:
        try:
            erasure.forget(home, "os:ana", now)
        except UsageError:
            return  # Another thread did.

    placed = slots.Placed(f"outbreak:{number}")
    return [
        count,
        lambda: api_keys.rotate(url, key, grace=timedelta(days=1), now=now, by="os:ana"),
        lambda: api_keys.revoke_subject(url, "@a1", now=now, by="os:ana"),
        lambda: slots.place(url, "outbreak", "champion", placed, now=now, by="os:ana"),
        lambda: slots.clear(url, "outbreak", "champion", now=now, by="os:ana"),
        lambda: history.keep(url, "outbreak", run, used_home.WEEK, [used_home.LOUD], {}, now),
        lambda: alerts.update(home, "outbreak", f"{run}{number}", [used_home.LOUD], "ana", now),
        lambda: delivery.send(home, now, lambda _: None),
        lambda: pseudonyms.pseudonym(home, "os:ana"),
        forget,
    ]


def test_changes_at_once_leave_tables_as_the_ledger_says(home: Settings) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def run(number: int) -> None:
        order = random.Random(number)
        start.wait()
        try:
            for turn in range(TURNS):
                changes = work(home, number, turn)
                order.shuffle(changes)
                for change in changes:
                    change()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert errors == []
    report = audit.verify(home, Silent())
    assert report.ok, report
