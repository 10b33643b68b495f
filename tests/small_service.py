"""A home whose service can start: a small fitted model, its features online, its forecasts.

A program, since Feast's definitions read the settings when they are imported: `run` starts it in
an environment of its own. The model is fitted once and kept beside the golden answers, so that
they are the same on every machine; to fit it anew: python tests/small_service.py fit
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import late_lake
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from safetensors.numpy import load_file, save_file

from models.outbreak import USE_CASE as outbreak
from yupana.config.settings import ROOT, Settings, settings
from yupana.core import evaluation as evaluations
from yupana.core.evaluation import Evaluation
from yupana.data.lake import delta
from yupana.features import splits, store
from yupana.lineage import events
from yupana.tasks.forecast import forecast_rows
from yupana.tasks.forecast.dataset import newest, sources, training_set
from yupana.tasks.forecast.entities import inward, outward
from yupana.tasks.forecast.model.model import FINAL
from yupana.tracking import deployment, facts, slots
from yupana.tracking.shared_models import SharedModel

NAME = "outbreak"
WEEKS = 260
NEWEST = late_lake.FIRST + timedelta(weeks=WEEKS - 1, days=6)
"""The day on which the newest week ends."""
EARLIER = NEWEST - timedelta(weeks=3)
"""A past day that forecasts were recorded for."""
OPTIONS = {"width": 8}
"""Of the network: its answers matter here, not how good they are."""


KEPT = Path(__file__).parent / "golden" / "outbreak_model.tar.gz"


def fit() -> None:
    """Fit on the rows of all weeks but the last half year, and keep what a service needs of it."""
    rows = outbreak.features({late_lake.NAME: inward(_cases(), "ubigeo")}).to_pandas()
    lengths = splits.Lengths(test=26, validation=52, gap=8, train_at_least=52)
    targets = training_set.with_targets(rows, max(outbreak.horizons))
    frame = splits.by_time(targets, "event_timestamp", lengths)
    with TemporaryDirectory() as name, tarfile.open(KEPT, "w:gz") as archive:
        out = Path(name)
        outbreak.fit(frame, out, seed=1, say=lambda _: None, options=OPTIONS)
        weights = load_file(out / "weights.safetensors")
        # Coarse: they take a tenth of the place, and the answers are no worse for this purpose.
        coarse = {k: np.round(v * 16) / 16 if ".spread" in k else v for k, v in weights.items()}
        save_file(coarse, out / "weights.safetensors")
        newest = frame[frame["part"] == "test"].tail(16)
        outward(newest, "ubigeo").to_parquet(out / "reference.parquet")
        (out / "README.md").write_text("# Ficha\n", encoding="utf-8")
        for path in sorted(p for p in out.iterdir() if p.is_file()):
            archive.add(path, path.name)


def model(folder: Path) -> Path:
    """The kept model in a folder, with the facts that a gate asks for."""
    with tarfile.open(KEPT) as archive:
        archive.extractall(folder)
    simple = {name: {"wis": 2.0} for name in outbreak.spec.metric.baselines}
    scores = {FINAL: {"wis": 1.0}, **simple}
    evaluation = Evaluation(metric="wis", better="lower", final=FINAL, n=100, scores=scores)
    evaluations.write(folder, evaluation)
    data = {"use_case": NAME, "sources": []}
    facts.record(settings(), folder, data, seconds=1.0, machine=facts.hardware())
    return folder


def _cases() -> pl.DataFrame:
    return late_lake.vintage(late_lake.true_counts(WEEKS), WEEKS - 1)


def publish(lake: Settings) -> pd.DataFrame:
    """The published cases, their features in the lake and online; returns the features."""
    late_lake.publish(lake, _cases(), NEWEST + timedelta(days=4))
    refs = sources.current(lake, sources.sources(lake, outbreak))
    frame = outbreak.features(sources.at(lake, outbreak, refs))
    table = store.write_table(
        lake, outbreak.spec.features.table, outward(frame, "ubigeo"), refs
    )
    from feature_repo.outbreak import definitions

    store.publish_online(lake, outbreak.spec.features.table, definitions.OBJECTS)
    events.append(lake, "features", NAME, status="done", inputs=refs, outputs=(table.ref,))
    return frame.to_pandas()


def record_forecasts(lake: Settings, rows: pd.DataFrame, folder: Path, version: int) -> None:
    """What `yupana predict` leaves, for the newest week and for an earlier one."""
    model, forecaster = f"model:{NAME}@{version}", outbreak.load(folder)
    table = pl.from_pandas(rows)
    counts = table.pivot("entity", index="event_timestamp", values="cases_lag_0").to_pandas()
    counts.index = pd.DatetimeIndex(counts.pop("event_timestamp")).tz_localize(None).normalize()
    inputs = (model, *sources.current(lake, sources.sources(lake, outbreak)))
    for origin in (EARLIER, NEWEST):
        mine = rows[rows["event_timestamp"].dt.date == origin].reset_index(drop=True)
        forecasts = forecast_rows.districts(
            forecaster, newest.of(mine, origin, outbreak.frequency), counts, model, origin
        )
        same = f"origin = DATE '{origin}' AND model = '{model}'"
        content = pa.Table.from_pandas(outward(forecasts, "ubigeo"), preserve_index=False)
        ref = delta.replace(lake.lake, "forecasts", NAME, content, same, inputs).ref
        events.append(
            lake, "forecast", NAME, status="done", inputs=inputs, outputs=(ref,),
            facts={"data_as_of": str(origin), "hindsight": origin == EARLIER},
        )  # fmt: skip


def deploy(lake: Settings, folder: Path, version: int) -> str:
    """Let a model through the gate and into the champion's slot; returns its tag."""
    shared = SharedModel(version, folder)
    return deployment.adopt(lake, NAME, shared, now=datetime.now(UTC), by="test")


def run(lake: Settings, *arguments: str) -> None:
    """This program in an environment of its own, on a home."""
    command = [sys.executable, __file__, *arguments]
    path = f"{ROOT}:{Path(__file__).parent}"
    environment = {**lake.environment(), "PYTHONPATH": path}
    process = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-4000:]


def challenge(lake: Settings, share: float) -> None:
    """The same model as version 2 beside the champion, answering a share of the callers."""
    now = datetime.now(UTC)
    shared = SharedModel(2, lake.home / "fitted")
    deployment.adopt(lake, NAME, shared, now=now, by="test")
    for slot, placed in (
        (slots.CHAMPION, slots.Placed(f"{NAME}:1")),
        (slots.CHALLENGER, slots.Placed(f"{NAME}:2", share)),
    ):
        slots.place(lake.platform_db, NAME, slot, placed, now=now, by="test")


def main(arguments: Sequence[str]) -> None:
    """`fit` the model that is kept, `challenge SHARE`, `deploy FOLDER`, or make this process's home
    ready."""
    if arguments == ["fit"]:
        fit()
        return
    lake = settings()
    if arguments[:1] == ["deploy"]:
        deploy(lake, Path(arguments[1]), 1)
        return
    if arguments:
        challenge(lake, float(arguments[1]))
        return
    rows, folder = publish(lake), model(lake.home / "fitted")
    deploy(lake, folder, 1)
    record_forecasts(lake, rows, folder, 1)


if __name__ == "__main__":
    main(sys.argv[1:])
