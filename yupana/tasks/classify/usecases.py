"""A use case that gives texts labels: what it takes from the kit. Nothing heavy is imported before
use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core import usecase
from yupana.core.errors import UsageError
from yupana.core.spec import Spec
from yupana.core.usecase import Tables
from yupana.tasks.classify import options as spec_options

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from rich.table import Table

    from yupana.core.evaluation import Evaluation, Paired
    from yupana.tasks.classify.model.cascade import Cascade
    from yupana.tasks.classify.model.head import Embed

Say = Callable[[str], None]


class ClassifyUseCase:
    """What all classifiers of texts share; a use case is an instance, or one of a subclass."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    @cached_property
    def options(self) -> spec_options.Options:
        """The section `classify` of the spec."""
        return spec_options.of(self.spec)

    @property
    def final(self) -> str:
        """Name of what `load` gives, in scores and reports."""
        return self.spec.model.final

    def features(self, tables: Tables) -> pl.DataFrame:
        """The texts of the published table, see `dataset.texts.of_table`; under the spec's key.

        Raises:
            TerminalError: a column is absent.
        """
        from yupana.tasks.classify.dataset import texts

        rows = texts.of_table(tables[self.spec.data.trigger], self.spec)
        return rows.rename({texts.ENTITY: self.spec.entity.key})

    def fit(
        self, frame: pd.DataFrame, out: Path, *, seed: int, say: Say,
        options: Mapping[str, Any] | None = None, embed: Embed | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Fit a cascade on a training set and write its files, with what was said of held-out
        texts beside them.

        Args:
            frame: see `dataset.folds.with_folds`.
            embed: default: the encoder itself, which takes some tens of milliseconds a text.
        """
        from yupana.tasks.classify.model import encoder, fit, store
        from yupana.tasks.classify.scoring import held_out

        names = tuple(sorted(frame["label"].unique()))
        data = fit.prepare(frame, names, self.options, embed or encoder.embed)
        cascade, held = fit.fit(data, names, self.options, seed=seed, say=say)
        shares = {name: float(n) for name, n in frame["label"].value_counts(normalize=True).items()}
        newest = f"{frame['event_timestamp'].max():%Y-%m-%d}"
        store.save(cascade, out, {"shares": shares, "knows_through": newest})
        said = {self.final: held.cascade, "student": held.student, "head": held.head}
        held_out.write(out, held_out.table(frame, said, names))
        metrics = {"texts": len(frame), "encoded_share": float(held.encoded.mean())}
        params = {
            "labels": len(names), "encoder": encoder.name(), "seed": seed, "knows_through": newest
        }  # fmt: skip
        return {"metrics": metrics, "params": params, "curve": []}

    def load(self, folder: Path) -> Cascade:
        """The fitted cascade in a folder."""
        from yupana.tasks.classify.model import store

        return store.load(folder)

    def baselines(self, frame: pd.DataFrame) -> Mapping[str, Any]:
        """What the cascade must beat, by name, learned from all of a training set."""
        import numpy as np

        from yupana.tasks.classify.model.baselines import BASELINES
        from yupana.tasks.classify.result import Text

        names = np.array(sorted(frame["label"].unique()))
        whole = [Text(t, x).whole for t, x in zip(frame["title"], frame["text"], strict=True)]
        labels = np.searchsorted(names, frame["label"].to_numpy().astype(str))
        return {
            name: BASELINES[name](whole, labels, len(names)) for name in self.spec.metric.baselines
        }

    def answer_table(self, answer: Mapping[str, Any]) -> Table:
        """An answer for people at a terminal."""
        from yupana.tasks.classify import answer_words

        return answer_words.table(self.spec, answer)

    def evaluate(self, folder: Path, rows: Path, *, seed: int) -> Evaluation:
        """Scores of the cascade and its baselines, see `scoring.evaluate`."""
        from yupana.tasks.classify.scoring import evaluate

        return evaluate.evaluate(self.spec, folder, rows, seed=seed)

    def paired(self, mine: Path, other: Path) -> Paired | None:
        """Two candidates on the texts that both were scored on, see `scoring.evaluate.paired`."""
        from yupana.tasks.classify.scoring import evaluate

        return evaluate.paired(mine, other, self.final)

    def card(self, folder: Path, evaluation: Evaluation) -> Sequence[str]:
        """Calibration and what declining gains, see `scoring.card`."""
        from yupana.tasks.classify.scoring import card

        return card.sections(folder, evaluation)

    def write_selftest(self, folder: Path, model: Cascade) -> None:
        """Keep a model's answers to its labels' own descriptions beside it."""
        from yupana.tasks.classify import selftest

        selftest.write(folder, model, self.options)

    def run_selftest(self, folder: Path, model: Cascade) -> None:
        """Demand that a loaded model answers as it did when it was deployed."""
        from yupana.tasks.classify import selftest

        selftest.run(folder, model, self.options)


def load(name: str) -> ClassifyUseCase:
    """A use case of this kind.

    Raises:
        UsageError: there is no such use case, or it is of another kind.
    """
    use_case = usecase.load(name)
    if not isinstance(use_case, ClassifyUseCase):
        raise UsageError(
            f"The use case '{name}' does not classify: it is of the kind {use_case.spec.task}.",
            where=f"models/{name}/usecase.yaml",
            fix=f"`yupana usecases {name}` tells what it can do.",
        )
    return use_case
