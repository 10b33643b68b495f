"""Homes after ordinary work in any order: no check raises an alarm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from platform_db import fresh, postgres

from tests import used_home
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.trace import audit

BEFORE, AFTER = range(12), range(12, 16)
"""Turns of work before the first check and after it."""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The server's address; empty for SQLite."""
    with postgres() if request.param == "postgresql" else nullcontext(("", None)) as (url, _):
        yield url


@pytest.mark.parametrize("homes", [range(2), pytest.param(range(50), marks=pytest.mark.long)])
def test_no_clean_home_raises_an_alarm(server: str, homes: range, tmp_path: Path) -> None:
    alarms = {}
    for seed in homes:
        settings = used_home.make(tmp_path / str(seed), fresh(server) if server else "")
        used_home.at_random(settings, seed, BEFORE)
        assert audit.verify(settings, Silent(), incremental=True).ok
        used_home.at_random(settings, 1000 + seed, AFTER)
        for incremental in (True, False):
            report = audit.verify(settings, Silent(), incremental=incremental)
            # Where the shorter check finds something, everything is read: a false alarm, too.
            if not report.ok or incremental != bool(report.scope.since):
                alarms[seed] = str(report)
        engine(settings.platform_db).dispose()
    assert alarms == {}
