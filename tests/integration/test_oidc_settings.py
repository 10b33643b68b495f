"""Tokens and the settings of a service: an issuer or none, limits of a subject."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from door import Door, ask
from local_issuer import LocalIssuer, local_issuer

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.identity import oidc


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with local_issuer() as running:
        yield running


def test_a_subject_has_limits_of_its_own(issuer: LocalIssuer, tmp_path: Path) -> None:
    given = Settings(home=tmp_path, oidc_issuer=issuer.url, oidc_rate="none", oidc_quota="2/day")
    door = Door(given.platform_db, oidc.configured(given))
    assert [ask(door, issuer.token()).status for _ in range(3)] == [200, 200, 429]
    assert ask(door, issuer.token(sub="luis")).status == 200
    door.close()


def test_tokens_are_refused_where_no_issuer_is_set(issuer: LocalIssuer, tmp_path: Path) -> None:
    given = Settings(home=tmp_path)
    door = Door(given.platform_db, oidc.configured(given))
    assert ask(door, issuer.token()).status == 401 and issuer.asked == []
    door.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc_issuer": "http://sso.example"},
        {"oidc_issuer": "ftp://127.0.0.1"},
        {"oidc_issuer": "https://sso.example", "oidc_audience": ""},
        {"oidc_issuer": "https://sso.example", "oidc_rate": "many"},
    ],
)
def test_a_setting_that_would_open_a_hole_stops_the_start(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    with pytest.raises(UsageError):
        oidc.configured(Settings(home=tmp_path, **wrong))
