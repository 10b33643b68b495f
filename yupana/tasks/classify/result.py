"""What a classifier says of one text."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Classification:
    """One text's label, or why a person must give it.

    Attributes:
        prediction_id: as the prediction log has it; empty before it is recorded.
        model: reference of the model version, `model:<use case>@<version>`.
        label: the most probable one, also where it is not relied on.
        confidence: calibrated probability (0-1) that `label` is right.
        probabilities: by label; they sum to 1.
        language: ISO 639-1 code, or empty where the text is too short to say.
        abstention: code of the reason why a person decides (`not_sure`, `language`, `too_short`,
            `far_from_training`, `suspended`); empty where the model's label is relied on.
    """

    label: str
    confidence: float
    probabilities: dict[str, float] = field(default_factory=dict)
    language: str = ""
    abstention: str = ""
    model: str = ""
    prediction_id: str = ""


@dataclass(frozen=True)
class Text:
    """What is classified: a heading, which may be empty, and the text itself, masked."""

    title: str
    text: str

    @property
    def whole(self) -> str:
        """Both as one text."""
        return f"{self.title}. {self.text}" if self.title else self.text
