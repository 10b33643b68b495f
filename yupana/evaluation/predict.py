"""The weekly forecast of all districts, kept as a Delta table that agencies and monitors read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.errors import TerminalError
from yupana.core.forecast import QUANTILES
from yupana.core.hashing import value_sha256
from yupana.data import delta
from yupana.features import as_known
from yupana.tracking import registry, trained

if TYPE_CHECKING:
    import pandas as pd


def predict(settings: Settings, use_case: str, day: date, *, past: bool) -> dict[str, Any]:
    """Forecast every district from what was known on a day, 1 to 8 weeks past its last week.

    Args:
        day: weeks that ended later are not seen.
        past: use the newest model that had seen nothing later than `day`, not the champion:
            what would have been predicted then.

    Returns:
        `forecast` (reference of the table's version), `model`, `sources` (references),
        `data_as_of` (ISO date), `districts`, `hindsight`, `stale_weeks`.

    Raises:
        TerminalError: nothing is published, or there is no champion.
        UsageError: no model is old enough.
    """
    weekly = usecase.load("feature_repo", f"{use_case}_weekly")
    room = usecase.load("models", use_case)
    if past:
        version, folder = trained.by(settings, use_case, day)
    else:
        version, folder = registry.champion(settings, use_case)
    known = as_known.tables(settings, tuple(weekly.SOURCES), day)
    features = weekly.weekly_features(known.tables).to_pandas()
    newest = features["event_timestamp"].max()
    rows = features[features["event_timestamp"] == newest].sort_values("ubigeo", ignore_index=True)
    model = f"model:{use_case}@{version}"
    table = _table(room.load(folder), rows, model, newest.date())
    return {
        "forecast": _write(settings, use_case, table, (model, *known.refs)),
        "model": model,
        "sources": known.refs,
        "data_as_of": newest.date().isoformat(),
        "districts": len(rows),
        "hindsight": known.hindsight,
        "stale_weeks": max(0, (day - newest.date()).days // 7),
    }


def _table(forecaster: Any, rows: pd.DataFrame, model: str, origin: date) -> pd.DataFrame:
    """One row a district and week ahead: identifier, quantiles, and whether it is pooled."""
    import pandas as pd

    counts = forecaster.quantiles(rows, QUANTILES)
    columns = [f"q{level:g}" for level in QUANTILES]
    made = []
    for i, ubigeo in enumerate(rows["ubigeo"]):
        frame = pd.DataFrame(counts[i], columns=columns)
        frame.insert(0, "horizon", [int(h) for h in forecaster.horizons])
        frame.insert(0, "origin", origin)
        frame.insert(0, "ubigeo", str(ubigeo))
        frame.insert(0, "model", model)
        identity = value_sha256([model, str(ubigeo), origin.isoformat()])[:32]
        frame.insert(0, "prediction_id", identity)
        frame["pooled"] = not forecaster.knows(str(ubigeo))
        made.append(frame)
    if not made:
        raise TerminalError(
            "There is no district to forecast.",
            where="features",
            fix="Publish the line list first.",
        )
    return pd.concat(made, ignore_index=True)


def _write(settings: Settings, use_case: str, table: pd.DataFrame, inputs: tuple[str, ...]) -> str:
    """Put an origin's rows of a model in place of earlier ones: a re-run changes nothing."""
    import pyarrow as pa
    from deltalake import CommitProperties, write_deltalake

    path = settings.table("forecasts", use_case)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = CommitProperties(custom_metadata={"userMetadata": delta.commit_metadata(inputs=inputs)})
    first = table.iloc[0]
    same = f"origin = DATE '{first['origin']}' AND model = '{first['model']}'"
    write_deltalake(
        str(path),
        pa.Table.from_pandas(table, preserve_index=False),
        mode="overwrite",
        predicate=same if delta.exists(path) else None,
        commit_properties=facts,
    )
    return delta.ref(settings.lake, "forecasts", use_case).ref
