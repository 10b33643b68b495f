"""What was answered against the model's test window: in all, by period and by group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import disclosure
from yupana.core.errors import TerminalError, UsageError
from yupana.monitoring import answers, report, slices
from yupana.monitoring.answers import ENTITY, MODEL, PERIOD, TIMES, Measures
from yupana.monitoring.check import Check
from yupana.monitoring.report import Comparison
from yupana.monitoring.slices import FEWEST, SliceDrift

if TYPE_CHECKING:
    import polars as pl

    from yupana.monitoring.kind import Comparable, Groups

RUNBOOK = "docs/monitoring.md#drift"


@dataclass(frozen=True)
class Request:
    """What is compared.

    Attributes:
        reference: parquet of the test window, one row an entity and period, with `columns` and
            the measures.
        key: column of the reference that names the entity.
        columns: the features to compare. A feature that is equal for all entities of a period
            counts as drifted whenever the answers come from few periods: leave it out, or read
            it so.
        measures: what of the answers is compared as well.
        groups: of the reference, with the entities' column called `ENTITY`.
        last: day that ends the newest period; answers from later data are not seen.
        weeks: of answers that are compared, up to `last`.
        page: where Evidently's page goes.
        batch, comparable, recurring: see `kind.Observation`.
    """

    reference: Path
    key: str
    columns: list[str]
    measures: Measures
    groups: Callable[[pl.DataFrame], Groups]
    last: date
    weeks: int
    page: Path
    batch: pl.DataFrame | None = None
    comparable: Comparable | None = None
    recurring: bool = True


@dataclass(frozen=True)
class AnswerDrift:
    """What was answered beside the model's test window.

    Attributes:
        rows_reference: test rows of the entities that were asked for, those that compare.
        rows_current: distinct answers.
        answers: how often they were given.
        models: versions that answered.
        columns: names.
        whole: all answers compared; None where there are fewer than `FEWEST`.
        slices: by period and by group, counts under five hidden; none without `whole`.
    """

    rows_reference: int
    rows_current: int
    answers: int
    models: list[str]
    columns: list[str]
    whole: Comparison | None = None
    slices: tuple[SliceDrift, ...] = ()

    def facts(self) -> dict[str, Any]:
        """In short, for the log of steps."""
        facts: dict[str, Any] = {
            "rows_reference": self.rows_reference, "rows_current": self.rows_current,
            "answers": self.answers, "models": self.models, "columns": self.columns,
            "enough": self.whole is not None,
        }  # fmt: skip
        if (whole := self.whole) is None:
            return facts
        return facts | {
            "compared": whole.compared, "drifted": whole.drifted, "empty": whole.empty,
            "share_drifted": whole.share, "threshold": whole.threshold, "scores": whole.scores,
            "how": whole.how, "error": whole.error, "exact": whole.exact,
        }  # fmt: skip

    def document(self) -> dict[str, Any]:
        """As reports hold it."""
        if self.whole is None:
            return self.facts()
        slices_of = [one.document() for one in self.slices]
        return self.facts() | {"evidently": self.whole.evidently, "slices": slices_of}


def compare(
    settings: Settings, use_case: str, request: Request, say: Callable[[str], None]
) -> AnswerDrift:
    """Compare the answers of the window, which `yupana export-predictions` puts into the lake, and
    what was predicted in batch and nobody asked for.

    Raises:
        UsageError: there is no reference file.
        TerminalError: the reference lacks a column, or no column can be compared.
    """
    measures = request.measures
    columns = [*request.columns, *measures.names]
    reference = _reference(request, columns)
    numbers = [c for c in columns if reference.schema[c].is_numeric()]
    texts = [c for c in columns if c not in numbers]
    features = [c for c in numbers if c not in measures.names]
    every = answers.distinct(settings, use_case, features, texts, measures, request.last)
    every = _with_batch(every, request)
    now = every.filter(every[PERIOD] > request.last - timedelta(weeks=request.weeks))
    if request.recurring:
        # A few entities against all would differ for ever, and no training would mend it.
        reference = reference.filter(reference[ENTITY].is_in(now[ENTITY].unique().implode()))
    if request.comparable:
        reference = request.comparable(reference, now)
    counted = AnswerDrift(
        len(reference), len(now), int(now[TIMES].sum()), sorted(now[MODEL].unique().to_list()),
        columns,
    )  # fmt: skip
    if min(len(now), len(reference)) < FEWEST:
        say(f"{len(now)} distinct answers were given; a comparison needs {FEWEST}")
        return counted
    say(f"comparing {len(now):,} answers that were given with {len(reference):,} test rows")
    whole = report.compare(
        reference.select(columns).to_arrow(), now.select(columns).to_arrow(), numbers, texts,
        request.page,
    )  # fmt: skip
    say(f"{len(whole.drifted)} of {len(whole.compared)} columns drifted")
    parts = slices.periods(every, request.last, request.weeks)
    parts += slices.of_groups(reference, now, request.groups(reference))
    by_slice = _without_small_cells(slices.drift(parts, numbers, texts))
    return replace(counted, whole=whole, slices=tuple(by_slice))


def _with_batch(every: pl.DataFrame, request: Request) -> pl.DataFrame:
    import polars as pl

    if request.batch is None:
        return every
    unasked = request.batch.filter(pl.col(PERIOD) <= request.last).join(
        every, on=[ENTITY, PERIOD, MODEL], how="anti"
    )
    return pl.concat([every, unasked.select(every.columns)], how="vertical_relaxed")


def checks(drift: AnswerDrift | None, period: date, threshold: float) -> list[Check]:
    """The share of drifted columns, each column's own score, and each period and group.

    Args:
        drift: what `compare` gave; None when nothing was compared.
        threshold: share of drifted columns from which on it is an alarm.
    """
    if not drift or not drift.whole:
        rows = drift.rows_current if drift else 0
        return [
            Check(
                "drift", "", "", period, None, threshold, "unknown", "info",
                f"Se dieron {rows} respuestas distintas; para comparar hacen falta {FEWEST}.",
                f"{rows} distinct answers were given; a comparison needs {FEWEST}.", RUNBOOK,
            )
        ]  # fmt: skip
    columns = [_column(drift.whole, column, period) for column in drift.whole.compared]
    parts = [_part(one, period, threshold) for one in drift.slices]
    return [_whole(drift.whole, period, threshold), *columns, *parts]


def _whole(whole: Comparison, period: date, threshold: float) -> Check:
    share, off, of = whole.share, len(whole.drifted), len(whole.compared)
    far = share >= threshold
    return Check(
        "drift", "", "", period, share, threshold, "alarm" if far else "ok", "warning",
        f"{off} de {of} columnas de lo respondido difieren de los datos de prueba del modelo.",
        f"{off} of {of} columns of what was answered differ from the model's test data.",
        RUNBOOK, "drift" if far else "",
    )  # fmt: skip


def _column(whole: Comparison, column: str, period: date) -> Check:
    off, score = column in whole.drifted, whole.scores[column]
    text = "–" if score is None else f"{score:.3g}"
    return Check(
        "drift_column", column, "", period, score, whole.threshold,
        "alarm" if off else "ok", "info",
        f"{column}: {'cambió' if off else 'como en la prueba'} ({text}).",
        f"{column}: {'has drifted' if off else 'as in the test data'} ({text}).",
        RUNBOOK, "drift" if off else "",
    )  # fmt: skip


def _part(one: SliceDrift, period: date, threshold: float) -> Check:
    name, of = f"drift_{one.by}", one.of
    if not one.columns:
        return Check(
            name, "", of, period, None, threshold, "unknown", "info",
            f"{of}: muy pocas respuestas para comparar.", f"{of}: too few answers to compare.",
            RUNBOOK,
        )  # fmt: skip
    share, off = one.columns.share_drifted, len(one.columns.drifted)
    far = share >= threshold
    return Check(
        name, "", of, period, share, threshold, "alarm" if far else "ok", "info",
        f"{of}: {off} columnas difieren.", f"{of}: {off} columns differ.", RUNBOOK,
        "drift" if far else "",
    )  # fmt: skip


def _without_small_cells(every: list[SliceDrift]) -> list[SliceDrift]:
    """The slices with small counts of answers hidden."""
    slices = []
    for by in dict.fromkeys(one.by for one in every):
        mine = [one for one in every if one.by == by]
        reference = disclosure.hide([one.rows_reference or 0 for one in mine])
        current = disclosure.hide([one.rows_current or 0 for one in mine])
        for one, before, now in zip(mine, reference, current, strict=True):
            slices.append(replace(one, rows_reference=before, rows_current=now))
    return slices


def _reference(request: Request, columns: list[str]) -> pl.DataFrame:
    import polars as pl

    path = request.reference
    if not path.is_file():
        raise UsageError(
            "The model's test window is not there.",
            where=str(path),
            fix="Train the model again: evaluation writes reference.parquet.",
        )
    frame = pl.read_parquet(path)
    if missing := [c for c in (request.key, *columns) if c not in frame.columns]:
        raise TerminalError(
            f"The model's test window lacks the columns {', '.join(missing)}.",
            where=str(path),
            fix="Train the model again with the features that it serves.",
        )
    texts = [c for c in columns if not frame.schema[c].is_numeric()]
    return frame.rename({request.key: ENTITY}).with_columns(
        pl.col([ENTITY, *texts]).cast(pl.String)
    )
