"""The published texts of a use case under the kit's own column names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core import spec
from yupana.core.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("entity", "title", "text", "label", "group")


def texts(settings: Settings, use_case: str) -> pl.DataFrame:
    """The texts of the data set that the spec's `data.trigger` names, a row a text.

    Returns:
        Columns `entity` (text id), `title` (empty where there is none), `text` (masked), `label`
        (the publisher's, or null), `group` (what must not be split; else the entity): all str.

    Raises:
        UsageError: the spec names a column that is not published.
        TerminalError: the data set is not published yet.
    """
    import polars as pl

    from yupana.data.lake import delta

    about = spec.load(use_case)
    table = delta.read(settings.table("published", about.data.trigger))
    named = {"entity": about.entity.key, **{
        name: about.options.get(name, "") for name in COLUMNS[1:]
    }}  # fmt: skip
    for name, column in named.items():
        needed = column or name in ("entity", "text")
        if needed and column not in table.columns:
            raise UsageError(
                f"The column '{column}' is not in the published table {about.data.trigger}.",
                where=f"models/{use_case}/usecase.yaml, {about.task}.{name}",
                fix=f"Name one of: {', '.join(table.columns)}.",
            )

    def of(name: str) -> pl.Expr:
        there = named[name]
        return (pl.col(there).cast(pl.String) if there else pl.lit(None, pl.String)).alias(name)

    return table.select(map(of, COLUMNS)).with_columns(
        pl.col("title", "text").fill_null(""), pl.col("group").fill_null(pl.col("entity"))
    ).sort("entity")  # fmt: skip
