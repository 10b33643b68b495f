"""Feedback on an answer: what is kept, what is masked, what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answers import given

from yupana.core.errors import UsageError
from yupana.governance import feedback, prediction_rows

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK = date(2022, 1, 8)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'platform.db'}"


@pytest.fixture
def answered(url: str) -> str:
    one = given()
    prediction_rows.record(url, [one])
    return one.prediction_id


def _add(url: str, prediction_id: str, **changed: Any) -> str:
    usual = {
        "kind": "observed", "week_ending": WEEK, "cases": 12, "comment": "", "key_id": "k1",
        "agency": "A", "now": NOW,
    }  # fmt: skip
    return feedback.add(url, prediction_id, **{**usual, **changed})


def test_feedback_is_kept_and_listed(url: str, answered: str) -> None:
    first = _add(url, answered)
    second = _add(
        url, answered, kind="complaint", week_ending=None, cases=None, comment="Faltan camas.",
        now=NOW + timedelta(hours=1),
    )  # fmt: skip
    rows = feedback.listing(url, NOW)
    assert [r["feedback_id"] for r in rows] == [first, second]
    assert (rows[0]["cases"], rows[0]["week_ending"], rows[0]["time"]) == (12, "2022-01-08", NOW)
    assert [r["comment"] for r in feedback.listing(url, NOW + timedelta(minutes=1))] == [
        "Faltan camas."
    ]
    assert feedback.listing(url, NOW, "other") == []


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Llame al 987654321 o al +51 987 654 321", "Llame al [teléfono] o al [teléfono]"),
        ("DNI 12345678, 12.345.678", "DNI [DNI], [DNI]"),
        ("a.b+c@salud.gob.pe escribe", "[e-mail] escribe"),
        ("semana del 2022-01-08: 160101, 1234567 y 1234567890", None),
    ],
)
def test_personal_data_is_masked_before_it_is_kept(
    url: str, answered: str, written: str, kept: str | None
) -> None:
    _add(url, answered, comment=written)
    assert feedback.listing(url, NOW)[0]["comment"] == (kept or written)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("kind", {"kind": "praise"}),
        ("week_ending", {"week_ending": date(2023, 1, 7)}),
        ("week_ending", {"week_ending": None}),
        ("cases", {"cases": None}),
        ("cases", {"cases": -1}),
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
    assert feedback.listing(url, NOW) == []


def test_an_answer_that_is_not_logged_has_no_feedback(url: str) -> None:
    with pytest.raises(UsageError, match="no answer 'abc'"):
        _add(url, "abc")
