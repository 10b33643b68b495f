"""The command that makes a candidate from a split."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core.hashing import value_sha256
from yupana.core.progress import Lines
from yupana.core.types import StepResult
from yupana.training.candidate_steps import folder

Split = Annotated[str, typer.Option("--split", help="Reference that `yupana split` printed.")]


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(fit)


def fit(use_case: UseCase, split: Split, as_json: AsJson = False) -> StepResult:
    """Fit the classifier on a split: student, encoder's head, and when to leave it to a person.

    Texts are embedded once; what was embedded before is taken from embeddings.db at home.

    Example: yupana fit complaints --split split:0123456789abcdef
    """
    from yupana.lineage import events, steps

    config = settings()
    code = events.code_hash(config.root, "models", "yupana/tasks/classify")
    identity = value_sha256([split, code, config.seed])[:16]
    out = folder(config, f"candidate:{identity}")

    def work() -> steps.Outcome:
        from functools import partial

        from yupana.features import training_sets
        from yupana.tasks.classify import usecases
        from yupana.tasks.classify.model.encoder import EmbeddingCache
        from yupana.tracking import facts

        start, say = time.monotonic(), Lines().say
        rows = training_sets.load(config, use_case, split)
        cache = EmbeddingCache(config.home / "embeddings.db")
        fitted = usecases.load(use_case).fit(
            rows, out, seed=config.seed, say=say, embed=partial(cache.embed, say=say)
        )
        (out / "fit.json").write_text(json.dumps(fitted))
        about = asdict(training_sets.about(config, use_case, split))
        run = facts.record(config, out, about, time.monotonic() - start, facts.hardware())
        code = {**run["code"], **{k: run["environment"][k] for k in ("lock", "python")}}
        return steps.Outcome(
            (f"candidate:{identity}",), metrics={**fitted["metrics"], "code": code}
        )

    return emit(
        steps.run(
            config, "fit", use_case, work, inputs=(split,), depends_on=[code, config.seed],
            still_there=lambda _: out.is_dir(), earlier=True,
        ),
        as_json,
    )  # fmt: skip
