"""What the monitor gets to know of a day: drift of texts, of labels and of confidence, how many go
to a person, how long the queue is, and how often people say that the label was right."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.spec import SUBMIT, Spec
from yupana.data.lake import delta
from yupana.monitoring.answers import ENTITY, Measures
from yupana.monitoring.check import Check
from yupana.monitoring.kind import Groups, Inputs, Labels, Observation, Run
from yupana.predictions import feedback, prediction_log
from yupana.predictions.entry import LogEntry
from yupana.predictions.feedback import OBSERVED, Feedback
from yupana.tasks.classify.monitoring import queue_checks
from yupana.tasks.classify.scoring import held_out
from yupana.tasks.classify.usecases import ClassifyUseCase

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("words", "language", "label")
"""Of a text and its answer, what is compared with the model's held-out texts."""

CONFIDENCE = "confidence"
LEAST = 30
"""Answers from which on a share says something."""

WORSE = 0.1
"""Accuracy (0-1) that is lost before someone is told."""

MOST_ABSTENTIONS = 0.5
"""Share of texts that goes to a person before someone is told."""


def inputs(settings: Settings, use_case: str, day: date) -> Inputs:
    """The table of texts: answers themselves are in the log."""
    from yupana.core import spec

    name = spec.load(use_case).features.table
    return Inputs(None, (delta.ref(settings.lake, "features", name).ref,), False)


def observe(settings: Settings, definition: ClassifyUseCase, run: Run) -> Observation:
    """Check the answers of the run's window, and score those that people judged."""
    name, url = definition.spec.name, settings.platform_db
    since = datetime.combine(run.day - timedelta(weeks=run.window), datetime.min.time(), UTC)
    entries = prediction_log.entries(url, name, since, ("answer",))
    judged = feedback.newest(feedback.listing(url, name, since))
    scored = performance(entries, judged)
    usual = held_out.read(run.folder, held_out.SCORED)
    checks = [
        *_abstentions(entries, run.day),
        *_accuracy(scored, run.day, definition, usual),
    ]
    if SUBMIT in definition.spec.actions:
        checks += queue_checks.checks(settings, name, run.day)
    return Observation(
        period=run.day, columns=COLUMNS, measures=Measures((CONFIDENCE,), confidences),
        groups=_groups, checks=tuple(checks), performance=scored, unfinished=(),
        vintage_periods=0, scores=(("accuracy", "", ""),), recurring=False,
    )  # fmt: skip


def confidences(payloads: pl.Series) -> pl.DataFrame:
    """The confidence of each answer (0-1)."""
    import polars as pl

    decoded = payloads.str.json_decode(pl.Struct({CONFIDENCE: pl.Float64}))
    return pl.DataFrame({CONFIDENCE: decoded.struct.field(CONFIDENCE)})


def performance(entries: list[LogEntry], judged: list[Feedback]) -> dict[str, Any]:
    """How often people said that the label was right: `n`, `accuracy`, `by_label`, `waiting`."""
    said = {entry.prediction_id: entry.payload for entry in entries}
    pairs = [
        (str(said[one.prediction_id].get("label")), str(one.payload["label"]))
        for one in judged if one.kind == OBSERVED and one.prediction_id in said
    ]  # fmt: skip
    right = Counter(truth for label, truth in pairs if label == truth)
    labels = Counter(truth for _, truth in pairs)
    return {
        "n": len(pairs),
        "accuracy": sum(right.values()) / len(pairs) if pairs else None,
        "by_label": [
            {"label": label, "n": n, "right": right[label] if n >= 5 else None}
            for label, n in sorted(labels.items())
        ],
        "waiting": len(entries) - len(pairs),
    }


def labels(spec: Spec) -> Labels:
    """Groups and measures by their names."""
    return Labels(
        entities=("textos", "texts"),
        groups={"language": ("lengua", "language"), "length": ("extensión", "length")},
        measures={
            "accuracy": ("exactitud", "accuracy"),
            "calibration_error": ("error de calibración", "calibration error"),
            "macro_f1": ("macro-F1", "macro-F1"),
        },
    )


def _groups(reference: pl.DataFrame) -> Groups:
    """By the language of the text."""
    language = "language" in reference.columns and dict(
        reference.select(ENTITY, "language").iter_rows()
    )
    return {"language": language} if language else {}


def _abstentions(entries: list[LogEntry], day: date) -> list[Check]:
    if len(entries) < LEAST:
        return [_unknown("abstention", day, len(entries))]
    share = sum(bool(entry.payload.get("abstention")) for entry in entries) / len(entries)
    is_alarm = share > MOST_ABSTENTIONS
    return [
        Check(
            "abstention", "", "", day, share, MOST_ABSTENTIONS, "alarm" if is_alarm else "ok",
            "warning",
            f"{share:.0%} de {len(entries)} textos fueron a una persona.",
            f"{share:.0%} of {len(entries)} texts went to a person.",
            "docs/runbooks.md#abstention", "drift" if is_alarm else "",
        )
    ]  # fmt: skip


def _accuracy(
    scored: dict[str, Any], day: date, definition: ClassifyUseCase, usual: Any
) -> list[Check]:
    mine = usual[usual[held_out.MODEL] == definition.final]
    if scored["n"] < LEAST or mine.empty:
        return [_unknown("accuracy", day, scored["n"])]
    expected = float((mine["said"] == mine["label"]).mean())
    lost = expected - scored["accuracy"]
    is_alarm = lost > WORSE
    return [
        Check(
            "accuracy", "", "", day, lost, WORSE, "alarm" if is_alarm else "ok", "warning",
            f"Acierta {scored['accuracy']:.0%} de {scored['n']}; se esperaba {expected:.0%}.",
            f"It is right on {scored['accuracy']:.0%} of {scored['n']}; {expected:.0%} was "
            "expected.",
            "docs/runbooks.md#accuracy", "performance" if is_alarm else "",
        )
    ]  # fmt: skip


def _unknown(check: str, day: date, n: int) -> Check:
    return Check(
        check, "", "", day, None, None, "unknown", "info",
        f"{n} respuestas son pocas para decirlo.", f"{n} answers are too few to say.",
        f"docs/runbooks.md#{check}",
    )  # fmt: skip
