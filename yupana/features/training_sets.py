"""Training sets: files named by the hash of their rows, with what they were made from beside."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core import spec
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256

if TYPE_CHECKING:
    import pandas as pd


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
    training_set = TrainingSet(
        ref=f"split:{digest[:16]}",
        use_case=use_case,
        feature_service=spec.load(use_case).features.service,
        features=features,
        sources=sources,
        as_of=as_of.isoformat() if as_of else "",
        rows=len(rows),
        parts={str(k): int(v) for k, v in rows["part"].value_counts().items()},
        sha256=digest,
    )
    path = path_of(settings, use_case, training_set.ref)
    path.with_suffix(".json").write_text(json.dumps(asdict(training_set), indent=1))
    partial.rename(path)
    return training_set


def about(settings: Settings, use_case: str, ref: str) -> TrainingSet:
    """What the file beside a split says of it."""
    path = path_of(settings, use_case, ref).with_suffix(".json")
    facts = json.loads(path.read_text())
    return TrainingSet(**{**facts, "sources": tuple(facts["sources"])})


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
