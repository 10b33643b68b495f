"""What a service says in the words of its use case: of weeks and districts, months and series."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from yupana.core import spec
from yupana.serving import kind
from yupana.serving.application import application
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.serving.notes import Notes
from yupana.tasks.forecast.serving.question import questions

OUTBREAK, MALARIA = usecases.load("outbreak"), usecases.load("malaria")


def test_caveats_agree_with_the_gender_of_what_they_name() -> None:
    weekly, monthly = Notes.of(OUTBREAK), Notes.of(MALARIA)
    assert weekly.incomplete["es"].startswith("Las últimas semanas aún no están completas")
    assert monthly.incomplete["es"].startswith("Los últimos meses aún no están completos")
    assert weekly.pooled["es"].startswith("Distrito sin historia")
    assert monthly.pooled["es"].endswith("de todas las series.")
    assert "yupana predict malaria" in monthly.not_recorded["en"]
    assert "hasta 3 meses después" in monthly.too_stale(date(2021, 12, 31), 4)["es"]


@pytest.mark.parametrize(
    ("definition", "data_as_of", "day", "passed"),
    [
        (OUTBREAK, date(2022, 1, 1), date(2022, 1, 7), 0),
        (OUTBREAK, date(2022, 1, 1), date(2022, 1, 8), 1),
        (OUTBREAK, date(2022, 1, 1), date(2021, 12, 1), 0),
        (MALARIA, date(2021, 12, 31), date(2022, 1, 30), 0),
        (MALARIA, date(2021, 12, 31), date(2022, 1, 31), 1),
        (MALARIA, date(2021, 11, 30), date(2022, 2, 1), 2),
    ],
)
def test_whole_periods_pass(
    definition: usecases.ForecastUseCase, data_as_of: date, day: date, passed: int
) -> None:
    assert definition.frequency.passed(data_as_of, day) == passed


def test_a_question_is_bounded_by_the_spec() -> None:
    monthly = questions(MALARIA).forecast
    question = monthly.model_validate({"series": "160101-vivax"})
    assert (question.entities, question.horizon) == (["160101-vivax"], 3)
    for body in ({"series": "160101"}, {"series": "160101-vivax", "horizon": 4}, {"place": "x"}):
        with pytest.raises(ValidationError):
            monthly.model_validate(body)


def test_an_address_stands_for_each_action_of_the_spec() -> None:
    for definition in (OUTBREAK, MALARIA):
        about = spec.load(definition.spec.name)
        paths = application(about, kind.load(about.task)).openapi()["paths"]
        own = {p.split("/")[3] for p in paths if p.startswith(f"/v1/{about.name}/")}
        assert own == set(about.actions)
