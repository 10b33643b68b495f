"""Training sets: features point-in-time from Feast, targets from the weeks that followed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.data import delta
from yupana.features import as_known, given, splits, store

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

HORIZONS = 8
COMPLETE = 0.95
"""Share known from which on a week's count may be learned from and scored against."""


@dataclass(frozen=True)
class TrainingSet:
    """What a model learns from, named by the hash of its rows.

    `sources` are the Delta versions that the features were computed from; `as_of` is the day
    whose knowledge it holds, empty for all that is published.
    """

    ref: str
    use_case: str
    feature_service: str
    features: str
    sources: tuple[str, ...]
    as_of: str
    rows: int
    parts: dict[str, int]
    sha256: str


def build(
    settings: Settings, use_case: str, table: str, sources: tuple[str, ...], as_of: date | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """One row a district and origin week, with features, targets and part.

    Args:
        table: reference of the feature table.
        sources: references of the published tables that it was computed from.
        as_of: use only what was known on this day.

    Returns:
        `ubigeo`, `event_timestamp`, features, `target_1`…`target_8` (cases h weeks after the
        origin; NaN where the week is not known yet) and `part` (train, validation, test or
        gap); and the references of the published tables that they rest on.

    Raises:
        TerminalError: too few weeks, or a feature holds what was not known at its origin.
    """
    weekly = usecase.load("feature_repo", f"{use_case}_weekly")
    features = _at(settings, table)
    if as_of is None:
        tables = given.at(settings, weekly, sources)
        entities = features.select("ubigeo", "event_timestamp").to_pandas()
        service = usecase.load("models", use_case).FEATURE_SERVICE
        rows = store.training_frame(settings, service, entities)
    else:
        # Feast's table holds the newest version alone; a past day's knowledge is computed.
        known = as_known.known(settings, weekly, as_of)
        tables, sources = known.tables, known.refs
        rows = weekly.weekly_features(tables).select(features.columns).to_pandas()
    as_known.check(rows, weekly.weekly_features, tables, seed=settings.seed)
    made = splits.by_time(with_targets(rows), "event_timestamp", splits.Weeks(gap=HORIZONS))
    splits.check_disjoint(made, ["ubigeo", "event_timestamp"])
    return made, sources


def with_targets(rows: pd.DataFrame) -> pd.DataFrame:
    """Sorted rows with `target_1`..`target_8`: cases h weeks on, NaN where not in the rows.

    A week that is known in part is no target: what it will hold is itself an estimate.
    """
    ordered = rows.sort_values(["ubigeo", "event_timestamp"], ignore_index=True)
    reported = ordered["cases_lag_0"].where(ordered["completeness"] >= COMPLETE)
    cases = reported.groupby(ordered["ubigeo"])
    return ordered.assign(**{f"target_{h}": cases.shift(-h) for h in range(1, HORIZONS + 1)})


def _at(settings: Settings, ref: str) -> pl.DataFrame:
    zone, name, version = delta.parts(ref)
    return delta.read(settings.table(zone, name), version)


def save(
    settings: Settings,
    use_case: str,
    rows: pd.DataFrame,
    *,
    features: str,
    sources: tuple[str, ...],
    as_of: date | None,
) -> TrainingSet:
    """Write a split once, named by the hash of its bytes, with a file that says what it is."""
    folder = settings.home / "training"
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{use_case}.parquet"
    rows.to_parquet(partial, index=False)
    digest = file_sha256(partial)
    made = TrainingSet(
        ref=f"split:{digest[:16]}",
        use_case=use_case,
        feature_service=usecase.load("models", use_case).FEATURE_SERVICE,
        features=features,
        sources=sources,
        as_of=as_of.isoformat() if as_of else "",
        rows=len(rows),
        parts={str(k): int(v) for k, v in rows["part"].value_counts().items()},
        sha256=digest,
    )
    path = path_of(settings, use_case, made.ref)
    path.with_suffix(".json").write_text(json.dumps(asdict(made), indent=1))
    partial.rename(path)
    return made


def about(settings: Settings, use_case: str, ref: str) -> dict[str, Any]:
    """The `TrainingSet` of a split, as its file says it."""
    path = path_of(settings, use_case, ref).with_suffix(".json")
    return dict(json.loads(path.read_text()))


def knows_through(rows: pd.DataFrame) -> str:
    """ISO date of the last week whose count a model fitted on these rows has seen."""
    learned = rows.loc[rows["part"].isin(["train", "validation"]), "event_timestamp"].max()
    return str((learned + timedelta(weeks=HORIZONS)).date())


def path_of(settings: Settings, use_case: str, ref: str) -> Path:
    """Where a split lies."""
    return settings.home / "training" / f"{use_case}-{ref.removeprefix('split:')}.parquet"


def load(settings: Settings, use_case: str, ref: str) -> pd.DataFrame:
    """The rows of a split.

    Raises:
        UsageError: there is no such split.
    """
    import pandas as pd

    path = path_of(settings, use_case, ref)
    if not path.exists():
        raise UsageError(
            f"There is no split '{ref}' of '{use_case}'.",
            where=str(path),
            fix=f"Run `yupana split {use_case}` and give the reference that it prints.",
        )
    return pd.read_parquet(path)
