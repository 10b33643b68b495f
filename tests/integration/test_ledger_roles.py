"""PostgreSQL's own guards of the ledger: a role that appends alone, triggers, a server away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from platform_db import Control, fresh, postgres

from yupana.config.settings import Settings
from yupana.core.errors import TransientError, UsageError
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.identity import api_keys
from yupana.identity.api_keys import Terms
from yupana.ledger import writer
from yupana.ledger.entries import Entry
from yupana.ledger.restrict import restrict
from yupana.lineage import events
from yupana.trace import audit


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Control]]:
    with postgres() as database:
        yield database


def test_a_database_that_is_away_records_nothing(
    server: tuple[str, Control], tmp_path: Path
) -> None:
    control = server[1]
    settings = Settings(home=tmp_path, platform_url=fresh(server[0]))
    events.append(settings, "ingest", "before", status="done")
    control("stop")
    try:
        with pytest.raises(TransientError, match="ledger cannot be reached"):
            events.append(settings, "ingest", "away", status="done")
    finally:
        control("start")
    events.append(settings, "ingest", "after", status="done")
    assert [e["subject"] for e in events.read(settings.events)] == ["before", "after"]


def test_the_platforms_role_can_append_and_read_alone(
    server: tuple[str, Control], tmp_path: Path
) -> None:
    owner = fresh(server[0])
    with sa.create_engine(owner).begin() as connection:
        connection.exec_driver_sql("CREATE ROLE yupana_app LOGIN")
    rights = restrict(owner, "yupana_app")
    assert rights == restrict(owner, "yupana_app"), "again changes nothing"
    settings = Settings(home=tmp_path, platform_url=owner.replace("yupana@", "yupana_app@"))
    url = settings.platform_db
    for n in range(2):
        events.append(settings, "ingest", f"set{n}", status="done")
    api_keys.create(url, Terms("X", ("outbreak:forecast",)), now=datetime.now(UTC), by="ana")
    for statement in (
        "UPDATE ledger SET kind = 'x'", "DELETE FROM ledger", "TRUNCATE ledger",
        "DROP TABLE ledger", "DROP TRIGGER ledger_no_change ON ledger",
        "ALTER TABLE ledger DISABLE TRIGGER ALL", "DROP FUNCTION ledger_refuse() CASCADE",
        "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN OLD; END $$",
        "CREATE TRIGGER a BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
        "INSERT INTO ledger SELECT * FROM ledger ON CONFLICT (seq) DO UPDATE SET kind = 'x'",
        "ALTER TABLE ledger OWNER TO yupana_app", "SET session_replication_role = replica",
        "SELECT * FROM ledger FOR UPDATE",
    ):  # fmt: skip
        refused = pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner")
        with refused, engine(url).begin() as connection:
            connection.exec_driver_sql(statement)
    report = audit.verify(settings, Silent())
    assert report.ok and report.checked == 6, report


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger SET kind = 'x'", "DELETE FROM ledger", "TRUNCATE ledger"]
)
@pytest.mark.parametrize("as_replica", [False, True])
def test_even_the_owner_is_refused_by_the_triggers(
    server: tuple[str, Control], tmp_path: Path, statement: str, as_replica: bool
) -> None:
    settings = Settings(home=tmp_path, platform_url=fresh(server[0]))
    writer.append(settings, [Entry("access", "x")])
    refused = pytest.raises(sa.exc.DBAPIError, match="append-only")
    with refused, engine(settings.platform_db).begin() as connection:
        if as_replica:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("role", ["yupana", "nobody_there", 'x"; DROP TABLE ledger; --'])
def test_a_role_that_cannot_be_bound_is_refused(server: tuple[str, Control], role: str) -> None:
    with pytest.raises(UsageError, match="no role that can be bound"):
        restrict(server[0], role)


def test_sqlite_has_no_roles(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SQLite has no roles"):
        restrict(Settings(home=tmp_path).platform_db, "yupana_app")
