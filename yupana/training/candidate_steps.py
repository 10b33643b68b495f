"""Candidates before they are registered: where they lie, how good they are, the step to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core import evaluation as evaluations
from yupana.core import usecase
from yupana.core.errors import UsageError
from yupana.core.evaluation import Evaluation
from yupana.core.types import StepResult
from yupana.lineage import events, steps
from yupana.tracking import facts


def evaluate(settings: Settings, use_case: str, candidate: str) -> StepResult:
    """Score a candidate and the baselines on the test rows, in all and by group.

    Args:
        candidate: reference of a fitted model.
    """

    def work() -> steps.Outcome:
        from yupana.features import training_sets
        from yupana.gate import measures

        fitted = events.producer(settings.events, candidate)
        rows = training_sets.path_of(settings, use_case, fitted["inputs"][0])
        evaluation = score(use_case, folder(settings, candidate), rows, seed=settings.seed)
        # Of all that it says, by group as well: the gate looks for this in the ledger.
        ref = measures.evaluation_ref(candidate, evaluation)
        return steps.Outcome((ref,), metrics={"scores": evaluation.scores})

    code = events.code_hash(settings.root, "models", "yupana/tasks")
    return steps.run(
        settings, "evaluate", use_case, work, inputs=(candidate,), depends_on=code, earlier=True
    )


def register(settings: Settings, use_case: str, candidate: str, backtest: str = "") -> StepResult:
    """Put an evaluated candidate into the registry; the better one becomes champion.

    Args:
        backtest: reference of a backtest of the candidate, in which it must be better as well.

    Raises:
        UsageError: the backtest is of another candidate.
    """
    evaluation = events.output(settings.events, "evaluate", use_case, candidate)

    def work() -> steps.Outcome:
        from yupana.features import training_sets
        from yupana.tracking import registry, runs

        split = events.producer(settings.events, candidate)["inputs"][0]
        tags = {"candidate": candidate, "split": split, "evaluation": evaluation}
        tags["project"] = settings.project
        tags["as_of"] = training_sets.about(settings, use_case, split).as_of
        files = folder(settings, candidate)
        if backtest:
            tags["backtest"] = backtest
            report = _report(settings, candidate, backtest)
            (files / runs.BACKTEST).write_text(json.dumps(report, indent=1))
        version = registry.register(settings, use_case, files, tags)
        facts = {"version": version.version, "alias": version.alias, "reason": version.reason}
        facts["as_of"] = tags["as_of"]
        return steps.Outcome((f"model:{use_case}@{version.version}",), metrics=facts)

    inputs = (candidate, evaluation, *([backtest] if backtest else []))
    return steps.run(settings, "register", use_case, work, inputs=inputs, earlier=True)


def _report(settings: Settings, candidate: str, backtest: str) -> dict[str, Any]:
    """What a backtest found.

    Raises:
        UsageError: it is of another candidate.
    """
    event = events.producer(settings.events, backtest)
    if candidate not in event["inputs"]:
        raise UsageError(
            f"{backtest} is of {event['inputs'][0]}.",
            where="--backtest",
            fix=f"Run `yupana backtest {event['subject']} --candidate {candidate}` for this one.",
        )
    return dict(event["facts"])


def folder(settings: Settings, reference: str) -> Path:
    """Where `member:<hash>` or `candidate:<hash>` lies."""
    kind, _, identity = reference.partition(":")
    return settings.home / f"{kind}s" / identity


def score(use_case: str, folder: Path, rows: Path, *, seed: int) -> Evaluation:
    """Score a candidate as its use case does, and keep what was measured in its folder.

    Args:
        rows: file of the training set, with its part `test`.

    Raises:
        TerminalError: there is nothing to score.
    """
    # A second evaluation says anew what it left: it may be by other code.
    (folder / evaluations.FILE).unlink(missing_ok=True)
    measured = usecase.load(use_case).evaluate(folder, rows, seed=seed)
    evaluation = measured.model_copy(update={"files": facts.added(folder)})
    evaluations.write(folder, evaluation)
    return evaluation
