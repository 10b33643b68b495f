"""From a raw CSV to a validated, published Delta table: yupana on Sail and on Spark, the plain
way, and DuckDB.

Run: make bench, or python -m tests.benchmark.ingest --rows 1000000 --peer plain. Each run is a
fresh process, so that starting the engine is in its seconds; there is no warm-up. The order
turns by one side at every size. Writes var/bench/ingest.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import psutil

from tests.benchmark import measured, outcome, report
from tests.benchmark.generate import generate
from yupana.config.settings import ROOT, Settings, settings
from yupana.core.progress import Lines, Progress

NAME = "dengue_linelist"
SIZES = [1_000_000, 10_000_000]
OURS = {"yupana": "sail", "yupana on spark": "spark"}
PEERS = {
    "none": [],
    "spark": ["yupana on spark"],
    "plain": ["plain"],
    "duckdb": ["duckdb"],
    "all": ["yupana on spark", "plain", "duckdb"],
}


def run_side(side: str, source: Path, scratch: Path, progress: Progress) -> dict[str, Any]:
    """One run in an empty folder; its measures, and what its tables hold."""
    home = scratch / side.replace(" ", "-")
    home.mkdir()
    config = Settings(home=home, engine=OURS.get(side, "sail"))
    module = {"plain": "tests.benchmark.plain", "duckdb": "tests.benchmark.duck"}.get(side)
    command = [sys.executable, "-m"]
    if module:
        command += [module, str(source), str(home)]
        tables = [home / "published", home / "quarantine"]
    else:
        command += ["yupana.cli.main", "ingest", NAME, "--source", str(source), "--json"]
        tables = [config.table("published", NAME), config.table("quarantine", NAME)]
    log = scratch / f"{home.name}.log"
    result = measured.run(side, command, config.environment(), ROOT, log, progress)
    found = outcome.of_tables(*tables)
    shutil.rmtree(home)
    return {**result.facts(), "outcome": found}


def check(side: str, run: dict[str, Any], rows: int) -> None:
    """What a run said of itself against its tables and the file."""
    found, told = run["outcome"], run["told"]
    read = told["read"] if "read" in told else told["rows"]["read"]
    claims = {k: v for k, v in told["rules"].items() if v} if side not in OURS else found.rules
    if not read == found.published + found.quarantined == rows or claims != found.rules:
        raise SystemExit(f"{side} says {told}, and its tables hold {found}")


def size(rows: int, sides: list[str], scratch: Path, progress: Progress) -> dict[str, Any]:
    """All sides on one file of `rows` rows, by side."""
    progress.say(f"generate {rows:,} rows …")
    source = generate(rows, scratch / f"{rows}.csv", progress)
    runs = {}
    for side in sides:
        progress.say(f"{side}: {rows:,} rows …")
        runs[side] = run_side(side, source, scratch, progress)
        check(side, runs[side], rows)
    source.unlink()
    if differs := outcome.differences({side: run["outcome"] for side, run in runs.items()}):
        raise SystemExit("The results are not equal:\n" + "\n".join(differs))
    return {side: {**run, "outcome": vars(run["outcome"])} for side, run in runs.items()}


def machine() -> dict[str, Any]:
    cores, memory = os.cpu_count(), round(psutil.virtual_memory().total / 2**30, 1)
    return {"cores": cores, "memory_gib": memory, "system": platform.platform()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=SIZES)
    parser.add_argument("--peer", choices=PEERS, default="all")
    options = parser.parse_args()
    folder = settings().home / "bench"
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    sides, runs = ["yupana", *PEERS[options.peer]], {}
    try:
        for rows in options.rows:
            runs[rows] = size(rows, sides, scratch, Lines())
            sides = [*sides[1:], sides[0]]
    finally:
        shutil.rmtree(scratch)
    result = {"machine": machine(), "runs": runs, "ratios": report.ratios(runs)}
    out = folder / "ingest.json"
    out.write_text(json.dumps(result, indent=1))
    report.show(result)
    print(f"→ {out}")


if __name__ == "__main__":
    main()
