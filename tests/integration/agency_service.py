"""A real service with a small model, and a client of an agency that may ask for anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import small_service
from small_service import NAME

from yupana.config.settings import Settings
from yupana.identity import api_keys
from yupana.identity.api_keys import Terms
from yupana.orchestration import service


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, str]]:
    config = Settings(home=tmp_path_factory.mktemp("small") / "home", serve_port=0)
    small_service.run(config)
    with service.running(config, NAME) as url:
        yield config, url


@pytest.fixture
def client(running: tuple[Settings, str]) -> Iterator[httpx.Client]:
    """Of the agency A, which may ask for anything of any use case."""
    config, url = running
    terms = Terms("A", ("*:*",), "agency", quota="none", rate="none")
    key = api_keys.create(config.platform_db, terms, now=datetime.now(UTC), by="test")
    with httpx.Client(
        base_url=url, timeout=60, headers={"Authorization": f"Bearer {key}"}
    ) as opened:
        yield opened
