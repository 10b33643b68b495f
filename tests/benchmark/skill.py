"""The forecaster against statsforecast, LightGBM and the regressions of epidemiology.

Run: make bench-skill, or python -m tests.benchmark.skill --backtest report.json. The protocol is
that of `yupana backtest`: the same districts, origins and counts; a peer sees what precedes each
origin alone. Peers run in an environment of their own, made on first use, one after the other on
one thread; counts and forecasts pass by Parquet. Writes var/bench/skill.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from docs import scores as tables
from tests.benchmark import measured, skill_scores
from tests.benchmark.ingest import machine
from tests.benchmark.skill_peers import PEERS, Job
from yupana.config.settings import ROOT, Settings, settings
from yupana.core.progress import Lines, Progress
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.backtest import areas, origins, run
from yupana.tasks.forecast.backtest import panel as panels
from yupana.tasks.forecast.backtest.panel import Panel
from yupana.tasks.forecast.entities import inward
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES

USE_CASE, DEPARTMENT, SPAN = "outbreak", "LORETO", "2019-W01:2021-W44:4"
LIBRARIES = ("statsforecast>=2.1", "lightgbm>=4.6", "pyarrow")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def environment(folder: Path, progress: Progress) -> Path:
    """The peers' Python, whose environment is made on first use and kept."""
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        progress.say("install statsforecast and LightGBM in an environment of their own …")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", *LIBRARIES]
        subprocess.run(install, check=True)
        ready.touch()
    return python


def backtest(cases: Sequence[Path], out: Path, config: Settings, progress: Progress) -> Path:
    """Run what the peers are held against; its report."""
    today = datetime.now(UTC).date()
    run.run(config, USE_CASE, cases, DEPARTMENT, SPAN, out, today=today, progress=progress)
    return out


def panel_of(
    report: dict[str, Any], cases: Sequence[Path], config: Settings, progress: Progress
) -> Panel:
    """The districts' counts that a report is of.

    Raises:
        SystemExit: the data is not that of the report any more.
    """
    definition = usecases.load(USE_CASE)
    code, plain = areas.department(report["department"])
    today = datetime.now(UTC).date()
    area, source = run.counts(config, definition, cases, code, plain, today, progress)
    if source != report["source"]:
        raise SystemExit(f"The report is of {report['source']}, not of {source}: give its --cases.")
    starts = origins.parse(_span(report), definition.frequency)
    return panels.build(area, starts, definition.frequency, definition.options.horizons)[0]


def _span(report: dict[str, Any]) -> str:
    labels = report["origins"]
    period = usecases.load(USE_CASE).frequency
    first, second = (period.parse(label) for label in labels[:2])
    assert first and second
    return f"{labels[0]}:{labels[-1]}:{period.between(first, second)}"


def hand_over(panel: Panel, span: str, folder: Path) -> None:
    """Write what a peer reads: `counts.parquet` and `job.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = panel.counts().rename(columns=str).rename_axis("week").reset_index()
    counts.to_parquet(folder / "counts.parquet", index=False)
    starts = origins.parse(span, panel.frequency)
    job = Job(
        horizons=panel.reach, levels=list(QUANTILES), names=list(LEVELS),
        origins=[(o.year, o.start.isoformat(), o.end.isoformat()) for o in starts],
    )  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")


def forecasts(
    names: Sequence[str], python: Path, folder: Path, progress: Progress
) -> dict[str, float]:
    """Run the peers; seconds of each, without imports."""
    seconds = {}
    for name in names:
        command = [str(python), "-m", "tests.benchmark.skill_peers", name, str(folder)]
        more = {**os.environ, **ONE_THREAD}
        report = measured.run(name, command, more, ROOT, folder / f"{name}.log", progress)
        seconds[name] = report.told["seconds"]
        progress.say(f"{name}: {seconds[name]:.0f} s")
    return seconds


def read(name: str, folder: Path) -> pd.DataFrame:
    """A peer's forecasts, as it wrote them."""
    table = pd.read_parquet(folder / f"{name}.parquet")
    return table.assign(origin=pd.to_datetime(table["origin"]).dt.date)


def districts(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """The districts' rows of a kept backtest by these models, in the kit's own names."""
    mine = rows[(rows["series"] == "district") & rows["model"].isin(models)]
    table = inward(mine, usecases.load(USE_CASE).spec.entity.key)
    days = pd.to_datetime(table["origin"]).dt.date
    return table.assign(origin=days, entity=table["entity"].astype(str))


def scored(
    path: Path, panel: Panel, folder: Path, seconds: dict[str, float], seed: int
) -> dict[str, Any]:
    """What the benchmark reports of a backtest and of the peers' forecasts in a folder.

    Args:
        path: of the backtest's report.
        seconds: of each peer.
        seed: of the randomised PIT.
    """
    report = json.loads(path.read_text("utf-8"))
    kept = districts(
        pd.read_parquet(run.rows_path(path)), [report["final"], *report["baselines"]]
    )
    rows = skill_scores.joined(kept, {name: read(name, folder) for name in seconds})
    step, final, peers = int(_span(report).rsplit(":", 1)[1]), report["final"], list(seconds)
    return {
        **{k: report[k] for k in ("baselines", "members", "department", "trained_on",
                                  "districts", "origins", "source")},
        # Of the backtest, all its models together.
        "seconds": report["seconds"],
        "seconds_by_peer": seconds,
        **skill_scores.report(rows, panel, final, peers, step=step, seed=seed),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backtest", type=Path, help="a report of `yupana backtest outbreak`")
    parser.add_argument("--cases", type=Path, nargs="*", default=[], help="as of the backtest")
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    options = parser.parse_args()
    config, progress = settings(), Lines()
    out = config.home / "bench" / "skill.json"
    folder, load = out.parent / "skill", round(os.getloadavg()[0], 2)
    python = environment(out.parent / "skill-peers", progress)
    path = options.backtest or backtest(options.cases, folder / "report.json", config, progress)
    report = json.loads(path.read_text("utf-8"))
    panel = panel_of(report, options.cases, config, progress)
    hand_over(panel, _span(report), folder)
    seconds = forecasts(options.peers, python, folder, progress)
    result = {"machine": {**machine(), "load_before": load}}
    result |= scored(path, panel, folder, seconds, config.seed)
    out.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")
    print(tables.text(result))
    print(f"→ {out}")


if __name__ == "__main__":
    main()
