"""How long a trace takes on a home with a million answers and a hundred thousand events.

    python tests/benchmark/trace.py [--answers 1000000] [--events 100000] [--home DIR]

Prints one JSON object: wall seconds of `yupana trace` in a process of its own (median of five):
an answer of the database, one that is in the lake alone, a row of a forecast, and the recall of
the file that everything rests on, with each prediction written to a file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests import event_rows
from yupana.config.settings import ROOT, Settings
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.database.engine import engine
from yupana.predictions import archive, export, log_writer
from yupana.predictions.entry import Basis
from yupana.predictions.prediction_log import RECORDS, Prediction, PredictionRecord, new_id

NOON = 1_772_366_400.0
DISTRICTS, ROUNDS = 1_891, 5
RAW = "raw:" + "a" * 64
YUPANA = [sys.executable, "-m", "yupana.cli.main"]


def make(settings: Settings, answers: int, events: int) -> dict[str, str]:
    """A home with that much in it; returns what to trace, by name."""
    _log(settings, events)
    half = answers // 2
    first = _answers(settings, half, NOON)
    export.export(settings, "outbreak", Silent())
    archive.forget(settings, "outbreak", datetime.fromtimestamp(NOON + 1e9, UTC))
    last = _answers(settings, answers - half, NOON + 1e6)
    return {"database": last, "lake": first, "forecast": _forecast(settings)}


def _answers(settings: Settings, many: int, start: float) -> str:
    weeks = [{"horizon": h, "quantiles": {str(q / 100): 1.5 for q in range(23)}} for h in range(8)]
    basis = Basis("outbreak", "1", "outbreak:1", "delta:features/outbreak_weekly@0", "2022-01-01")
    rest = ({f"lag_{n}": 1.0 for n in range(20)}, {"weeks": weeks}, 1, [])
    predictions = [
        Prediction(f"{start:.0f}{n:016}", basis, f"{n:06}", *rest) for n in range(DISTRICTS)
    ]
    question = {"as_of": "2022-01-02", "horizon": 8}
    middle = ""
    for at in range(0, many, 50_000):
        records = [
            PredictionRecord(new_id(start + n / 100), start + n / 100, predictions[n % DISTRICTS],
                             question, "k1", f"agency {n % 7}", "answer", "r")
            for n in range(at, min(many, at + 50_000))
        ]  # fmt: skip
        log_writer.record(settings.platform_db, records)
        middle = records[len(records) // 2].prediction_id
    return middle


def _forecast(settings: Settings) -> str:
    import pyarrow as pa

    rows = [
        {"prediction_id": f"{n:032}", "model": "model:outbreak@1", "ubigeo": f"{n:06}",
         "origin": datetime(2022, 1, 1).date(), "horizon": h, "q0.5": 1.0}
        for n in range(DISTRICTS) for h in range(1, 9)
    ]  # fmt: skip
    delta.replace(
        settings.lake, "forecasts", "outbreak", pa.Table.from_pylist(rows), "1 = 1",
        ["model:outbreak@1"],
    )  # fmt: skip
    return rows[-1]["prediction_id"]


def _log(settings: Settings, many: int) -> None:
    """One thread from a file to a deployment, among events of other subjects."""
    chain: list[tuple[str, list[str], list[str], dict[str, Any]]] = [
        ("land", [], [RAW], {"publisher": "CDC", "licence": "ODC-BY", "raw": {"source": "a.csv"}}),
        ("ingest", [RAW], ["delta:published/dengue_linelist@0", "validation:1"],
         {"validation": "1", "known_on": "2022-01-01", "source_sha256": "a" * 64}),
        ("features", ["delta:published/dengue_linelist@0"], ["delta:features/outbreak_weekly@0"],
         {"rows": 1}),
        ("split", ["delta:features/outbreak_weekly@0"], ["split:1"], {}),
        ("fit", ["split:1"], ["member:1"], {}),
        ("pool", ["split:1", "member:1"], ["candidate:1"], {}),
        ("evaluate", ["candidate:1"], ["evaluation:1"], {}),
        ("register", ["candidate:1", "evaluation:1"], ["model:outbreak@1"], {"alias": "champion"}),
        ("train", ["delta:features/outbreak_weekly@0", "model:outbreak@1"], ["pipeline:1"], {}),
        ("deploy", ["model:outbreak@1"], ["deployment:outbreak:1"], {}),
        ("forecast", ["model:outbreak@1", "delta:published/dengue_linelist@0"],
         ["delta:forecasts/outbreak@0"], {"data_as_of": "2022-01-01"}),
    ]  # fmt: skip
    facts = {"stages": {f"stage {n}": 1.25 for n in range(12)}, "text": "x" * 200}
    settings.home.mkdir(parents=True, exist_ok=True)
    log = []
    every = max(1, many // len(chain))
    for n in range(many):
        step, read, record, told = ("other", [f"a:{n - 1}"], [f"a:{n}"], facts)
        if n % every == 0 and n // every < len(chain):
            step, read, record, told = chain[n // every]
        log.append({
            "id": f"{n:032}", "time": "2026-01-01T00:00:00.000+00:00", "step": step,
            "subject": "outbreak", "status": "done", "inputs": read, "outputs": record,
            "key": "0" * 64, "seconds": 1.0, "facts": told,
        })  # fmt: skip
    event_rows.add(settings, *log)


def seconds(settings: Settings, *words: str, rounds: int = ROUNDS) -> float:
    """Median wall seconds of `yupana trace <words>` in a process of its own."""
    seconds_each = []
    for _ in range(rounds):
        start = time.monotonic()
        subprocess.run(
            [*YUPANA, "trace", *words, "--json"], env=settings.environment(), cwd=ROOT,
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        seconds_each.append(time.monotonic() - start)
    return round(statistics.median(seconds_each), 2)


def measure(home: Path, answers: int, events: int) -> dict[str, Any]:
    """All numbers; `home` is made where it is empty."""
    settings = Settings(home=home)
    question = home / "asked.json"
    if not question.exists():
        question.parent.mkdir(parents=True, exist_ok=True)
        question.write_text(json.dumps(make(settings, answers, events)))
    answer: dict[str, Any] = {"answers": answers, "events": events}
    for name, reference in json.loads(question.read_text()).items():
        answer[f"trace_{name}_s"] = seconds(settings, reference)
    out = home / "touched.csv"
    answer["recall_s"] = seconds(settings, RAW, "--forward", "--out", str(out), rounds=1)
    with out.open() as stream:
        answer["recall_rows"] = sum(1 for _ in stream) - 1
    with engine(settings.platform_db).connect() as connection:
        count = sa.select(sa.func.count()).select_from(RECORDS)
        answer["in_database"] = connection.execute(count).scalar_one()
    return answer


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--answers", type=int, default=1_000_000)
    given.add_argument("--events", type=int, default=100_000)
    given.add_argument("--home", type=Path)
    chosen = given.parse_args()
    with tempfile.TemporaryDirectory(prefix="yupana-trace-") as scratch:
        print(json.dumps(measure(chosen.home or Path(scratch), chosen.answers, chosen.events)))
