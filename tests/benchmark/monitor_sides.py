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


def sample(folder: Path) -> dict[str, Any]:
    """Evidently's report on a sample of each table."""
    from deltalake import DeltaTable

    from yupana.data.lake import reading
    from yupana.monitoring import report

    sides = [reading.dataset(DeltaTable(str(folder / name))) for name in ("reference", "current")]
    columns = sides[0].schema.names
    numbers = [c for c in columns if c not in TEXTS]
    comparison = report.compare(sides[0], sides[1], numbers, TEXTS, folder / "sample.html")
    return {
        "how": comparison.how,
        "drifted": sorted(comparison.drifted),
        "scores": comparison.scores,
        "error": comparison.error,
    }


def evidently(folder: Path) -> dict[str, Any]:
    """Evidently's default drift report on all rows."""
    import warnings

    from deltalake import DeltaTable
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    from yupana.data.lake import reading

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
    content = json.loads(run.json())["metrics"]
    scores = {m["config"]["column"]: m["value"] for m in content if "column" in m["config"]}
    return {"drifted": sorted(c for c, s in scores.items() if s >= 0.1), "scores": scores}


def log(folder: Path) -> dict[str, Any]:
    """The same answers as the prediction log has them: read, reduced, opened, compared."""
    from datetime import date

    from yupana.config.settings import Settings
    from yupana.monitoring import answers, report
    from yupana.tasks.forecast.monitoring import observe

    columns = json.loads((folder / "columns.json").read_text())
    numbers = [c for c in columns if c not in TEXTS]
    settings = Settings(home=folder)
    measures = answers.Measures((observe.MEDIAN,), observe.medians)
    table = answers.distinct(settings, "outbreak", numbers, TEXTS, measures, date(2022, 1, 1))
    rows = table.select(columns).to_arrow()
    names = [*numbers]
    comparison = report.compare(rows, rows, names, TEXTS, folder / "log.html")
    return {
        "answers": int(table[answers.TIMES].sum()), "forecasts": len(table),
        "how": comparison.how,
        "drifted": comparison.drifted,
    }  # fmt: skip


SIDES = {"sample": sample, "evidently": evidently, "log": log}


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
