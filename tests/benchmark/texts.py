"""The student and the cascade beside fastText and scikit-learn on the same texts: quality by
threads that none has seen, texts a second, and how long one text takes.

Run: make bench-texts, or python -m tests.benchmark.texts FILE, a file with the columns of
`citizen_comments` (default: the shipped sample, which is too small and plain to say much of
quality). A fifth of the threads is kept out. fastText runs in an environment of its own. Writes
var/bench/texts.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from tests.benchmark.ingest import machine
from yupana.config.settings import settings
from yupana.core import spec
from yupana.core.progress import Lines, Progress
from yupana.tasks.classify import usecases
from yupana.tasks.classify.dataset import folds, texts
from yupana.tasks.classify.model import baselines, fit
from yupana.tasks.classify.model.cascade import Cascade
from yupana.tasks.classify.model.encoder import EmbeddingCache
from yupana.tasks.classify.result import Text
from yupana.tasks.classify.scoring import metrics
from yupana.tasks.classify.scoring.metrics import Predictions

USE_CASE, SEED, ONE_BY_ONE = "complaints", 0, 300
PUBLISHED = {
    "id": "comment_id", "proposalId": "thread_id", "proposal_title": "title",
    "topic_derived": "topic",
}  # fmt: skip
PEER = Path(__file__).with_name("texts_peer.py")
# Texts a second of the student, and milliseconds of the slowest hundredth of single texts.
TARGETS = {"student texts/s": 2000, "student p99 ms": 20}


def read(path: Path) -> Any:
    """The rows of a file with folds, as a training set has them."""
    table = pl.read_csv(path, infer_schema=False).rename(PUBLISHED, strict=False)
    day = pl.col("date").str.slice(0, 10).str.to_date("%Y-%m-%d")
    rows = texts.of_table(table.with_columns(day), spec.load(USE_CASE))
    return folds.with_folds(rows.to_pandas(), seed=SEED)


def timed(answer: Callable[[Sequence[str]], Any], asked: Sequence[str]) -> dict[str, float]:
    """Texts a second in batch, and the slowest hundredth of single ones in milliseconds."""
    answer(asked[:20])
    start = time.perf_counter()
    answer(asked)
    batch = len(asked) / (time.perf_counter() - start)
    each = []
    for one in asked[:ONE_BY_ONE]:
        start = time.perf_counter()
        answer([one])
        each.append(1000 * (time.perf_counter() - start))
    return {"texts_per_second": batch, "p99_ms": float(np.quantile(each, 0.99))}


def score(shares: Any, truth: Any, names: Any) -> dict[str, float]:
    """Macro-F1 and accuracy (0-1) of probabilities."""
    of = Predictions(truth, names[shares.argmax(axis=1)], shares.max(axis=1))
    return {"macro_f1": metrics.macro_f1(of, names), "accuracy": metrics.accuracy(of)}


def run(path: Path, out: Path, progress: Progress) -> dict[str, Any]:
    """All sides on one file."""
    rows = read(path)
    held = (rows["part"] == "fold_0").to_numpy()
    names = np.array(sorted(rows["label"].unique()), object)
    whole = [Text(t, x).whole for t, x in zip(rows["title"], rows["text"], strict=True)]
    mine, asked = ([whole[i] for i in np.flatnonzero(part)] for part in (~held, held))
    truth = rows["label"].to_numpy()[held]
    labels = np.searchsorted(names.astype(str), rows["label"].to_numpy().astype(str))
    results: dict[str, Any] = {}
    for name, fitter in baselines.BASELINES.items():
        progress.say(f"{name} …")
        fitted = fitter(mine, labels[~held], len(names))
        results[f"{name} (scikit-learn)"] = score(fitted(asked), truth, names) | timed(
            fitted, asked
        )
    cascade = _cascade(rows[~held], names, progress)
    student = cascade.student.probabilities
    results["student"] = score(student(asked), truth, names) | timed(student, asked)
    pairs = [Text(t, x) for t, x in zip(rows["title"][held], rows["text"][held], strict=True)]
    start = time.perf_counter()
    shares = cascade.probabilities(pairs)
    per_second = len(pairs) / (time.perf_counter() - start)
    results["cascade"] = score(shares, truth, np.array(cascade.labels, object)) | {
        "texts_per_second": per_second
    }
    progress.say("fastText, in an environment of its own …")
    results["fastText"] = _fasttext(out.parent, mine, labels[~held], asked, truth, names)
    return {"file": path.name, "learned": len(mine), "asked": len(asked), "sides": results}


def _cascade(rows: Any, names: Any, progress: Progress) -> Cascade:
    part = folds.with_folds(rows.drop(columns="part").reset_index(drop=True), seed=SEED)
    options = usecases.load(USE_CASE).options
    cache = EmbeddingCache(settings().home / "embeddings.db")
    there = sorted(part["label"].unique())
    data = fit.prepare(part, there, options, lambda t: cache.embed(t, progress.say))
    cascade, _ = fit.fit(data, there, options, seed=SEED, say=progress.say)
    return cascade


def _fasttext(
    folder: Path, mine: Sequence[str], labels: Any, asked: Sequence[str], truth: Any, names: Any
) -> dict[str, Any]:
    python = folder / "text-peers" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
        packages = ["fasttext-wheel>=0.9.2", "numpy<2", "setuptools"]
        install = [str(python), "-m", "pip", "install", "--quiet", *packages]
        if subprocess.run(install, check=False).returncode:
            return {"absent": "fasttext-wheel could not be installed here"}
    sent = json.dumps({"texts": [*mine], "labels": labels.tolist(), "asked": [*asked]})
    done = subprocess.run([str(python), str(PEER)], input=sent, capture_output=True, text=True)
    if done.returncode:
        return {"absent": done.stderr.strip().splitlines()[-1]}
    answer = json.loads(done.stdout.splitlines()[-1])
    said = names[np.array(answer.pop("said"))]
    of = Predictions(truth, said, np.ones(len(said)))
    return {"macro_f1": metrics.macro_f1(of, names), "accuracy": metrics.accuracy(of), **answer}


def show(report: dict[str, Any]) -> None:
    """The sides, and the student's ratio to each."""
    table = Table(title=f"{report['file']}: {report['asked']:,} texts of threads not seen before")
    columns = ("macro_f1", "accuracy", "texts_per_second", "p99_ms")
    for column in ("side", *columns, "student's texts/s over it"):
        table.add_column(column)
    base = report["sides"]["student"]["texts_per_second"]
    for name, of in report["sides"].items():
        cells = [f"{of[c]:,.3f}" if c in of else "–" for c in columns]
        ratio = f"{base / of['texts_per_second']:.1f}" if "texts_per_second" in of else "–"
        table.add_row(name, *cells, ratio)
    Console(width=120).print(table)


def main() -> None:
    """Measure, show and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(__file__).parents[2]
    sample = root / "samples" / "citizen_comments.csv"
    parser.add_argument("file", type=Path, nargs="?", default=sample)
    out = root / "var" / "bench" / "texts.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    report = run(parser.parse_args().file, out, Lines())
    report |= {"machine": machine(), "targets": TARGETS}
    out.write_text(json.dumps(report, indent=1, ensure_ascii=False))
    show(report)


if __name__ == "__main__":
    main()
