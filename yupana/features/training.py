"""Training sets: features point-in-time from Feast, targets from the weeks that followed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.data import delta
from yupana.features import splits, store

if TYPE_CHECKING:
    import pandas as pd

HORIZONS = 8


def build(settings: Settings, table: str, service: str) -> pd.DataFrame:
    """One row a district and origin week, with features, targets and part.

    Returns:
        `ubigeo`, `event_timestamp`, features, `target_1`…`target_8` (cases h weeks after the
        origin; NaN where the week is not known yet) and `part`: train, validation, test or gap.
    """
    frame = delta.read(settings.table("features", table))
    entities = frame.select("ubigeo", "event_timestamp").to_pandas()
    rows = store.training_frame(settings, service, entities)
    for horizon in range(1, HORIZONS + 1):
        rows[f"target_{horizon}"] = rows.groupby("ubigeo")["cases_lag_0"].shift(-horizon)
    made = splits.by_time(rows, "event_timestamp", splits.Weeks(gap=HORIZONS))
    splits.check_disjoint(made, ["ubigeo", "event_timestamp"])
    return made


def save(settings: Settings, use_case: str, rows: pd.DataFrame) -> tuple[str, Path]:
    """Write a split once, named by the hash of its bytes. Returns (reference, path)."""
    folder = settings.home / "training"
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{use_case}.parquet"
    rows.to_parquet(partial, index=False)
    digest = file_sha256(partial)
    partial.rename(path_of(settings, use_case, f"split:{digest[:16]}"))
    return f"split:{digest[:16]}", path_of(settings, use_case, f"split:{digest[:16]}")


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
