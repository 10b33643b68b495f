"""Drift of a million predictions: counts against Evidently's default report on the same rows.

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
    made = pl.DataFrame(columns)
    return made.with_columns(
        (pl.col(c) + by * pl.col(c).std()).round(0 if c.startswith("cases") else 12).alias(c)
        for c, by in shifts.items()
        if c in made.columns and c not in TEXTS
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
    """Answers as `yupana export-predictions` writes them: each forecast told many times."""
    weeks = pl.lit(json.dumps([{"horizon": h, "median": h + 0.5} for h in range(1, 9)]))
    texts = forecasts.select(features=pl.struct(pl.all()).struct.json_encode(), answer=weeks)
    distinct = texts.with_row_index("n").with_columns(
        told=pl.col("n").cast(pl.String), kind=pl.lit("answer"), model_version=pl.lit("1"),
        ubigeo=(160000 + pl.col("n") % 1900).cast(pl.String), data_as_of=pl.date(2022, 1, 1),
    ).drop("n")  # fmt: skip
    times = -(-rows // len(distinct))
    return pl.concat([distinct] * times).head(rows).sort("told")


def run(folder: Path, turns: int, say: Any) -> dict[str, list[dict[str, Any]]]:
    """Every side `turns` times, in turns, each in a process of its own."""
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(turns):
        for side in SIDES:
            told = _child("tests.benchmark.monitor_sides", side, str(folder))
            say(f"{side}: {told['seconds']:.1f} s, {told['peak_bytes'] / 2**20:.0f} MiB")
            found[side].append(told)
    return found


def _child(module: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def verdict(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Medians, their ratio, memory, and whether both sides decide alike."""
    seconds = {s: statistics.median(t["seconds"] for t in turns) for s, turns in found.items()}
    peaks = {s: max(t["peak_bytes"] for t in turns) for s, turns in found.items()}
    ours, theirs = found["counts"][0], found["evidently"][0]
    apart = {c: abs(s - theirs["scores"][c]) for c, s in ours["scores"].items()}
    return {
        "seconds": seconds,
        "peak_bytes": peaks,
        "times_faster": round(seconds["evidently"] / seconds["counts"], 2),
        "same_decisions": ours["drifted"] == theirs["drifted"],
        "drifted": {"counts": ours["drifted"], "evidently": theirs["drifted"]},
        "largest_difference": max(apart.values()),
        "stated_error": ours["error"],
        "within_error": max(apart.values()) <= ours["error"] + 1e-6,
        "largest_difference_of_small_tables": max(ours["evidently_off"].values()),
    }


def show(told: dict[str, Any], rows: int) -> None:
    """Print the verdict as a table."""
    shown = Table("what", "value", "aim", "")
    seconds, faster = told["seconds"]["counts"], told["times_faster"]
    lines = [
        (f"{rows:,} x 20 by counts, s", f"{seconds:.1f}", "< 30", seconds < 30),
        ("Evidently's default, s", f"{told['seconds']['evidently']:.1f}", "", None),
        ("times faster", f"{faster:.1f}", "≥ 4", faster >= 4),
        ("the same drifted columns", str(told["same_decisions"]), "True", told["same_decisions"]),
        (
            "largest difference of a distance", f"{told['largest_difference']:.2g}",
            f"≤ {told['stated_error']:.2g}", told["within_error"],
        ),
        *(
            (f"memory of {side}, MiB", f"{peak / 2**20:.0f}", "", None)
            for side, peak in told["peak_bytes"].items()
        ),
    ]  # fmt: skip
    for what, value, aim, met in lines:
        shown.add_row(what, value, aim, "" if met is None else "met" if met else "missed")
    Console().print(shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--turns", type=int, default=TURNS)
    asked = parser.parse_args()
    say = Lines().say
    load = round(os.getloadavg()[0], 2)
    out = settings().home / "bench" / "monitor.json"
    folder = out.parent / "monitor"
    say(f"make {asked.rows:,} predictions")
    prepare(folder, asked.rows, REFERENCE)
    found = run(folder, asked.turns, say)
    told = verdict(found)
    show(told, asked.rows)
    result = {
        "machine": {**machine(), "load_before": load},
        "rows": asked.rows,
        "reference": REFERENCE,
        **told,
        "runs": found,
    }
    out.write_text(json.dumps(result, indent=1))
    print(f"→ {out}")
    shutil.rmtree(folder)
    for name in OTHERS:
        if importlib.util.find_spec(f"tests.benchmark.{name}"):
            subprocess.run([sys.executable, "-m", f"tests.benchmark.{name}"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
