"""A day that lies ahead is refused before anything is done, whichever command is asked."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import small_lake
from command import yupana
from typer.main import get_group

from yupana.cli.main import app
from yupana.core.days import must_have_begun
from yupana.core.errors import UsageError
from yupana.core.progress import Silent
from yupana.orchestration.ingest import ingest

TODAY = date(2024, 2, 28)


@pytest.mark.parametrize("day", [None, date(1999, 1, 1), TODAY, date(2024, 2, 29)])
def test_a_day_that_has_begun_somewhere(day: date | None) -> None:
    must_have_begun(day, TODAY)


@pytest.mark.parametrize("day", [date(2024, 3, 1), date(2062, 2, 28)])
def test_an_ingest_of_a_day_ahead_lands_nothing(tmp_path: Path, day: date) -> None:
    lake = small_lake.make(tmp_path)
    with pytest.raises(UsageError, match=f"{day} is in the future"):
        ingest(lake, small_lake.NAME, "x.csv", Silent(), as_of=day, today=TODAY)
    assert not lake.home.exists() or not list(lake.home.iterdir())


def test_every_command_with_a_day_refuses_one_ahead(tmp_path: Path) -> None:
    lake = small_lake.make(tmp_path)
    commands = {n: c for n, c in get_group(app).commands.items() if _dated(c)}
    assert {"ingest", "history", "quality", "profile", "features", "predict"} <= set(commands)
    for name in commands:
        subject = "outbreak" if name not in ("ingest", "history") else small_lake.NAME
        words = [subject, "160101"] if name == "ask" else [subject]
        result = yupana(lake, name, *words, "--as-of", "2999-01-01")
        assert result.code == 2 and "2999-01-01 is in the future" in result.stderr, name


def _dated(command: object) -> bool:
    return any("--as-of" in p.opts for p in getattr(command, "params", []))
