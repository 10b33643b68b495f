"""The two sides of the monitoring benchmark; each runs in a process of its own.

Run by tests/benchmark/monitor.py: python -m tests.benchmark.monitor_sides SIDE FOLDER. The last
line on standard output is a JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

TEXTS = ["zone", "source"]
MOST_FEW = 5


def counts(folder: Path) -> dict[str, Any]:
    """Both tables as counts, then Evidently's report on small tables of the same distributions."""
    from deltalake import DeltaTable

    from yupana.data import reading
    from yupana.monitoring import report

    sides = [reading.dataset(DeltaTable(str(folder / name))) for name in ("reference", "current")]
    columns = sides[0].schema.names
    numbers = [c for c in columns if c not in TEXTS]
    found = report.compare(sides[0], sides[1], numbers, TEXTS, folder / "counts.html")
    (folder / "counts.json").write_text(json.dumps(found.evidently))
    theirs = {
        m["config"]["column"]: m["value"]
        for m in found.evidently["metrics"]
        if "column" in m["config"]
    }
    return {
        "how": found.how,
        "drifted": sorted(found.drifted),
        "scores": found.scores,
        "error": found.error,
        "evidently_scores": theirs,
        "evidently_off": found.evidently.get("made_from", {}).get("off", {}),
    }


def evidently(folder: Path) -> dict[str, Any]:
    """Evidently's default drift report on all rows."""
    import warnings

    from deltalake import DeltaTable
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    from yupana.data import reading

    warnings.simplefilter("ignore")
    frames = [
        reading.dataset(DeltaTable(str(folder / name))).to_table().to_pandas()
        for name in ("reference", "current")
    ]
    numbers = [c for c in frames[0] if c not in TEXTS]
    kinds = DataDefinition(numerical_columns=numbers, categorical_columns=TEXTS)
    run = Report([DataDriftPreset()]).run(
        Dataset.from_pandas(frames[1], kinds), Dataset.from_pandas(frames[0], kinds)
    )
    run.save_html(str(folder / "evidently.html"))
    (folder / "evidently.json").write_text(run.json())
    found = json.loads(run.json())["metrics"]
    scores = {m["config"]["column"]: m["value"] for m in found if "column" in m["config"]}
    return {"drifted": sorted(c for c, s in scores.items() if s >= 0.1), "scores": scores}


def log(folder: Path) -> dict[str, Any]:
    """The same answers as the prediction log has them: read, reduced, opened, compared."""
    from datetime import date

    from yupana.config.settings import Settings
    from yupana.monitoring import answers, report

    columns = json.loads((folder / "columns.json").read_text())
    numbers = [c for c in columns if c not in TEXTS]
    settings = Settings(home=folder)
    told = answers.told(settings, "outbreak", numbers, TEXTS, date(2022, 1, 1))
    rows = told.select(columns).to_arrow()
    kept = [*numbers]
    found = report.compare(rows, rows, kept, TEXTS, folder / "log.html")
    return {
        "answers": int(told[answers.TIMES].sum()), "forecasts": len(told), "how": found.how,
        "drifted": found.drifted,
    }  # fmt: skip


SIDES = {"counts": counts, "evidently": evidently, "log": log}


def main() -> None:
    side, folder = sys.argv[1:]
    # All that both sides import is in the time: a weekly run pays it every time.
    start = time.perf_counter()
    told = SIDES[side](Path(folder))
    told["seconds"] = round(time.perf_counter() - start, 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told["peak_bytes"] = peak if sys.platform == "darwin" else peak * 1024
    print(json.dumps(told))


if __name__ == "__main__":
    main()
