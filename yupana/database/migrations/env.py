"""Alembic's environment: migrations run on the connection that `yupana.database.schema` holds."""

from __future__ import annotations

from alembic import context

from yupana.database.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    # SQLite changes a column by a copy of its table.
    render_as_batch=True,
)
context.run_migrations()
