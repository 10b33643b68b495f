"""What a look into the prediction log returns: one prediction, and whom it was for.

Standard library alone: a person waits for a trace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

JSON_COLUMNS = ("parameters", "features", "payload", "caveats")
"""Columns that hold JSON in text."""


class Basis(NamedTuple):
    """What a prediction rests on.

    Attributes:
        deployment: empty where no deployment answered (a recorded prediction of a past day).
        features_ref: for example `delta:features/NAME@3`.
        data_as_of: the last day with data, ISO.
    """

    use_case: str
    model_version: str
    deployment: str
    features_ref: str
    data_as_of: str

    @property
    def model(self) -> str:
        """Reference of the model version."""
        return f"model:{self.use_case}@{self.model_version}"

    @property
    def refs(self) -> list[str]:
        """References of model, deployment and features."""
        deployment = [f"deployment:{self.deployment}"] if self.deployment else []
        return [self.model, *deployment, self.features_ref]


def basis(row: Any) -> Basis:
    """The basis of a row of the log, of its tables or of the lake (a mapping)."""
    return Basis(*(str(row[name]) for name in Basis._fields))


@dataclass(frozen=True)
class LogEntry:
    """One prediction as the log has it.

    Attributes:
        time: when it was answered, UTC; None for a row of a forecast table.
        kind: answer, simulation, shadow (recorded, and sent to no one), or forecast (a row of a
            table that a run wrote).
        entity: what it is about.
        parameters: what the caller asked for beside the entity, such as a horizon.
        features: by name; empty where they are not kept.
        payload: the whole prediction, in the shape that the use case's kind gives it; which part
            of it the caller received, its kind tells by the parameters.
        payload_version: of that shape.
        caveats: in Spanish and English, `code` for programs.
        key_id: the key that asked.
    """

    prediction_id: str
    time: datetime | None
    kind: str
    basis: Basis
    entity: str
    prediction_key: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    features: dict[str, Any] = field(default_factory=dict)
    payload: dict[str, Any] = field(default_factory=dict)
    payload_version: int = 0
    caveats: list[Any] = field(default_factory=list)
    key_id: str = ""
    agency: str = ""
    request_id: str = ""

    @property
    def use_case(self) -> str:
        return self.basis.use_case


def log_entry(row: Any) -> LogEntry:
    """A joined row of `prediction_records` and `predictions`, or one of the lake's table.

    Args:
        row: a mapping; JSON in text; `time` in seconds since 1970, or a moment.
    """
    time = row["time"]
    return LogEntry(
        row["prediction_id"],
        time if isinstance(time, datetime) else datetime.fromtimestamp(time, UTC),
        row["kind"],
        basis(row),
        row["entity"],
        row["prediction_key"],
        **{name: json.loads(row[name]) for name in JSON_COLUMNS},
        payload_version=row["payload_version"],
        key_id=row["key_id"],
        agency=row["agency"],
        request_id=row["request_id"],
    )
