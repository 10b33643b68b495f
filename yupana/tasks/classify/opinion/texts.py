"""The texts that a report is of, from the published table or from the cases, masked once more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core import spec as specs
from yupana.core.errors import UsageError
from yupana.tasks.classify.dataset.texts import ENTITY, GROUP, LABEL, TEXT, TIME
from yupana.tasks.classify.opinion.result import Source

if TYPE_CHECKING:
    import polars as pl

DAY = "day"
CASE_GROUPS = ("channel", "area", "language")


@dataclass(frozen=True)
class Texts:
    """Texts of a span.

    Attributes:
        rows: `entity`, `day`, `text` (masked), `label` (null: none), `group` and the columns `by`.
        by: attributes by which themes are told.
    """

    rows: pl.DataFrame
    by: tuple[str, ...]
    first: date
    last: date


def read(
    settings: Settings, use_case: str, source: Source, first: date | None, last: date | None
) -> Texts:
    """The texts from one day to another, both within.

    Args:
        first: None: the day of the first text; `last`: of the last one.

    Raises:
        UsageError: there is none in the span; says which days have texts.
        TerminalError: nothing is published yet.
    """
    import polars as pl

    is_cases = source == "cases"
    rows = (cases if is_cases else published)(settings, use_case)
    by = CASE_GROUPS if is_cases else specs.load(use_case).entity.groups
    days = rows.with_columns(pl.col(TIME).dt.date().alias(DAY))
    within = days.filter(
        pl.col(DAY) >= (first or date.min), pl.col(DAY) <= (last or date.max)
    )
    if within.is_empty():
        raise UsageError(
            "There is no text of that span.",
            where=f"--since {first or '…'} --until {last or '…'}, {source}",
            fix=f"Texts are of {_span(days)}." if len(days) else _FIX[source],
        )
    begin, end = first or within[DAY].min(), last or within[DAY].max()
    assert isinstance(begin, date) and isinstance(end, date)
    columns = within.select(
        ENTITY, DAY, pl.col(TEXT).map_elements(masked, return_dtype=pl.String), LABEL, GROUP,
        *(pl.col(name).fill_null("").replace("", "unknown") for name in by),
    )  # fmt: skip
    return Texts(columns.sort(DAY, ENTITY), by, begin, end)


def _span(days: pl.DataFrame) -> str:
    return "{} to {}".format(*(str(end) for end in (days[DAY].min(), days[DAY].max())))


_FIX: dict[Source, str] = {
    "cases": "No case was received yet; `--source published` reads the published texts.",
    "published": "Publish texts first: yupana ingest.",
}


def masked(text: str) -> str:
    """A text without personal data: what an older detector let through is taken out now."""
    from yupana.privacy.mask import mask

    return mask(text).text


def published(settings: Settings, use_case: str) -> pl.DataFrame:
    """The published texts, each with the label that it would be trained on."""
    import polars as pl

    from yupana.tasks.classify.dataset.texts import texts
    from yupana.tasks.classify.labelling import labels
    from yupana.tasks.classify.labelling.weights import training_labels

    rows = texts(settings, use_case)
    publisher = dict(rows.select(ENTITY, LABEL).iter_rows())
    given = training_labels(labels.of(settings.platform_db, use_case), publisher)
    table = pl.DataFrame(
        [(one.entity, one.label) for one in given if one.entity in publisher],
        schema={ENTITY: pl.String, LABEL: pl.String}, orient="row",
    )  # fmt: skip
    return rows.drop(LABEL).join(table, on=ENTITY, how="left")


def cases(settings: Settings, use_case: str) -> pl.DataFrame:
    """What citizens sent, each with the label that it is handled by.

    A case that is the same as an earlier one is of its group: said twice is not two matters.
    """
    import polars as pl
    import sqlalchemy as sa

    from yupana.database.engine import engine
    from yupana.tasks.classify.cases.store import COLUMNS
    from yupana.tasks.classify.cases.tables import CASES

    query = sa.select(*COLUMNS).where(CASES.c.use_case == use_case)
    with engine(settings.platform_db).connect() as connection:
        found = [
            (
                row["id"], row["received"], row["text"],
                row["label"] if row["label"] and not row["abstention"] else None,
                row["duplicate_of"] or row["id"], row["channel"],
                str((row["place"] or {}).get("area") or ""), row["language"],
            )
            for row in connection.execute(query).mappings()
        ]  # fmt: skip
    texts = dict.fromkeys((ENTITY, TIME, TEXT, LABEL, GROUP, *CASE_GROUPS), pl.String)
    return pl.DataFrame(
        found, schema={**texts, TIME: pl.Datetime("us", "UTC")}, orient="row"
    )
