"""Cases from receipt to department: texts classified once, grouped, or given to a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import TransientError
from yupana.database.engine import engine
from yupana.tasks.classify.cases import duplicates, receipts, rule_files, store
from yupana.tasks.classify.cases.case import Case, CaseText
from yupana.tasks.classify.cases.intake import Intake, Received, Submission
from yupana.tasks.classify.cases.router import Router
from yupana.tasks.classify.cases.tables import CASE_EVENTS, CASES
from yupana.tasks.classify.result import Classification

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
RULES = rule_files.load("complaints")
LABELS = {"basura": "limpieza_y_residuos", "bus": "movilidad_y_transporte", "perro": "animales"}


def classify(texts: list[CaseText]) -> list[Classification]:
    """By a word of the text, as sure as can be."""
    return [one(text.text.lower()) for text in texts]


def one(text: str) -> Classification:
    if "qué sé yo" in text:
        return Classification("animales", 0.3, language="es", abstention="not_sure")
    if "wasi" in text:
        return Classification("animales", 0.9, language="qu")
    label = next((label for word, label in LABELS.items() if word in text), "animales")
    return Classification(label, 0.9, language="es", model="model:complaints@1")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def intake(settings: Settings) -> Intake:
    return Intake(settings, "complaints", RULES, receipts.configured(settings))


@pytest.fixture
def router(settings: Settings) -> Router:
    return Router(settings, "complaints", RULES, classify)


def send(intake: Intake, text: str, now: datetime = NOW, **more: Any) -> Received:
    return intake.receive(Submission(text, body=text.encode(), **more), now)


def case_of(settings: Settings, got: Received) -> Case:
    with engine(settings.platform_db).connect() as connection:
        case = store.case(connection, "complaints", got.case_id)
    assert case is not None
    return case


def all_routed(router: Router, now: datetime = NOW) -> int:
    total = 0
    while routed := router.run_once(now):
        total += routed
    return total


def test_a_case_goes_to_its_department_with_a_deadline(
    settings: Settings, intake: Intake, router: Router
) -> None:
    got = send(intake, "No recogen la basura de mi calle desde el lunes")
    assert got.state == "received" and got.deadline == datetime(2026, 3, 23, 22, tzinfo=UTC)
    assert router.run_once(NOW) == 1 and router.run_once(NOW) == 0
    case = case_of(settings, got)
    assert (case.state, case.department) == ("department", "limpieza_publica")
    assert (case.label, case.confidence, case.version) == ("limpieza_y_residuos", 0.9, 2)
    assert case.model == "model:complaints@1" and case.priority == "normal"
    with engine(settings.platform_db).connect() as connection:
        events = store.history(connection, got.case_id)
    assert [(e.number, e.what, e.by) for e in events] == [(1, "received", ""), (2, "routed", "")]


@pytest.mark.parametrize(
    ("text", "state", "department", "reason"),
    [
        ("¿A qué hora pasa el camión de la basura?", "answered", "limpieza_publica", ""),
        ("A qué hora pasa la basura, hay una fuga de gas", "department", "limpieza_publica", ""),
        ("Mi perro, qué sé yo", "review", "mesa_de_partes", "not_sure"),
        ("Wasi ukupi unu mana kanchu", "review", "mesa_de_partes", "language"),
        ("🙂🙂🙂", "review", "mesa_de_partes", "no_words"),
    ],
)
def test_who_gets_a_case(
    settings: Settings, intake: Intake, router: Router,
    text: str, state: str, department: str, reason: str,
) -> None:  # fmt: skip
    got = send(intake, text)
    router.run_once(NOW)
    case = case_of(settings, got)
    assert (case.state, case.department, case.abstention) == (state, department, reason)
    if state == "answered":
        assert case.answer and case.answer["source"] == "ejemplo"
        assert case.answer["id"] == "recojo_de_basura_horario"
    else:
        assert case.answer is None


def test_the_language_is_named_to_the_person(
    settings: Settings, intake: Intake, router: Router
) -> None:
    got = send(intake, "Wasi ukupi unu mana kanchu")
    router.run_once(NOW)
    assert case_of(settings, got).language == "qu"


def test_urgent_cases_have_less_time(settings: Settings, intake: Intake, router: Router) -> None:
    got = send(intake, "Hay un cable caído junto al bus")
    router.run_once(NOW)
    case = case_of(settings, got)
    assert (case.priority, case.rank) == ("emergencia", 0)
    assert case.deadline == NOW + timedelta(hours=4) == got.deadline


def test_a_suspended_classifier_leaves_all_to_people(settings: Settings, intake: Intake) -> None:
    got = send(intake, "No recogen la basura")
    router = Router(settings, "complaints", RULES, classify, suspended=lambda: True)
    router.run_once(NOW)
    case = case_of(settings, got)
    assert (case.state, case.abstention, case.label) == ("review", "suspended", "")


def test_a_classifier_that_is_away_is_waited_for_an_hour(
    settings: Settings, intake: Intake
) -> None:
    def away(texts: list[CaseText]) -> list[Classification]:
        raise TransientError("the model is away")

    got = send(intake, "No recogen la basura")
    router = Router(settings, "complaints", RULES, away)
    assert router.run_once(NOW) == 0 and case_of(settings, got).state == "received"
    assert router.run_once(NOW + timedelta(minutes=30)) == 0
    assert router.run_once(NOW + timedelta(minutes=61)) == 1
    assert case_of(settings, got).abstention == "away"


def test_a_text_that_the_classifier_fails_on_holds_up_no_other(
    settings: Settings, intake: Intake
) -> None:
    def fails(texts: list[CaseText]) -> list[Classification]:
        if any("perro" in text.text for text in texts):
            raise RuntimeError("this one")
        return classify(texts)

    bad, good = send(intake, "Mi perro"), send(intake, "No recogen la basura")
    Router(settings, "complaints", RULES, fails).run_once(NOW)
    assert case_of(settings, bad).abstention == "failed"
    assert case_of(settings, good).state == "department"


def test_the_same_text_is_grouped_whatever_its_spelling_and_nearly_the_same_too(
    settings: Settings, intake: Intake, router: Router
) -> None:
    text = "No recogen la basura en la avenida principal desde hace dos semanas y ya huele muy mal "
    text += "por todas partes, los vecinos estamos cansados de llamar sin respuesta alguna"
    texts = [text, f"¡¡{text.upper()}!!\n\n", f"{text} Gracias"]
    texts.append(text.replace("principal", "Grau").replace("dos semanas", "un mes"))
    cases = [send(intake, one, NOW + timedelta(seconds=n)) for n, one in enumerate(texts)]
    all_routed(router, NOW + timedelta(minutes=1))
    first, same, near, other = (case_of(settings, got) for got in cases)
    assert first.state == other.state == "department"
    assert same.state == near.state == "merged"
    assert same.duplicate_of == near.duplicate_of == first.id and other.duplicate_of == ""
    late = send(intake, text, NOW + timedelta(days=31))
    all_routed(router, NOW + timedelta(days=31))
    assert case_of(settings, late).state == "department", "only within the days of the rules"


def test_few_words_without_a_place_are_not_grouped(
    settings: Settings, intake: Intake, router: Router
) -> None:
    cases = [send(intake, "No pasa el bus") for _ in range(2)]
    here = [send(intake, "No pasa el bus", place={"area": "Belén"}) for _ in range(2)]
    all_routed(router)
    assert [case_of(settings, got).state for got in cases] == ["department"] * 2
    assert sorted(case_of(settings, got).state for got in here) == ["department", "merged"]


def test_texts_on_two_places_are_two_matters(
    settings: Settings, intake: Intake, router: Router
) -> None:
    text = "El semáforo de la esquina no funciona y los autos no paran en ningún momento"
    cases = [
        send(intake, text, NOW + timedelta(seconds=n), place={"address": address})
        for n, address in enumerate(["Calle 2", "CALLE 2.", "Jirón 9"])
    ]
    all_routed(router, NOW + timedelta(minutes=1))
    states = [case_of(settings, got).duplicate_of for got in cases]
    assert states == ["", cases[0].case_id, ""]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"lat": -3.75, "long": -73.25}, {"lat": -3.751, "long": -73.25}, True),
        ({"lat": -3.75, "long": -73.25}, {"lat": -3.8, "long": -73.25}, False),
        ({"area": "Belén"}, {"area": "BELEN", "address": "Calle 2"}, True),
        ({"area": "Belén"}, {"area": "Punchana", "address": "Calle 2"}, False),
        ({}, {"area": "Belén"}, True),
    ],
)
def test_two_places_are_one_where_nothing_that_both_tell_differs(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    assert duplicates._same_place(one, other) is same


def test_a_case_that_is_claimed_is_left_until_the_claim_ends(
    settings: Settings, intake: Intake, router: Router
) -> None:
    from yupana.tasks.classify.cases import claims

    got = send(intake, "No recogen la basura")
    claimed = claims.claim(settings.platform_db, "complaints", "another", NOW, 10)
    assert [case.id for case in claimed] == [got.case_id]
    assert router.run_once(NOW + timedelta(seconds=59)) == 0
    assert router.run_once(NOW + timedelta(seconds=60)) == 1


def test_of_two_routers_with_the_same_case_the_second_writes_nothing(
    settings: Settings, intake: Intake, router: Router
) -> None:
    got = send(intake, "No recogen la basura")

    def slow(texts: list[CaseText]) -> list[Classification]:
        assert router.run_once(NOW + timedelta(minutes=2)) == 1, "the claim of the first ended"
        return [Classification("animales", 0.9, language="es") for _ in texts]

    assert Router(settings, "complaints", RULES, slow).run_once(NOW) == 0
    case = case_of(settings, got)
    assert (case.label, case.version) == ("limpieza_y_residuos", 2)
    query = sa.select(sa.func.count()).select_from(CASE_EVENTS)
    with engine(settings.platform_db).connect() as connection:
        assert connection.scalar(query) == 2
        assert connection.scalar(sa.select(CASES.c.claimed_until)) is None
