"""An alias in MLflow's own table, without the seconds that a registered model takes."""

from __future__ import annotations

import sqlalchemy as sa
from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModelAlias

from yupana.config.settings import Settings


def crown(settings: Settings, use_case: str, version: int) -> None:
    """Make a version the champion, as MLflow writes it."""
    table = SqlRegisteredModelAlias.__table__
    (settings.home / "mlflow").mkdir(parents=True, exist_ok=True)
    row = {"workspace": "default", "name": use_case, "alias": "champion", "version": version}
    with sa.create_engine(settings.mlflow, poolclass=sa.NullPool).begin() as connection:
        table.create(connection, checkfirst=True)
        connection.execute(sa.delete(table).where(table.c.name == use_case))
        connection.execute(sa.insert(table).values(row))
