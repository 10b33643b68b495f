"""A candidate's procedure tried on earlier seasons of its own split."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from yupana.config.lazy import settings
from yupana.console.options import emit
from yupana.core.hashing import value_sha256
from yupana.core.progress import Lines
from yupana.core.types import StepResult
from yupana.tasks.forecast.commands.fitting import members
from yupana.training.candidate_steps import folder

if TYPE_CHECKING:
    from yupana.config.settings import Settings


def backtest(use_case: str, candidate: str, span: str, as_json: bool = False) -> StepResult:
    """Try a candidate's procedure on earlier seasons of its split: `backtest --candidate`.

    Args:
        span: origins to fit anew for; empty = score what its members told of past years.
    """
    from yupana.lineage import events, steps

    config = settings()

    def work() -> steps.Outcome:
        from yupana.tasks.forecast import usecases
        from yupana.tasks.forecast.backtest import split as backtest_split
        from yupana.tasks.forecast.dataset import training_set

        split, *references = events.producer(config.events, candidate)["inputs"]
        rows = training_set.load(config, use_case, split)
        if span:
            definition = usecases.load(use_case)
            report = backtest_split.fitted_again(
                definition, rows, span=span, options=_options(config, candidate,
                definition.tunable),
                seed=config.seed, say=Lines().say,
            )  # fmt: skip
        else:
            folders = members(config, split, references).folders
            definition = usecases.load(use_case)
            report = backtest_split.of_members(definition, rows, folders, seed=config.seed)
        ref = f"backtest:{value_sha256([candidate, report['origins'], report['scores']])[:16]}"
        return steps.Outcome((ref,), metrics=report)

    code = events.code_hash(config.root, "models", "yupana/tasks/forecast")
    return emit(
        steps.run(
            config,
            "backtest",
            use_case,
            work,
            inputs=(candidate,),
            depends_on=[code, config.seed, span],
            earlier=True,
        ),
        as_json,
    )


def _options(settings: Settings, candidate: str, names: Any) -> dict[str, Any]:
    """The options that a candidate was fitted with."""
    params = json.loads((folder(settings, candidate) / "fit.json").read_text())["params"]
    return {name: params[name] for name in names}
