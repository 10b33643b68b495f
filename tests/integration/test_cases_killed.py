"""Processes that send and route cases are killed at any moment: no receipt is lost or doubled, and
each case is routed once, on both databases."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path
from random import Random

import case_process
import pytest
import sqlalchemy as sa
from schemas import server, table_faults, url
from waiting import wait_until

from yupana.config.settings import ROOT, Settings
from yupana.database.engine import engine
from yupana.tasks.classify.cases.tables import CASE_EVENTS, CASES

__all__ = ["server", "url"]
EACH = 6
DEATH = -9


def start(what: str, settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, case_process.__file__, what, str(settings.home)]
    return subprocess.Popen(
        [*command, settings.platform_url, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**settings.environment(), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    )  # fmt: skip


def states(database: str) -> Counter[str]:
    query = sa.select(CASES.c.state, sa.func.count()).group_by(CASES.c.state)
    with engine(database).connect() as connection:
        return Counter({row[0]: row[1] for row in connection.execute(query)})


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.long)])
def test_no_receipt_is_lost_or_doubled_and_each_case_is_routed_once(
    url: str, kills: int, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, platform_url=url)
    engine(url)
    random, points = Random(7), cycle(case_process.POINTS)
    told: dict[str, str] = {}
    deaths = 0
    for turn in range(kills):
        router = start("route", settings, next(points))
        sender = start("send", settings, str(turn * EACH), str(EACH))
        time.sleep(random.uniform(0.2, 1.5))
        if turn % 2:
            # Killed in the middle; who sends then sends it all once more.
            sender.kill()
            told.update(read(sender))
            sender = start("send", settings, str(turn * EACH), str(EACH))
        again = read(sender)
        assert all(told.get(number, receipt) == receipt for number, receipt in again.items())
        told.update(again)
        assert sender.returncode == 0
        deaths += died(router)
    assert deaths >= kills * 0.7, "they died where they were told to"
    last = start("route", settings, "never")
    try:
        wait_until(lambda: not states(url)["received"], 60)
    finally:
        last.kill()
        last.communicate()
    assert len(told) == kills * EACH == sum(states(url).values())
    with engine(url).connect() as connection:
        assert {*connection.scalars(sa.select(CASES.c.receipt))} == {*told.values()}
        routed = sa.select(CASE_EVENTS.c.case_id).where(CASE_EVENTS.c.number == 2)
        events = sa.select(sa.func.count()).select_from(CASE_EVENTS)
        assert len({*connection.scalars(routed)}) == kills * EACH
        assert connection.scalar(events) == 2 * kills * EACH, "received and routed, nothing twice"
        assert {*connection.scalars(sa.select(CASES.c.version))} == {2}
    assert not [fault for fault in table_faults(url) if fault.place.startswith("case")]


def died(router: subprocess.Popen[str]) -> bool:
    """Whether it killed itself, given some time; it is dead after this."""
    try:
        router.communicate(timeout=8)
    except subprocess.TimeoutExpired:
        router.kill()
        router.communicate()
        return False
    return router.returncode == DEATH


def read(sender: subprocess.Popen[str]) -> dict[str, str]:
    """The receipts that were told, by the text's number; a line that was cut off is none."""
    out, _ = sender.communicate(timeout=120)
    lines = [line.split() for line in out.splitlines() if len(line.split()) == 3]
    return {number: receipt for number, receipt, case in lines if len(case) == 32}
