"""The tables of webhooks go down and up again, and the ledger says that their rows are gone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from schemas import every_table, server, table_faults, url

from yupana.config.settings import Settings
from yupana.database import schema
from yupana.database.engine import engine
from yupana.webhooks import endpoints, outbox

__all__ = ["server", "url"]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_webhooks_go_down_and_up_again_without_their_rows(url: str, tmp_path: Path) -> None:
    home = Settings(home=tmp_path, platform_url="" if url.startswith("sqlite") else url)
    every_table()
    name, _ = endpoints.add(home, "A", "https://agency.example/", ("*",), NOON)
    outbox.put_test(home, name, NOON)
    database = engine(url)
    schema.downgrade(database, "0006")
    with database.connect() as connection:
        assert not sa.inspect(connection).has_table("webhooks")
    schema.upgrade(database)
    assert table_faults(url) == [], "the ledger says that the rows are gone"
    endpoints.add(home, "A", "https://agency.example/", ("*",), NOON)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE webhooks SET url = 'https://elsewhere.example/'")
    assert [fault.place for fault in table_faults(url)] == ["webhooks"]
