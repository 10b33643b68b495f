"""A challenger in its slot leaves when a champion is deployed that is newer than it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import governed
import pytest
from candidates import NAME

from yupana.config.settings import Settings
from yupana.tracking import deployment, slots, versions


def who() -> dict[str, Any]:
    return {"now": governed.now(), "by": "ana"}


@pytest.fixture
def home(tmp_path: Path, own_store: None, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Stage trial, three models registered; copies of made-up ones are none that answer."""
    monkeypatch.setattr(deployment, "_stored", deployment._tag)
    settings = governed.home(tmp_path, governed.stage("trial"))
    for number, wis in enumerate((1.2, 1.1, 1.0), start=1):
        governed.registered(settings, tmp_path / f"candidate-{number}", wis)
    return settings


def champion(settings: Settings, number: int) -> None:
    version = versions.find(settings, f"{NAME}@{number}")
    if "champion" not in version.aliases:
        versions.promote(settings, version, reason="a person's choice", by="ana")
    deployment.deploy(settings, NAME, **who())


def placed(settings: Settings) -> dict[str, str]:
    return {slot: p.tag for slot, p in slots.current(settings.platform_db, NAME).items()}


def beside(settings: Settings, number: int) -> None:
    put = slots.Placed(f"{NAME}:{number}", 0.1)
    slots.place(settings.platform_db, NAME, slots.CHALLENGER, put, **who())


def test_one_that_a_newer_champion_outruns_leaves(home: Settings) -> None:
    champion(home, 1)
    beside(home, 2)
    champion(home, 3)
    assert placed(home) == {"champion": f"{NAME}:3"}


def test_one_that_was_promoted_is_not_beside_itself(home: Settings) -> None:
    champion(home, 1)
    beside(home, 2)
    champion(home, 2)
    assert placed(home) == {"champion": f"{NAME}:2"}


def test_a_newer_one_stays_beside_the_champion_that_was_taken_back(home: Settings) -> None:
    champion(home, 2)
    beside(home, 3)
    champion(home, 1)
    assert placed(home) == {"champion": f"{NAME}:1", "challenger": f"{NAME}:3"}
    assert not deployment.outdated_challenger(home, NAME)
