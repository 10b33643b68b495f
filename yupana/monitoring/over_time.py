"""Rows and measures of a table by period, at the finest step whose counts may be shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from yupana.core import disclosure
from yupana.data.contracts.contract import Contract
from yupana.data.lake.history import Publication
from yupana.validation import periods

if TYPE_CHECKING:
    import polars as pl

STEPS = {"1w": "semana", "1mo": "mes", "1q": "trimestre", "1y": "año"}
_ENGLISH = {"1w": "week", "1mo": "month", "1q": "quarter", "1y": "year"}
_MEASURES = 6


@dataclass(frozen=True)
class Measure:
    """A column by period: `what` is sum or mean; values None where they may not be shown."""

    name: str
    unit: str
    what: str
    values: list[float | None] = field(default_factory=list)


@dataclass(frozen=True)
class TimeSeries:
    """Rows and measures of a table by period.

    Attributes:
        columns: that tell the period.
        step: week, month, quarter or year; `step_es` in Spanish.
        starts: first days.
        rows: by period; None: under 5.
        incomplete_from: first day that the publisher's delay leaves unfinished.
    """

    columns: list[str]
    step: str
    step_es: str
    starts: list[date]
    rows: list[int | None]
    measures: list[Measure]
    incomplete_from: date | None

    def document(self) -> dict[str, Any]:
        """As reports hold it."""
        late = self.incomplete_from
        return {
            "columns": self.columns, "step": self.step, "step_es": self.step_es,
            "from": [str(day) for day in self.starts], "rows": self.rows,
            "measures": [asdict(measure) for measure in self.measures],
            "incomplete_from": late and str(late),
        }  # fmt: skip


def table(
    contract: Contract, publication: Publication, rows: pl.DataFrame
) -> TimeSeries | None:
    """Rows by period, and the sum of counts or the mean of other measures; None when the table
    has no time axis."""
    import polars as pl

    names = periods.columns(contract)
    if not names or not set(names) <= set(rows.columns):
        return None
    dated = rows.with_columns(periods.of_rows(rows, names).alias("_period"))
    dated = dated.drop_nulls("_period")
    if dated.is_empty():
        return None
    step = _step(dated)
    starts = _starts(dated["_period"], step)
    measures = _measures(contract, names, dated)
    aggregated = dated.group_by(starts.alias("_start")).agg(
        pl.len().alias("_rows"), *(_of(m).alias(m.name) for m in measures)
    )
    calendar = _calendar(aggregated["_start"].min(), aggregated["_start"].max(), step)
    by_period = calendar.join(aggregated, on="_start", how="left").sort("_start")
    row_counts = disclosure.hide(by_period["_rows"].fill_null(0).to_list())
    return TimeSeries(
        columns=list(names),
        step=_ENGLISH[step],
        step_es=STEPS[step],
        starts=by_period["_start"].to_list(),
        rows=row_counts,
        measures=[
            replace(m, values=_public_values(m, by_period[m.name].to_list(), row_counts))
            for m in measures
        ],
        incomplete_from=_incomplete(contract, publication),
    )


def charts(series: TimeSeries) -> list[dict[str, str]]:
    """The charts of `table`: rows first, then each measure."""
    from yupana.core import charts as draw

    days, late = series.starts, series.incomplete_from
    every = f"por {series.step_es} / by {series.step}"
    title = f"Filas {every}"
    figures = [{"title": title, "svg": draw.lines(days, {"": series.rows}, "", title, late)}]
    for m in series.measures:
        how = "suma / sum" if m.what == "sum" else "promedio / mean"
        title = f"{m.name} ({m.unit}), {how} {every}"
        figures.append(
            {"title": title, "svg": draw.lines(days, {"": m.values}, m.unit, title, late)}
        )
    return figures


def _step(dated: pl.DataFrame) -> str:
    for step in STEPS:
        sizes = _starts(dated["_period"], step).value_counts()["count"]
        typical = sizes.median()
        if isinstance(typical, float | int) and typical >= disclosure.FEWEST:
            return step
    return "1y"


def _starts(days: pl.Series, step: str) -> pl.Series:
    """First day of each day's period; weeks start on Sunday, as PAHO's do."""
    one = timedelta(days=1)
    return (days + one).dt.truncate("1w") - one if step == "1w" else days.dt.truncate(step)


def _calendar(first: Any, last: Any, step: str) -> pl.DataFrame:
    """All periods, so that one without rows stands as a gap."""
    import polars as pl

    return pl.DataFrame({"_start": pl.date_range(first, last, interval=step, eager=True)})


def _measures(contract: Contract, time: tuple[str, ...], dated: pl.DataFrame) -> list[Measure]:
    """Columns with a unit that vary: counts are added up, other quantities averaged."""
    measures = []
    for c in contract.table_columns:
        usable = c.unit and c.type in ("integer", "number") and c.name in dated.columns
        if usable and c.name not in (*time, *contract.key) and dated[c.name].n_unique() > 1:
            what = "sum" if c.type == "integer" else "mean"
            measures.append(Measure(c.name, str(c.unit), what))
    return measures[:_MEASURES]


def _of(measure: Measure) -> pl.Expr:
    import polars as pl

    column = pl.col(measure.name)
    return column.sum() if measure.what == "sum" else column.mean().round_sig_figs(6)


def _public_values(
    measure: Measure, values: list[Any], rows: list[int | None]
) -> list[float | None]:
    """Values of periods whose rows may be shown; a sum of people or cases is a count as well, which
    must not follow from the others and the column's total."""
    if measure.what == "sum" and all(v is None or v >= 0 for v in values):
        values = disclosure.hide([v or 0 for v in values])
    return [v if n else None for v, n in zip(values, rows, strict=True)]


def _incomplete(contract: Contract, publication: Publication) -> date | None:
    if contract.latency_days is None:
        return None
    return publication.known_on - timedelta(days=contract.latency_days)
