"""Label Studio's tasks as they are written, and its annotations as they are read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.ledger import pseudonyms
from yupana.tasks.classify.labelling import annotations, label_studio, labels
from yupana.tasks.classify.labelling.annotations import Annotation, Export
from yupana.tasks.classify.labelling.labels import Label
from yupana.tasks.classify.labelling.review import ReviewItem

NAMES = ("agua", "luz <y> sombra")
NOW = datetime(2026, 3, 9, tzinfo=UTC)
TEXTS = {"n1": ("Agua", "Pierde agua"), "n2": ("", "Sin luz")}
ITEM = ReviewItem("uncertain", "n1", *TEXTS["n1"], "", "", "agua", 0.6, 0.1)


def task(entity: str = "n1", choice: str = "agua", by: Any = 7, **data: str) -> dict[str, Any]:
    """A task as Label Studio exports it, annotated."""
    title, text = TEXTS[entity]
    result = {"id": "x1", "from_name": "label", "to_name": "text", "type": "choices",
              "value": {"choices": [choice]}, "origin": "manual"}  # fmt: skip
    return {
        "id": 1, "project": 83, "created_at": "2026-03-09T21:52:49.513742Z", "drafts": [],
        "data": {"use_case": "notes", "entity": entity, "title": title, "text": text, **data},
        "annotations": [{"id": 1001, "completed_by": by, "was_cancelled": False,
                         "ground_truth": False, "lead_time": 4.2, "result": [result]}],
        "predictions": [],
    }  # fmt: skip


def read(folder: Path, *tasks: Any) -> Export:
    path = folder / "export.json"
    path.write_text(json.dumps(tasks), "utf-8")
    return annotations.read(path, "notes", TEXTS, NAMES)


def changed(**fields: Any) -> dict[str, Any]:
    """A task whose annotation has other fields."""
    one = task()
    one["annotations"][0] |= fields
    return one


def codes(export: Export) -> list[str]:
    return [refusal.code for refusal in export.refusals]


def test_a_task_begins_from_the_label_models_label() -> None:
    one = label_studio.task("notes", ITEM, Label("n1", "luz", "model", "label_model@1", 0.8))
    assert one["data"] | {"why": ""} == {
        "use_case": "notes", "entity": "n1", "title": "Agua", "text": "Pierde agua", "why": "",
    }  # fmt: skip
    [prediction] = one["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("label_model@1", 0.8)
    [result] = prediction["result"]
    assert result["value"] == {"choices": ["luz"]} and result["type"] == "choices"
    [other] = label_studio.task("notes", ITEM, None)["predictions"]
    assert (other["model_version"], other["score"]) == ("tfidf_by_group@1", 0.6)
    assert other["result"][0]["value"] == {"choices": ["agua"]}


def test_the_interface_names_what_tasks_and_results_name() -> None:
    view = ElementTree.fromstring(label_studio.interface(NAMES))
    choices = view.find("Choices")
    assert choices is not None
    result = label_studio.task("notes", ITEM, None)["predictions"][0]["result"][0]
    assert (choices.get("name"), choices.get("toName")) == (result["from_name"], result["to_name"])
    assert [c.get("value") for c in choices] == [*NAMES] and choices.get("choice") == "single"


def test_what_was_exported_comes_back(tmp_path: Path) -> None:
    tasks, _ = label_studio.write(tmp_path / "tasks.json", "notes", [ITEM], {}, NAMES)
    [one] = json.loads(tasks.read_text("utf-8"))
    one["annotations"] = [{"completed_by": 3, "result": one["predictions"][0]["result"]}]
    assert read(tmp_path, one).annotations == (Annotation("n1", "agua", "label-studio:3"),)


def test_a_person_is_the_same_with_or_without_an_address(tmp_path: Path) -> None:
    whole = {"id": 7, "email": "ana@example.org", "first_name": "Ana"}
    accounts = {read(tmp_path, task(by=by)).annotations[0].account for by in (7, whole)}
    assert accounts == {"label-studio:7"}


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (task(choice="aire"), "unknown_label"),
        (task(text="Pierde mucha agua"), "changed_text"),
        (task(title="Otro"), "changed_text"),
        (task() | {"data": task()["data"] | {"entity": "n9"}}, "unknown_text"),
        (changed(completed_by=None), "no_reviewer"),
        (changed(completed_by={"email": "x" * 300}), "no_reviewer"),
        (changed(result=[]), "no_choice"),
        (changed(result=task()["annotations"][0]["result"] * 2), "no_choice"),
        (changed(result=[{"from_name": "label", "type": "choices", "value": None}]), "no_choice"),
        (changed(result=[{"from_name": "label", "type": "choices", "value": {"choices": [["a"]]}}]),
         "no_choice"),
    ],
)  # fmt: skip
def test_an_annotation_that_cannot_be_imported(tmp_path: Path, one: Any, code: str) -> None:
    export = read(tmp_path, task("n2"), one)
    assert codes(export) == [code] and export.refusals[0].task == 1
    assert export.annotations == (Annotation("n2", "agua", "label-studio:7"),)
    assert code in annotations.WORDS


def test_one_persons_two_labels_of_a_text_are_both_refused(tmp_path: Path) -> None:
    export = read(tmp_path, task(), task("n2"), task(choice=NAMES[1]), task(by=8))
    assert [(r.task, r.code) for r in export.refusals] == [(0, "duplicate"), (2, "duplicate")]
    assert {(one.entity, one.account) for one in export.annotations} == {
        ("n2", "label-studio:7"), ("n1", "label-studio:8"),
    }  # fmt: skip


def test_cancelled_and_open_tasks_are_counted(tmp_path: Path) -> None:
    export = read(tmp_path, changed(was_cancelled=True), task("n2") | {"annotations": []})
    assert (export.skipped, export.unlabelled) == (1, 1)
    assert not export.annotations and not export.refusals


def test_tasks_of_another_use_case(tmp_path: Path) -> None:
    other = task(use_case="floods")
    with pytest.raises(UsageError, match="another use case: floods"):
        read(tmp_path, other, other)
    assert codes(read(tmp_path, task("n2"), other)) == ["other_use_case"]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", ""), (b"[]", ""), (b'{"a": 1}', ""), (b"\xff", ""), (b"[" * 100_000, ""),
        (b'[{"text": "x", "choice": "agua"}]', "task 0, data"),
        (b'[{"data": {"use_case": "notes", "entity": 5, "text": ""}}]', "task 0, data.entity"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_export(tmp_path: Path, content: bytes, where: str) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(content)
    with pytest.raises(UsageError) as error:
        annotations.read(path, "notes", TEXTS, NAMES)
    assert error.value.where.startswith(str(path)) and error.value.where.endswith(where)
    assert "JSON-MIN" in error.value.fix


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_reviewers_are_kept_by_pseudonyms_and_twice_is_once(home: Settings) -> None:
    mine = [Annotation("n1", "agua", "label-studio:7"), Annotation("n2", "agua", "label-studio:8")]
    assert annotations.keep(home, "notes", mine, NOW) == 2
    assert annotations.keep(home, "notes", mine, NOW) == 0
    kept = {label.entity: label for label in labels.of(home.platform_db, "notes")}
    assert {label.source for label in kept.values()} == {"reviewer"}
    author = kept["n1"].author
    assert author.startswith("person:") and author != kept["n2"].author
    assert pseudonyms.account(home.platform_db, author) == "label-studio:7"
    later = NOW + timedelta(minutes=1)
    assert annotations.keep(home, "notes", [mine[0]._replace(label="luz")], later) == 1
    assert {label.label for label in labels.of(home.platform_db, "notes")} == {"agua", "luz"}


def test_a_write_that_fails_leaves_no_label_and_no_person(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> int:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(labels, "add_within", fail)
    with pytest.raises(RuntimeError):
        annotations.keep(home, "notes", [Annotation("n1", "agua", "label-studio:7")], NOW)
    with engine(home.platform_db).connect() as connection:
        assert not connection.scalar(sa.select(sa.func.count()).select_from(pseudonyms.PEOPLE))
    assert not labels.of(home.platform_db, "notes")
