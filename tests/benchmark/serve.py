"""The forecast endpoint against bare FastAPI and LitServe workers that return the same body.

Run: make bench-serve, or python -m tests.benchmark.serve --soak 600. One worker each on core 0,
the load on core 1; ours checks a key with limits and records each answer durably before it is
sent, the others do neither. Sides take turns, and medians are compared. Writes
var/bench/serve.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmark import serve_load, serve_report, serve_sides
from tests.benchmark.ingest import machine
from tests.benchmark.serve_sides import PATH, Side
from yupana.config.settings import ROOT, Settings, settings
from yupana.core.progress import Lines, Progress

LINES = (16, 64)
DISTRICTS = 1900
STARTS, CALLS = 3, 5
QUESTION = {"ubigeo": "160101", "horizon": 8}


def highest(sides: list[Side], rounds: int, seconds: float, scratch: Path,
            progress: Progress) -> dict[str, dict[str, float]]:  # fmt: skip
    """Requests a second by side and number of connections: medians of the rounds."""
    results: dict[str, dict[int, list[float]]] = {s.name: {n: [] for n in LINES} for s in sides}
    for turn in range(rounds):
        for side in sides if turn % 2 else sides[::-1]:
            with serve_sides.alone(side, sides):
                for lines in LINES:
                    headers = {"Content-Type": "application/json", **side.headers}
                    rate = serve_load.closed(
                        side.url + PATH, side.body, headers, lines, seconds, scratch
                    )
                    results[side.name][lines].append(rate)
        text = ", ".join(f"{n} {max(r[-1] for r in of.values()):,.0f}" for n, of in results.items())
        progress.say(f"turn {turn + 1}/{rounds}, requests/s: {text}")
    return {
        name: {str(n): round(statistics.median(rates), 1) for n, rates in of.items()}
        for name, of in results.items()
    }


def open_loop(side: Side, rate: float, seconds: float, scratch: Path) -> dict[str, Any]:
    """Latencies at a fixed rate, from a process of its own."""
    job = scratch / "job.json"
    headers = {"Content-Type": "application/json", **side.headers}
    job.write_text(
        json.dumps(
            {"url": side.url + PATH, "rate": rate, "seconds": seconds, "body": side.body,
             "headers": headers}
        )
    )  # fmt: skip
    command = [sys.executable, "-m", "tests.benchmark.serve_load", str(job)]
    process = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    report: dict[str, Any] = json.loads(process.stdout)
    if report["failed"]:
        raise SystemExit(f"{side.name}: {report['failed']} of {report['sent']} requests failed")
    return report


def at_half(sides: list[Side], rate: float, rounds: int, seconds: float, scratch: Path,
            progress: Progress) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Medians of the rounds, every side at the same rate."""
    results: dict[str, list[dict[str, Any]]] = {side.name: [] for side in sides}
    for turn in range(rounds):
        for side in sides if turn % 2 else sides[::-1]:
            with serve_sides.alone(side, sides):
                results[side.name].append(open_loop(side, rate, seconds, scratch))
        text = ", ".join(f"{n} {of[-1]['p99_ms']:.1f}" for n, of in results.items())
        progress.say(f"turn {turn + 1}/{rounds}, p99 in ms at {rate:,.0f}/s: {text}")
    return {
        name: {k: round(statistics.median(run[k] for run in of), 3) for k in of[0]}
        for name, of in results.items()
    }


def soak(side: Side, rate: float, seconds: float, scratch: Path) -> dict[str, Any]:
    """Resident bytes after a warm-up and after the load, and its latencies."""
    open_loop(side, rate, min(10.0, seconds), scratch)
    before = side.resident()
    result = open_loop(side, rate, seconds, scratch)
    return {"seconds": seconds, "before_bytes": before, "after_bytes": side.resident(), **result}


def country(config: Settings, body: str, as_of: str) -> dict[str, Any]:
    """Seconds of one call for all districts: the first after a start, and later ones."""
    command = [sys.executable, "-m", "tests.benchmark.serve_country", str(DISTRICTS)]
    process = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env=config.environment()
    )
    parent = {"ubigeo": json.loads(process.stdout.splitlines()[-1]), "horizon": 8, "as_of": as_of}
    with serve_sides.ours(config, body) as (side, ready):
        spent, answer = [], b""
        for _ in range(1 + CALLS):
            began = time.perf_counter()
            answer = side.ask(parent)
            spent.append(round(time.perf_counter() - began, 3))
    report = len(json.loads(answer)["predictions"])
    if report != DISTRICTS:
        raise SystemExit(f"The national batch has {report} of {DISTRICTS} districts.")
    facts = {"first_s": spent[0], "later_s": statistics.median(spent[1:])}
    return {"districts": report, "bytes": len(answer), "ready_s": round(ready, 2), **facts}


def measure(config: Settings, options: argparse.Namespace, scratch: Path,
            progress: Progress) -> dict[str, Any]:  # fmt: skip
    """All of it, on a copy of home."""
    question = json.dumps({**QUESTION, "as_of": options.as_of})
    log, ready = scratch / "peer.log", scratch / "body.json"
    starts = []
    for _ in range(STARTS - 1):
        with serve_sides.ours(config, question) as (_, seconds):
            starts.append(round(seconds, 2))
    with ExitStack() as stack:
        mine, seconds = stack.enter_context(serve_sides.ours(config, question))
        starts.append(round(seconds, 2))
        ready.write_bytes(mine.ask(json.loads(question)))
        sides = [mine]
        for name in ("ready", "typed"):
            sides.append(stack.enter_context(serve_sides.bare(name, question, ready, log)))
        if options.litserve:
            folder = settings().home / "bench" / "litserve"
            lit = serve_sides.litserve(question, ready, folder, log, progress)
            sides.append(stack.enter_context(lit))
        os.sched_setaffinity(0, {serve_sides.LOAD_CORE})
        result: dict[str, Any] = {"ready_s": starts, "body_bytes": ready.stat().st_size}
        most = highest(sides, options.rounds, options.seconds, scratch, progress)
        rate = max(most["yupana"].values()) / 2
        result |= {"requests_per_second": most}
        result["open_loop"] = at_half(
            sides, rate, options.rounds, options.seconds, scratch, progress
        )
        progress.say(f"soak: {options.soak:g} s …")
        with serve_sides.alone(mine, sides):
            result["soak"] = soak(mine, rate, options.soak, scratch)
    result["country"] = country(config, question, options.as_of)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=float, default=60.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--as-of", default="2022-01-05", help="the day that is asked for")
    parser.add_argument("--no-litserve", dest="litserve", action="store_false")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("One core is for the server and one for the load: two are needed.")
    folder = settings().home / "bench"
    scratch = folder / "serve-scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    load = os.getloadavg()[0]
    result = {"machine": {**machine(), "load_before": round(load, 2)}}
    try:
        config = serve_sides.copied_home(settings(), scratch)
        result |= measure(config, options, scratch, Lines())
    finally:
        shutil.rmtree(scratch)
    result["ratios"] = serve_report.ratios(result)
    out = folder / "serve.json"
    out.write_text(json.dumps(result, indent=1))
    serve_report.show(result)
    print(f"→ {out}")


if __name__ == "__main__":
    main()
