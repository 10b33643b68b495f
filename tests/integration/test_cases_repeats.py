"""The same text sent thousands of times is one matter, and the queue stays quick."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.database.engine import engine
from yupana.tasks.classify.cases import queue, receipts, rule_files
from yupana.tasks.classify.cases.case import CaseText, Person
from yupana.tasks.classify.cases.intake import Intake, Submission
from yupana.tasks.classify.cases.queue import Filter
from yupana.tasks.classify.cases.router import Router
from yupana.tasks.classify.cases.tables import CASES
from yupana.tasks.classify.result import Classification

NAME = "complaints"
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
TEXT = "No recogen la basura en la avenida principal desde hace dos semanas y ya huele muy mal"
SOON = 0.25
"""Seconds; a page of the queue takes some milliseconds where nothing is looked at twice."""


def classify(texts: list[CaseText]) -> list[Classification]:
    return [Classification("limpieza_y_residuos", 0.9, language="es") for _ in texts]


@pytest.mark.parametrize("many", [200, pytest.param(10_000, marks=pytest.mark.long)])
def test_repeats_are_grouped_under_the_first_and_the_queue_stays_quick(
    many: int, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path)
    rules = rule_files.load(NAME)
    engine(settings.platform_db)
    intake = Intake(settings, NAME, rules, receipts.configured(settings))
    first = intake.receive(Submission(TEXT), NOW)
    for number in range(1, many):
        intake.receive(Submission(f"{TEXT}{'.' * (number % 5)}"), NOW + timedelta(seconds=number))
    router = Router(settings, NAME, rules, classify)
    while router.run_once(NOW + timedelta(days=1)):
        pass
    began = time.perf_counter()
    page = queue.page(settings.platform_db, NAME, Person("key:x", None), Filter(), NOW, "", 50)
    assert time.perf_counter() - began < SOON
    assert [case.id for case in page.cases] == [first.case_id]
    assert page.reports == {first.case_id: many - 1}
    with engine(settings.platform_db).connect() as connection:
        assert {*connection.scalars(sa.select(CASES.c.state))} == {"department", "merged"}
