"""The texts that a use case learns from, as they are published: masked at staging, never before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core import spec as specs
from yupana.core.errors import TerminalError, UsageError
from yupana.core.spec import Spec
from yupana.data.lake import delta
from yupana.tasks.classify import options

if TYPE_CHECKING:
    import polars as pl

ENTITY, TIME, TITLE, TEXT, LABEL, GROUP = (
    "entity", "event_timestamp", "title", "text", "label", "group",
)  # fmt: skip


def texts(settings: Settings, use_case: str) -> pl.DataFrame:
    """The published texts of a use case, as `of_table` gives them.

    Raises:
        TerminalError: nothing is published yet.
        UsageError: a column that the spec names is absent.
    """
    about = specs.load(use_case)
    name = about.data.trigger
    path = settings.table("published", name)
    if not delta.exists(path):
        raise TerminalError(
            f"Nothing of '{name}' is published yet.",
            where=f"published/{name}",
            fix=f"Publish it first: yupana ingest {name}, with --source FILE where the contract "
            "names no source.",
        )
    return of_table(delta.read(path), about)


def of_table(table: pl.DataFrame, about: Spec) -> pl.DataFrame:
    """Texts from rows with the columns that the spec names.

    Returns:
        `entity` (the spec's key as text), `event_timestamp` (UTC), `title` and `text` (without
        surrounding space; empty where there are none), `label` (null where nobody gave one),
        `group` (as text) and the spec's groups, in the order of time and key. Rows without any
        text are left out.

    Raises:
        UsageError: a column is absent; names it and those that there are.
    """
    import polars as pl

    section = options.of(about)
    key, groups = about.entity.key, about.entity.groups
    named = [key, section.text, section.label, section.group, section.time, *groups]
    named += [section.title] if section.title else []
    if absent := [column for column in named if column not in table.columns]:
        raise UsageError(
            f"The texts have no column '{absent[0]}'.",
            where=f"published/{about.data.trigger}: {', '.join(table.columns)}",
            fix=f"Name one of these in models/{about.name}/usecase.yaml, {about.task}.",
        )
    title = pl.col(section.title) if section.title else pl.lit("")
    rows = table.select(
        pl.col(key).cast(pl.String).alias(ENTITY),
        pl.col(section.time).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias(TIME),
        title.fill_null("").str.strip_chars().alias(TITLE),
        pl.col(section.text).fill_null("").str.strip_chars().alias(TEXT),
        pl.col(section.label).alias(LABEL),
        pl.col(section.group).cast(pl.String).alias(GROUP),
        *(pl.col(group).cast(pl.String) for group in groups),
    )
    return rows.filter(pl.col(TEXT).str.len_chars() > 0).sort(TIME, ENTITY)
