"""Feedback on a prediction: what is stored, what is masked, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answers import record
from pydantic import BaseModel

from yupana.core.errors import UsageError
from yupana.predictions import feedback, log_writer, prediction_log
from yupana.tasks.forecast import payload
from yupana.tasks.forecast.frequency import WEEK

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OBSERVED = {"week_ending": "2022-01-08", "cases": 12}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'platform.db'}"


@pytest.fixture
def answered(url: str) -> str:
    one = record()
    log_writer.record(url, [one])
    return one.prediction_id


def _add(url: str, prediction_id: str, **changed: Any) -> str:
    usual: dict[str, Any] = {
        "kind": "observed", "payload": OBSERVED, "comment": "",
        "schema": payload.outcome(WEEK), "author": feedback.Author("k1", "A"), "now": NOW,
    }  # fmt: skip
    entry = prediction_log.by_id(url, prediction_id, "outbreak")
    assert entry
    return feedback.add(url, entry, **{**usual, **changed})


def test_feedback_is_stored_and_listed(url: str, answered: str) -> None:
    first = _add(url, answered)
    second = _add(
        url, answered, kind="complaint", payload={}, comment="Faltan camas.",
        now=NOW + timedelta(hours=1),
    )  # fmt: skip
    rows = feedback.listing(url, "outbreak", NOW)
    assert [r.feedback_id for r in rows] == [first, second]
    assert (rows[0].payload, rows[0].payload_version, rows[0].time) == (OBSERVED, 1, NOW)
    assert (rows[0].entity, rows[0].agency, rows[1].payload) == ("160101", "A", {})
    later = feedback.listing(url, "outbreak", NOW + timedelta(minutes=1))
    assert [r.comment for r in later] == ["Faltan camas."]
    assert feedback.listing(url, "outbreak", NOW, "other") == []
    assert feedback.listing(url, "cholera", NOW) == []


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        ("Llame al 987654321 o al +51 987 654 321", "Llame al [TELÉFONO] o al [TELÉFONO]"),
        ("DNI 12345678, 12.345.678", "DNI [DNI], [DNI]"),
        ("a.b+c@salud.gob.pe escribe", "[CORREO] escribe"),
        ("Soy Ana Quispe, de Av. Grau 123", "Soy [NOMBRE], de [DIRECCIÓN]"),
        ("semana del 2022-01-08: 160101, 1234567 y 1234567890", None),
    ],
)
def test_personal_data_is_masked_before_it_is_kept(
    url: str, answered: str, words: str, masked: str | None
) -> None:
    _add(url, answered, comment=words)
    assert feedback.listing(url, "outbreak", NOW)[0].comment == (masked or words)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("kind", {"kind": "praise"}),
        ("week_ending", {"payload": {**OBSERVED, "week_ending": "2023-01-07"}}),
        ("week_ending", {"payload": {"cases": 12}}),
        ("cases", {"payload": {"week_ending": "2022-01-08"}}),
        ("cases", {"payload": {**OBSERVED, "cases": -1}}),
        ("beds", {"payload": {**OBSERVED, "beds": 3}}),
        ("cases", {"kind": "complaint", "payload": {**OBSERVED, "cases": -1}, "comment": "No."}),
        ("comment", {"comment": "x" * 1001}),
        ("comment", {"kind": "complaint", "comment": " "}),
    ],
)
def test_what_cannot_be_is_refused_and_the_field_named(
    url: str, answered: str, field: str, changed: dict[str, Any]
) -> None:
    with pytest.raises(UsageError) as caught:
        _add(url, answered, **changed)
    assert caught.value.where == field and "2022-01-08" in caught.value.fix
    assert feedback.listing(url, "outbreak", NOW) == []


def test_what_is_sent_again_is_stored_once_and_another_outcome_corrects_it(
    url: str, answered: str
) -> None:
    first = _add(url, answered)
    assert _add(url, answered, now=NOW + timedelta(hours=1)) == first
    second = _add(url, answered, payload={**OBSERVED, "cases": 13}, now=NOW + timedelta(hours=2))
    other = _add(url, answered, author=feedback.Author("k2", "B"), now=NOW + timedelta(hours=3))
    listed = feedback.listing(url, "outbreak", NOW)
    assert [f.feedback_id for f in listed] == [first, second, other]
    assert [f.feedback_id for f in feedback.newest(listed)] == [second, other]


def test_a_simulation_does_not_come_true(url: str) -> None:
    simulated = record(kind="simulation")
    log_writer.record(url, [simulated])
    with pytest.raises(UsageError, match="simulation does not come true"):
        _add(url, simulated.prediction_id)
    complaint = _add(url, simulated.prediction_id, kind="complaint", payload={}, comment="No.")
    assert [f.feedback_id for f in feedback.listing(url, "outbreak", NOW)] == [complaint]


def test_another_kind_says_what_it_observes(url: str, answered: str) -> None:
    """The platform knows no shape of an outcome: the kind brings it, with its version."""

    class Label(BaseModel):
        label: str

    schema = feedback.OutcomeSchema(Label, 3, lambda entry: f"label of {entry.entity}")
    _add(url, answered, payload={"label": "billing"}, schema=schema)
    (row,) = feedback.listing(url, "outbreak", NOW)
    assert (row.payload, row.payload_version) == ({"label": "billing"}, 3)
    with pytest.raises(UsageError) as caught:
        _add(url, answered, payload={}, schema=schema)
    assert caught.value.where == "label" and "label of 160101" in caught.value.fix
