"""The Lightning loop against the same training in bare PyTorch; more districts; a GPU.

Run: make bench-train, or python -m tests.benchmark.train --device cuda. Both loops run in one
process on one thread, in turns, after one warm-up; their medians are compared. Writes
var/bench/train.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from tests.benchmark import bare
from tests.benchmark.ingest import machine
from yupana.config.settings import settings
from yupana.core.progress import Lines
from yupana.tasks.forecast.model import network_training
from yupana.tasks.forecast.model.network import CountNetwork

HORIZONS, LAGS, FEATURES = 8, 12, 32
SERIES = [100, 1_000, 10_000]
# An origin a week: Loreto's sample has about as many rows as the first, with more districts.
ORIGINS, ORIGINS_SCALING = 200, 60
EPOCHS, TURNS, EPOCHS_SCALING, EPOCHS_GPU = 5, 5, 2, 6
SEED = 7
# A ratio must be at most this.
TARGETS = {"Lightning / bare PyTorch": 1.10, "seconds a series, 10000 / 100": 1.0}

Parts = tuple[network_training.Part, network_training.Part]


def synthetic(series: int, origins: int) -> Parts:
    """Seasonal negative-binomial counts of `series` districts; the last tenth is held out."""
    rng = np.random.default_rng(SEED)
    weeks = LAGS + origins + HORIZONS
    season = np.sin(2 * np.pi * np.arange(weeks) / 52)
    level = rng.normal(0.5, 1.2, series)[:, None]
    means = np.exp(level + 0.8 * season + 0.3 * rng.normal(size=(series, weeks)))
    counts = rng.negative_binomial(4, 4 / (4 + means)).astype(np.float32)
    past = np.lib.stride_tricks.sliding_window_view(np.log1p(counts), LAGS, axis=1)[:, :origins]
    ahead = np.lib.stride_tricks.sliding_window_view(counts, HORIZONS, axis=1)
    ahead = ahead[:, LAGS : LAGS + origins]
    noise = rng.normal(size=(series, origins, FEATURES - LAGS)).astype(np.float32)
    features = np.concatenate([past, noise], axis=2)
    recent = np.log1p(np.expm1(past[..., -4:]).mean(axis=2))
    district = np.repeat(np.arange(1, series + 1)[:, None], origins, axis=1)
    cut = origins - origins // 10

    def part(chosen: slice) -> network_training.Part:
        return (
            torch.from_numpy(features[:, chosen].reshape(-1, FEATURES).astype(np.float32)),
            torch.from_numpy(recent[:, chosen].reshape(-1).astype(np.float32)),
            torch.from_numpy(district[:, chosen].reshape(-1)),
            torch.from_numpy(ahead[:, chosen].reshape(-1, HORIZONS).copy()),
        )

    return part(slice(0, cut)), part(slice(cut, None))


def maker(series: int) -> bare.Make:
    return lambda: CountNetwork(FEATURES, series, HORIZONS)


def lightning(series: int, parts: Parts, epochs: int) -> float:
    """Validation loss of the last epoch."""
    _, curve = network_training.train(
        maker(series), *parts, seed=SEED, say=lambda _: None, options=bare.OPTIONS, epochs=epochs
    )  # fmt: skip
    return curve[-1]["val_nll"]


def timed(work: Callable[[], float]) -> dict[str, float]:
    """Wall and processor seconds, and the validation loss; others' load is in the first only."""
    wall, processor = time.perf_counter(), time.process_time()
    loss = work()
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - processor,
        "val_nll": loss,
    }


def overhead(say: Callable[[str], None]) -> dict[str, Any]:
    """Both loops in turns on the smallest size: medians, and that they did the same work."""
    series = SERIES[0]
    parts = synthetic(series, ORIGINS)
    sides: dict[str, Callable[[int], float]] = {
        "lightning": lambda epochs: lightning(series, parts, epochs),
        "bare": lambda epochs: bare.loop(maker(series), *parts, seed=SEED, epochs=epochs),
    }
    for work in sides.values():
        work(1)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for turn in range(TURNS):
        for name in sorted(sides, reverse=bool(turn % 2)):
            runs[name].append(timed(lambda name=name: sides[name](EPOCHS)))  # type: ignore[misc]
        say(
            f"turn {turn + 1}/{TURNS}: "
            + ", ".join(f"{n} {r[-1]['seconds']:.2f} s" for n, r in runs.items())
        )
    results = {
        name: {k: round(statistics.median(r[k] for r in of), 4) for k in of[0]}
        for name, of in runs.items()
    }
    losses = [results[name]["val_nll"] for name in sides]
    if abs(losses[0] / losses[1] - 1) > 0.01:
        raise SystemExit(f"The loops learned different things: {losses}")
    return {"rows": len(parts[0][0]), "epochs": EPOCHS, "turns": TURNS, **results}


def scaling(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Lightning's seconds as districts grow tenfold, the rows a district staying the same."""
    found = []
    for series in SERIES:
        parts = synthetic(series, ORIGINS_SCALING)
        run = timed(lambda s=series, p=parts: lightning(s, p, EPOCHS_SCALING))  # type: ignore[misc]
        rows = len(parts[0][0]) * EPOCHS_SCALING
        say(f"{series:,} series: {run['seconds']:.1f} s, {rows / run['seconds']:,.0f} rows/s")
        found.append({"series": series, "rows": rows, **{k: round(v, 4) for k, v in run.items()}})
    return found


def gpu(say: Callable[[str], None]) -> dict[str, Any]:
    """The resident loop by number of series; or why it did not run."""
    if not torch.cuda.is_available():
        return {"skipped": f"PyTorch {torch.__version__} sees no CUDA device on this machine"}
    runs = []
    for series in SERIES:
        parts = synthetic(series, ORIGINS_SCALING)
        run = bare.resident(maker(series), *parts, seed=SEED, epochs=EPOCHS_GPU, device="cuda")
        rate = run["rows"] / run["seconds_epoch"]
        say(f"{series:,} series on the GPU: {run['seconds_epoch']} s an epoch, {rate:,.0f} rows/s")
        runs.append({"series": series, **run, "rows_per_second": round(rate)})
    return {"device": torch.cuda.get_device_name(), "precision": "bf16", "runs": runs}


def ratios(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Each ratio with its target, on wall seconds and on processor seconds."""
    rows = []
    for key, unit in (("seconds", "wall"), ("cpu_seconds", "processor")):
        sides = result["overhead"]
        first, *_, last = result["scaling"]
        values = (
            sides["lightning"][key] / sides["bare"][key],
            (last[key] / last["series"]) / (first[key] / first["series"]),
        )
        rows += [
            {"ratio": name, "of": unit, "value": round(value, 3), "at_most": TARGETS[name]}
            for name, value in zip(TARGETS, values, strict=True)
        ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    device = parser.parse_args().device
    torch.set_num_threads(1)
    say = Lines().say
    load = os.getloadavg()[0]
    result: dict[str, Any] = {
        "machine": {**machine(), "load_before": round(load, 2), "threads": 1},
        "torch": torch.__version__,
    }
    if device == "cpu":
        result |= {"overhead": overhead(say), "scaling": scaling(say)}
        result["ratios"] = ratios(result)
        table = Table("ratio", "seconds", "value", "target", "")
        for r in result["ratios"]:
            verdict = "met" if r["value"] <= r["at_most"] else "missed"
            table.add_row(
                r["ratio"], r["of"], f"{r['value']:.3f}", f"≤ {r['at_most']:.2f}", verdict
            )
        Console().print(table)
    result["gpu"] = gpu(say)
    if "skipped" in result["gpu"]:
        say(f"GPU variant skipped: {result['gpu']['skipped']}")
    out = settings().home / "bench" / ("train.json" if device == "cpu" else "train-cuda.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1))
    print(f"→ {out}")


if __name__ == "__main__":
    main()
