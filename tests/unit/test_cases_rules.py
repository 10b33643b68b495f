"""An agency's rules of cases: which texts they fit, and files that say what is wrong with them."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from yupana.config.settings import ROOT
from yupana.core.errors import UsageError
from yupana.tasks.classify.cases import rule_files
from yupana.tasks.classify.cases.case import CaseText
from yupana.tasks.classify.cases.decisions import decide
from yupana.tasks.classify.cases.phrases import Phrases, plain
from yupana.tasks.classify.result import Classification

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
SHIPPED = rule_files.folder("complaints")
TOPICS = ROOT.parent / "shared/data/citizen_text_decide_madrid/proposal_topics.csv"
RULES = rule_files.load("complaints")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the sample's rules, to be changed."""
    shutil.copytree(SHIPPED, tmp_path / "rules")
    return tmp_path / "rules"


def test_the_labels_of_the_sample_are_those_of_the_published_topics() -> None:
    if not TOPICS.exists():
        pytest.skip("the real data are not beside the clone")
    topics = {line.rsplit(",", 1)[1] for line in TOPICS.read_text("utf-8").splitlines()[1:]}
    assert topics == {*RULES.routing.labels}


def test_prepared_answers_of_the_sample_say_that_they_are_examples() -> None:
    assert len(RULES.answers) >= 4
    for answer in RULES.answers:
        assert answer.source.url == "ejemplo" and "(Texto de ejemplo)" in answer.es


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("¿A qué HORA?", "a que hora"), ("  ÑANDÚ--2 ", "nandu 2"), ("🙂", ""),
        ("fuga_de\ngas", "fuga de gas"),
    ],
)  # fmt: skip
def test_a_text_is_compared_without_its_spelling(text: str, bare: str) -> None:
    assert plain(text) == bare


@pytest.mark.parametrize(
    ("phrases", "text", "fits"),
    [
        ({"words": ["horario*", "basura|desmonte"]}, "¿Qué HORARIOS tiene la basura?", True),
        ({"words": ["horario*", "basura|desmonte"]}, "¿Qué horarios tiene?", False),
        ({"words": ["gas"]}, "Mucho gasto", False),
        ({"words": ["a que hora"]}, "¿A qué, hora pasa?", True),
        ({"words": ["basura"], "unless": ["no pasa*"]}, "La basura: no pasan", False),
        ({"pattern": "cuadra [0-9]+"}, "En la Cuadra 12", True),
    ],
)
def test_which_texts_a_rule_is_for(
    phrases: dict[str, object], text: str, fits: bool
) -> None:  # fmt: skip
    assert Phrases.model_validate(phrases).fit(text) is fits


def change(path: Path, **fields: object) -> None:
    values = yaml.safe_load(path.read_text("utf-8"))
    path.write_text(yaml.safe_dump({**values, **fields}, allow_unicode=True), "utf-8")


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        ({"desk": "luna"}, "routing.yaml", "no department 'luna'"),
        ({"normal": "lento"}, "routing.yaml", "no priority 'lento'"),
        ({"surprise": 1}, "routing.yaml, surprise", "Extra inputs"),
        ({"version": 0}, "routing.yaml, version", "greater than"),
        ({"urgency": [{"priority": "urgente", "pattern": "("}]}, "urgency.0.pattern", "pattern"),
        ({"urgency": [{"priority": "urgente", "words": ["|"]}]}, "urgency.0.words", "letters"),
        ({"priorities": {"normal": {"hours": 1, "working_days": 1}}}, "priorities.normal", "one"),
        ({"departments": [{"code": "a", "es": "A", "en": "A"}] * 2}, "routing.yaml", "twice"),
    ],
)
def test_a_slip_in_the_routing_names_file_field_and_mend(
    home: Path, fields: dict[str, object], where: str, says: str
) -> None:
    change(home / "routing.yaml", **fields)
    with pytest.raises(UsageError) as raised:
        rule_files.load("complaints", where=home)
    assert where in raised.value.where and says in raised.value.what
    assert "docs/cases.md" in raised.value.fix


def test_a_slip_in_an_answer_names_file_and_field(home: Path) -> None:
    path = home / "answers" / "registro_de_mascotas.yaml"
    whole = path.read_text("utf-8")
    for fields, where in (
        ({"when": {"labels": ["luna"], "words": ["a"]}}, "when.labels"),
        ({"when": {"labels": ["animales"]}}, "when"), ({"es": ""}, "es"),
        ({"source": {"url": "x", "day": "ayer"}}, "source.day"),
    ):  # fmt: skip
        path.write_text(whole, "utf-8")
        change(path, **fields)
        with pytest.raises(UsageError) as raised:
            rule_files.load("complaints", where=home)
        assert f"{path}, {where}" in raised.value.where
    path.write_text(f"{whole}\nid: again\n", "utf-8")
    with pytest.raises(UsageError, match="stands twice") as twice:
        rule_files.load("complaints", where=home)
    assert "line" in twice.value.where
    path.unlink()
    shutil.copy(home / "answers" / "reciclaje_puntos.yaml", path)
    with pytest.raises(UsageError, match="has a version 1 already"):
        rule_files.load("complaints", where=home)


def test_the_newest_version_in_force_is_given_and_none_where_two_answers_fit(home: Path) -> None:
    old = home / "answers" / "registro_de_mascotas.yaml"
    shutil.copy(old, new := home / "answers" / "registro_2.yaml")
    change(new, version=2, valid_from=date(2026, 6, 1), es="Nuevo.")
    rules = rule_files.load("complaints", where=home)
    question = "animales", "¿Cómo registro a mi perro?"
    for day, version in ((date(2026, 5, 31), 1), (date(2026, 6, 1), 2)):
        answer = rules.prepared(*question, day)
        assert answer and answer.version == version
    assert rules.prepared(*question, date(2025, 12, 31)) is None, "not in force yet"
    change(new, id="otra", valid_from=date(2026, 1, 1))
    two = rule_files.load("complaints", where=home)
    assert two.prepared(*question, NOW.date()) is None


@pytest.mark.parametrize(
    ("language", "start"), [("en", "(Example text)"), ("qu", "(Texto"), ("es", "(Texto")]
)
def test_an_answer_is_given_in_the_language_of_the_text_or_in_spanish(
    language: str, start: str
) -> None:
    (answer,) = [a for a in RULES.answers if a.id == "registro_de_mascotas"]
    assert answer.text(language).startswith(start)


def test_a_label_without_a_rule_is_a_persons() -> None:
    said = Classification("luna", 0.99, language="es")
    decision = decide(CaseText("a", "", "Algo pasa", NOW), said, RULES, NOW)
    assert (decision.state, decision.department, decision.abstention) == (
        "review", "mesa_de_partes", "no_rule",
    )  # fmt: skip
