"""Train a registered model again from what its run recorded, and say whether it is the same.

On the machine (and environment) of the first fit the weights and forecasts must be equal, byte
for byte. On another, sums are rounded in another order and training follows another path: there
the forecasts of the test rows must agree within `TOLERANCE`.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.hashing import file_sha256
from yupana.features import training_sets
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.dataset import training_set
from yupana.tasks.forecast.model import store
from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tasks.forecast.scoring import intervals
from yupana.tracking import facts
from yupana.tracking.versions import Version, check_whole

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from yupana.tasks.forecast.usecases import ForecastUseCase

    Array = np.ndarray[Any, np.dtype[np.float64]]

TOLERANCE = 1e-3
"""Largest sum of absolute differences between quantiles, as a share of the sum of quantiles.

Not quantile by quantile: a count that stands at a boundary steps from 3 to 4 by the last bit of a
weight. Measured with the vector instructions of three generations of processors, quantiles were
equal though weights were not; another seed is 0.05 to 0.07 away."""


def reproduce(settings: Settings, version: Version, say: Callable[[str], None]) -> dict[str, Any]:
    """Fit a version's split again with its seed, in a temporary folder, and compare.

    Returns:
        `reproduced`, `how` (identical, within_tolerance or different), `weights` (file → then,
        now), `forecasts` (hashes, `difference` as in `TOLERANCE`, `largest` in cases),
        `differs` (what else is not as it was: name → then, now), `same_machine`, `seconds`.

    Raises:
        TerminalError: the run recorded no data, or its files are not those of its fit.
        UsageError: the version was deleted.
    """
    check_whole(version)
    record = facts.read(version.folder)
    if not record:
        raise TerminalError(
            f"The run of {version.ref} did not record what it was made from.",
            where=str(version.folder / facts.NAME),
            fix=f"Train a version that does: yupana train {version.name}",
        )
    start = time.monotonic()
    definition = usecases.load(version.name)
    rows, sha256 = _rows(settings, version.name, record["data"], say)
    test = rows[rows["part"] == "test"].reset_index(drop=True)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix="reproduce-") as scratch:
        again = Path(scratch)
        options = {k: type(v)(version.params[k]) for k, v in definition.tunable.items()}
        definition.fit(rows, again, seed=int(version.params["seed"]), say=say, options=options)
        # Before models were fitted again for good, the fit that was scored answered.
        refitted = store.evaluated(version.folder) != version.folder
        weights = facts.files(again if refitted else store.evaluated(again))
        now = _forecasts(definition, again, test, refitted)
    then = _forecasts(definition, version.folder, test, refitted)
    differs = _differs(settings, record, sha256)
    forecasts = _compared(version.folder, then, now)
    identical = record["files"] == weights and forecasts["then"] == forecasts["now"]
    same_machine = not any(k.startswith(("hardware.", "environment.")) for k in differs)
    near = not same_machine and forecasts["difference"] <= TOLERANCE
    return {
        "model": version.ref,
        "reproduced": identical or near,
        "how": "identical" if identical else "within_tolerance" if near else "different",
        "weights": {
            f: {"then": record["files"].get(f), "now": weights.get(f)}
            for f in sorted(record["files"] | weights)
        },
        "forecasts": {**forecasts, "rows": len(test), "tolerance": TOLERANCE},
        "differs": differs,
        "same_machine": same_machine,
        "seconds": round(time.monotonic() - start, 2),
    }


def _rows(
    settings: Settings, use_case: str, data: dict[str, Any], say: Callable[[str], None]
) -> tuple[pd.DataFrame, str]:
    """The split, as it was kept or else built again from its Delta versions; and its hash."""
    path = training_sets.path_of(settings, use_case, data["ref"])
    if path.exists():
        return training_set.load(settings, use_case, data["ref"]), file_sha256(path)
    say(f"{data['ref']} is not kept; building it again from {data['features']} …")
    day = date.fromisoformat(data["as_of"]) if data["as_of"] else None
    references = tuple(data["sources"])
    rows, sources = training_set.build(settings, use_case, data["features"], references, day)
    training = training_set.save(
        settings, use_case, rows, features=data["features"], sources=sources, as_of=day
    )
    return rows, training.sha256


def _differs(settings: Settings, record: dict[str, Any], sha256: str) -> dict[str, list[Any]]:
    before = {k: record[k] for k in ("environment", "hardware", "code")}
    now = {
        "environment": facts.environment(settings),
        "hardware": facts.hardware(),
        "code": facts.code(settings),
    }
    differences = facts.differences(
        {**before, "data": {"sha256": record["data"]["sha256"]}},
        {**now, "data": {"sha256": sha256}},
    )
    # How much memory a virtual machine says it has wanders; it changes no sum.
    differences.pop("hardware.memory_gib", None)
    return differences


def _forecasts(
    definition: ForecastUseCase, folder: Path, test: pd.DataFrame, refitted: bool
) -> Array:
    """Quantiles of the test rows, shape (fits, rows, horizons, levels): by the fit that was
    scored, and by the one that answers where that is another one."""
    import numpy as np

    fits = [definition.load_evaluated(folder), *([definition.load(folder)] if refitted else [])]
    return np.stack([fit.quantiles(test, QUANTILES) for fit in fits])


def _compared(folder: Path, then: Array, now: Array) -> dict[str, Any]:
    import numpy as np

    path = folder / intervals.FORECASTS
    # The first machine's own hash where the evaluation kept it, else its weights read here.
    first = json.loads(path.read_text()) if path.exists() else {}
    before = first.get("sha256") or intervals.forecast_sha256(then[0])
    apart = np.abs(then - now)
    total = max(float(np.abs(then).sum()), 1e-12)
    return {
        "then": before,
        "now": intervals.forecast_sha256(now[0]),
        "difference": float(apart.sum()) / total,
        "largest": float(apart.max()),
    }
