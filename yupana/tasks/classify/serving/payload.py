"""What a classification's prediction log holds: its payload, and what comes back as feedback."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from yupana.predictions.entry import LogEntry
from yupana.predictions.feedback import OutcomeSchema
from yupana.tasks.classify.model.cascade import Cascade
from yupana.tasks.classify.options import Options
from yupana.tasks.classify.result import Classification, Text

VERSION = 1
"""Of the payload `{"label", "confidence", "probabilities", "language", "abstention", "words"}`,
and of the outcome `{"label"}`."""

LABEL = r"^[^\W_][\w ,.()/-]*$"
"""Of a label's name: as publishers write them, too."""

MOST_WORDS = 5
"""That are told to have counted."""


def of(said: Classification, cascade: Cascade, text: Text) -> dict[str, Any]:
    """The payload of a classification; `words` are those that speak most for its label, each with
    what it adds to the student's log-odds over the mean of the labels."""
    return {
        "label": said.label,
        "confidence": said.confidence,
        "probabilities": said.probabilities,
        "language": said.language,
        "abstention": said.abstention,
        "words": _words(said.label, cascade, text),
    }


def features(text: Text, said: Classification) -> dict[str, Any]:
    """What monitoring compares of a text: nothing of its words."""
    return {
        "words": len(text.whole.split()),
        "language": said.language or "unknown",
        "label": said.label,
    }


def outcome(options: Options) -> OutcomeSchema:
    """The label that was right."""
    names = ", ".join(options.labels) or "…"
    return OutcomeSchema(Outcome, VERSION, lambda entry: f"label: {names}")


class Outcome(BaseModel):
    """The label that was right, as a person says."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field(max_length=100, pattern=LABEL)


class Feedback(BaseModel):
    """Which label was right, or what is wrong with an answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "observed", "label": "animales"}],
            "if": {"properties": {"kind": {"const": "observed"}}},
            "then": {"required": ["label"]},
            "else": {"required": ["comment"]},
        },
    )

    kind: Literal["observed", "complaint"] = Field(
        description="observed: la etiqueta correcta / the right label; complaint: un reclamo"
    )
    label: str | None = Field(None, max_length=100, pattern=LABEL)
    comment: str = Field("", max_length=1000, description="sin datos personales / no personal data")


def explained(entry: LogEntry) -> dict[str, Any]:
    """An answer with the words that counted, as the explanation tells it."""
    payload = entry.payload
    return {
        "prediction_id": entry.prediction_id,
        "label": payload.get("label"),
        "confidence": payload.get("confidence"),
        "probabilities": payload.get("probabilities", {}),
        "abstention": payload.get("abstention", ""),
        "words": payload.get("words", []),
    }


def _words(label: str, cascade: Cascade, text: Text) -> list[dict[str, Any]]:
    if label not in cascade.labels:
        return []
    number = cascade.labels.index(label)
    parts = cascade.student.contributions(text.whole)
    weights = {word: float(logits[number] - logits.mean()) for word, logits in parts.items()}
    best = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_WORDS]
    return [{"word": word, "weight": round(weight, 3)} for word, weight in best if weight > 0]
