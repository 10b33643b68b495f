"""Who owns the database and appends events that fit his rows still cannot raise a key unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.identity import api_keys
from yupana.identity.api_keys import KEYS, Terms
from yupana.ledger import vouched
from yupana.ledger.check import Audit
from yupana.ledger.entries import write
from yupana.trace import audit

NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Three keys, of which one was rotated and one revoked."""
    settings = Settings(home=tmp_path)
    for agency in ("A", "B", "C"):
        make(settings, agency)
    first, second, _ = keys(settings)
    api_keys.rotate(settings.platform_db, first, grace=timedelta(days=1), now=NOW, by="os:a")
    api_keys.revoke(settings.platform_db, second, now=NOW, by="os:a")
    return settings


def make(settings: Settings, agency: str) -> None:
    terms = Terms(agency, ("outbreak:forecast",))
    api_keys.create(settings.platform_db, terms, now=NOW, by="os:a")


def keys(settings: Settings) -> list[str]:
    """By agency."""
    rows = sorted(api_keys.listing(settings.platform_db), key=lambda key: str(key["agency"]))
    return [str(key["id"]) for key in rows]


def forge(settings: Settings, name: str, change: sa.Executable) -> None:
    """Change a key's row, and append what vouches for it, as the platform's own code would."""
    with engine(settings.platform_db).begin() as connection:
        before = vouched.present(connection, {KEYS: [(name,)]})
        connection.execute(change)
        write(connection, vouched.changes(connection, {KEYS: [(name,)]}, before), NOW)


def verified(settings: Settings, *, incremental: bool) -> Audit:
    return audit.verify(settings, Silent(), incremental=incremental)


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize(
    ("which", "values", "message"),
    [
        (0, {"role": "administrator"}, "`role` is not"),
        (0, {"scopes": ["*:*"]}, "`scopes` is not"),
        (0, {"quota": "none"}, "`quota` is not"),
        (2, {"expires": NOW + timedelta(days=3650)}, "`expires` is not"),
        (1, {"revoked": None}, "it was revoked"),
        (2, {"revoked": NOW}, "no event tells who revoked it"),
    ],
)
def test_a_raised_key_is_named(
    home: Settings, which: int, values: dict[str, object], message: str, incremental: bool
) -> None:
    assert verified(home, incremental=False).ok
    name = keys(home)[which]
    forge(home, name, sa.update(KEYS).where(KEYS.c.id == name).values(**values))
    report = verified(home, incremental=incremental)
    assert [(fault.place, fault.key) for fault in report.faults] == [("keys", name)], report
    assert message in report.faults[0].message


def test_an_added_and_a_removed_key_are_named(home: Settings) -> None:
    first, _, third = keys(home)
    with engine(home.platform_db).connect() as connection:
        row = dict(connection.execute(sa.select(KEYS).where(KEYS.c.id == first)).mappings().one())
    forge(home, "0" * 12, sa.insert(KEYS).values({**row, "id": "0" * 12}))
    forge(home, third, sa.delete(KEYS).where(KEYS.c.id == third))
    named = {(f.what, f.key) for f in verified(home, incremental=False).faults}
    assert named == {("inserted", "0" * 12), ("deleted", third)}


def test_a_baseline_of_later_excuses_no_key(home: Settings) -> None:
    first, *_ = keys(home)
    with engine(home.platform_db).begin() as connection:
        row = dict(connection.execute(sa.select(KEYS).where(KEYS.c.id == first)).mappings().one())
        connection.execute(sa.insert(KEYS).values({**row, "id": "0" * 12}))
        tables = [vouched.TABLES.tables[name] for name in ("activity", "keys_revision", "keys")]
        everything = {
            table: [(row.key,) for row in vouched.stored(connection, table)] for table in tables
        }
        everything[KEYS].append(("0" * 12,))
        (entry,) = vouched.changes(connection, everything)
        write(connection, [vouched.Entry(entry.kind, vouched.BASELINE, entry.facts)], NOW)
    report = verified(home, incremental=False)
    assert "no event tells who made this key" in str(report), report
