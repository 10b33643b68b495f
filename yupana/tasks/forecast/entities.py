"""What tables call that which a forecast is about.

The kit's own tables have the column `ENTITY`, whatever the use case is. What it keeps in the lake,
in a training set or beside a model, what it answers and what it reports bears the key of the use
case's spec, as people and other programs know it. The two functions here are the border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    Frame = TypeVar("Frame", pd.DataFrame, pl.DataFrame)

ENTITY = "entity"


def inward(table: Frame, key: str) -> Frame:
    """A table that was read, its entities in `ENTITY`.

    Args:
        key: the spec's `entity.key`.

    Raises:
        KeyError, polars.exceptions.ColumnNotFoundError: the table has neither column.
    """
    return _renamed(table, key, ENTITY)


def outward(table: Frame, key: str) -> Frame:
    """A table of the kit to be kept or reported, its entities under the use case's key.

    Where the table has another column of that name, its entities stay in `ENTITY`.
    """
    return _renamed(table, ENTITY, key)


def _renamed(table: Frame, old: str, new: str) -> Frame:
    import pandas as pd

    if new in table.columns:
        return table
    if isinstance(table, pd.DataFrame):
        return table.rename(columns={old: new}, errors="raise")
    return table.rename({old: new})
