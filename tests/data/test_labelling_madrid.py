"""Labelling functions of the shipped use case on real texts of citizens, Decide Madrid."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import f1_score

from yupana.config.settings import ROOT
from yupana.core.progress import Silent
from yupana.tasks.classify.labelling import apply, definitions, functions, votes
from yupana.tasks.classify.labelling.apply import Outcome
from yupana.tasks.classify.labelling.functions import Labelling

pytestmark = [pytest.mark.real]


def outcome(path: Path, *, titles: bool) -> tuple[Outcome, list[str]]:
    """What the functions say of all texts, and the publisher's topics.

    Topics were derived by thread, of which the title is what they were derived from: without
    titles the functions see what a citizen wrote, and nothing else.
    """
    about = definitions.read(ROOT / "models" / "complaints" / "labelling.yaml")
    labelling = Labelling(about.labels, tuple(map(functions.of_definition, about.functions)))
    title = pl.col("proposal_title") if titles else pl.lit("")
    texts = pl.read_csv(path).select(
        pl.col("id").cast(pl.String).alias("entity"), title.alias("title"), "text",
        pl.col("topic_derived").alias("label"),
    )  # fmt: skip
    return apply.run(labelling, texts, [], 1, Silent()), texts["label"].to_list()


def macro_f1(truth: list[str], labels: list[str]) -> float:
    return float(f1_score(truth, labels, average="macro"))


@pytest.mark.parametrize(
    ("titles", "least", "covered"), [(False, 0.44, 0.64), (True, 0.68, 0.96)]
)  # fmt: skip
def test_topics_of_the_functions(shared, titles: bool, least: float, covered: float) -> None:
    path = shared("citizen_text_decide_madrid/comments_topics.csv")
    result, truth = outcome(path, titles=titles)
    names, most = result.votes.labels, max(set(truth), key=truth.count)
    there = result.model.covered
    assert there.mean() > covered
    mine = [names[i] for i in result.model.probabilities.argmax(axis=1)]
    whole = [label if is_there else most for label, is_there in zip(mine, there, strict=True)]
    assert macro_f1(truth, whole) > least > 5 * macro_f1(truth, [most] * len(truth))
    # Where functions speak, the label model is better than counting them.
    rows = there.nonzero()[0]
    counted = votes.majority(result.votes)
    spoken = [truth[row] for row in rows]
    by_model = macro_f1(spoken, [mine[row] for row in rows])
    assert by_model > macro_f1(spoken, [counted[row] or most for row in rows]) + 0.015
    # No surer than it is right: its functions are not independent, and this is how far.
    assert result.agreement and result.confidence
    assert -0.15 < result.confidence - result.agreement < 0.02


def test_no_function_is_useless_and_the_summary_quotes_no_text(shared) -> None:
    path = shared("citizen_text_decide_madrid/comments_topics.csv")
    result, truth = outcome(path, titles=False)
    assert all(report.coverage > 0.005 for report in result.reports)
    shares = {label: truth.count(label) / len(truth) for label in set(truth)}
    for report in result.reports:
        assert report.accuracy and report.accuracy > shares[report.labels[0]], report
    summary = json.dumps(apply.summary(result), ensure_ascii=False)
    assert len(summary) < 20_000 and "Pero si esto" not in summary
