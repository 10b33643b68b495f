"""Drift of a million predictions: a sample against Evidently's default report on all rows.

Run: make bench-monitor, or python -m tests.benchmark.monitor --rows 200000. Each side runs in a
process of its own, in turns; seconds are those of the work, imports among them. The ledger and the
trace are measured as well. Writes var/bench/monitor.json.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from tests.benchmark.ingest import machine
from tests.benchmark.monitor_sides import SIDES, TEXTS
from yupana.config.settings import ROOT, settings
from yupana.core.progress import Lines
from yupana.predictions import lake_table

ROWS, REFERENCE, DISTINCT = 1_000_000, 98_800, 98_800
"""Predictions; test rows and distinct forecasts: a year of weeks of 1,900 districts."""

TURNS = 3
SEED = 5
SHIFTS = {"rain": 0.06, "cases_2": 0.3, "temperature": 0.25, "mobility_1": 0.11}
"""By how many standard deviations columns are shifted; Evidently's threshold is 0.1."""

OTHERS = ("ledger", "trace")


def table(rows: int, seed: int, shifts: dict[str, float]) -> pl.DataFrame:
    """Twenty features: counts, quantities with and without heavy tails, shares, categories."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        f"cases_{k}": rng.negative_binomial(1, 0.05, rows).astype(float) for k in range(6)
    }
    columns |= {f"mean_{k}": rng.gamma(1.5, 12.0, rows) for k in range(4)}
    columns |= {f"mobility_{k}": rng.standard_t(3, rows) for k in range(3)}
    columns["rain"] = rng.gamma(2.0, 40.0, rows)
    columns["temperature"] = rng.normal(299.0, 2.0, rows)
    columns["share"] = rng.beta(2, 5, rows)
    columns["population"] = rng.lognormal(9, 1.4, rows)
    columns["month"] = rng.integers(1, 13, rows).astype(float)
    far = shifts.get("zone", 0.0)
    columns["zone"] = rng.choice(
        ["coast", "highland", "jungle"], rows, p=[0.3 + far, 0.3, 0.4 - far]
    )
    columns["source"] = rng.choice(["lab", "clinic"], rows, p=[0.7, 0.3])
    frame = pl.DataFrame(columns)
    return frame.with_columns(
        (pl.col(c) + by * pl.col(c).std()).round(0 if c.startswith("cases") else 12).alias(c)
        for c, by in shifts.items()
        if c in frame.columns and c not in TEXTS
    )


def prepare(folder: Path, rows: int, reference: int) -> None:
    """Two Delta tables, and the same answers as the prediction log keeps them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    current = table(rows, SEED, {**SHIFTS, "zone": 0.12})
    table(reference, SEED + 1, {}).write_delta(str(folder / "reference"))
    current.write_delta(str(folder / "current"))
    (folder / "columns.json").write_text(json.dumps(current.columns))
    logged(current.head(min(DISTINCT, rows)), rows).write_delta(
        str(folder / "lake" / "predictions" / "outbreak")
    )


def logged(forecasts: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Answers as `yupana export-predictions` writes them: each forecast recorded many times."""
    weeks = [{"horizon": h, "median": h + 0.5} for h in range(1, 9)]
    payload = pl.lit(json.dumps({"weeks": weeks}))
    texts = forecasts.select(features=pl.struct(pl.all()).struct.json_encode(), payload=payload)
    distinct = texts.with_row_index("n").with_columns(
        prediction_key=pl.col("n").cast(pl.String), kind=pl.lit("answer"),
        model_version=pl.lit("1"),
        entity=(160000 + pl.col("n") % 1900).cast(pl.String), data_as_of=pl.date(2022, 1, 1),
    ).drop("n").rename({"entity": lake_table.ENTITY, "payload": lake_table.PAYLOAD})  # fmt: skip
    times = -(-rows // len(distinct))
    return pl.concat([distinct] * times).head(rows).sort("prediction_key")


def run(folder: Path, turns: int, say: Any) -> dict[str, list[dict[str, Any]]]:
    """Every side `turns` times, in turns, each in a process of its own."""
    results: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(turns):
        for side in SIDES:
            report = _child("tests.benchmark.monitor_sides", side, str(folder))
            say(f"{side}: {report['seconds']:.1f} s, {report['peak_bytes'] / 2**20:.0f} MiB")
            results[side].append(report)
    return results


def _child(module: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{process.stderr[-3000:]}")
    report: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return report


def verdict(results: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Medians, their ratio, memory, and whether both sides decide alike."""
    seconds = {s: statistics.median(t["seconds"] for t in turns) for s, turns in results.items()}
    peaks = {s: max(t["peak_bytes"] for t in turns) for s, turns in results.items()}
    ours, theirs = results["sample"][0], results["evidently"][0]
    apart = {c: abs(s - theirs["scores"][c]) for c, s in ours["scores"].items()}
    return {
        "seconds": seconds,
        "peak_bytes": peaks,
        "times_faster": round(seconds["evidently"] / seconds["sample"], 2),
        "same_decisions": ours["drifted"] == theirs["drifted"],
        "drifted": {"sample": ours["drifted"], "evidently": theirs["drifted"]},
        "largest_difference": max(apart.values()),
        "stated_error": ours["error"],
        # The error is one on average: a draw may be twice as far off.
        "within_error": max(apart.values()) <= 2 * ours["error"] + 1e-6,
    }


def show(report: dict[str, Any], rows: int) -> None:
    """Print the verdict as a table."""
    grid = Table("what", "value", "aim", "")
    seconds, faster = report["seconds"]["sample"], report["times_faster"]
    same = report["same_decisions"]
    lines = [
        (f"{rows:,} x 20 by a sample, s", f"{seconds:.1f}", "< 30", seconds < 30),
        ("Evidently's default, s", f"{report['seconds']['evidently']:.1f}", "", None),
        ("times faster", f"{faster:.1f}", "≥ 4", faster >= 4),
        ("the same drifted columns", str(same), "True", same),
        (
            "largest difference of a distance", f"{report['largest_difference']:.2g}",
            f"≤ {2 * report['stated_error']:.2g}", report["within_error"],
        ),
        *(
            (f"memory of {side}, MiB", f"{peak / 2**20:.0f}", "", None)
            for side, peak in report["peak_bytes"].items()
        ),
    ]  # fmt: skip
    for what, value, aim, met in lines:
        grid.add_row(what, value, aim, "" if met is None else "met" if met else "missed")
    Console().print(grid)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args()
    say = Lines().say
    load = round(os.getloadavg()[0], 2)
    out = settings().home / "bench" / "monitor.json"
    folder = out.parent / "monitor"
    say(f"make {options.rows:,} predictions")
    prepare(folder, options.rows, REFERENCE)
    report = run(folder, options.turns, say)
    verdicts = verdict(report)
    show(verdicts, options.rows)
    result = {
        "machine": {**machine(), "load_before": load},
        "rows": options.rows,
        "reference": REFERENCE,
        **verdicts,
        "runs": report,
    }
    out.write_text(json.dumps(result, indent=1))
    print(f"→ {out}")
    shutil.rmtree(folder)
    for name in OTHERS:
        if importlib.util.find_spec(f"tests.benchmark.{name}"):
            subprocess.run([sys.executable, "-m", f"tests.benchmark.{name}"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
