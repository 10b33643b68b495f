"""`yupana label …` on a small use case: what is written, by whom, and once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import yupana
from small_texts import DATASET, LABELLING, NAME, publish, texts, write_use_case

from yupana.config.settings import Settings
from yupana.lineage import events
from yupana.tasks.classify.labelling import labels


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from write_use_case(tmp_path, monkeypatch)


@pytest.fixture
def home(tmp_path: Path, folder: Path) -> Settings:
    return publish(tmp_path / "home", texts())


def kept(home: Settings) -> list[labels.Label]:
    return labels.of(home.platform_db, NAME)


def test_functions_are_shown_and_nothing_is_written(home: Settings) -> None:
    out = yupana(home, "label", "functions", NAME)
    assert out.code == 0, out.stderr
    assert "water@1" in out.stdout and "counted once: water@1, water_again@1" in out.stdout
    facts = yupana(home, "label", "functions", NAME, "--json").json()
    assert facts["texts"] == 60 and facts["agreement"] == 1 and not kept(home)
    assert {f["function"]: f["accuracy"] for f in facts["functions"]}["noise@1"] == 1


def test_labels_say_what_gave_them_and_again_changes_nothing(home: Settings) -> None:
    first = yupana(home, "label", "apply", NAME, "--json").json()
    assert first["status"] == "done" and first["covered"] == first["texts"] == 60
    by = Counter((label.source, label.author) for label in kept(home))
    assert by[("function", "water@1")] == 20 and by[("model", "label_model@1")] == 60
    assert first["new_labels"] == by.total()
    assert yupana(home, "label", "apply", NAME, "--json").json()["status"] == "unchanged"
    table = json.loads((home.reports / NAME / "labelling.json").read_text("utf-8"))
    assert table["copies"] == [["water@1", "water_again@1"]]
    event = events.last_done(home.events, "label_apply", NAME)
    assert event and event["inputs"] == [f"delta:published/{DATASET}@0"]
    assert "Pierde" not in json.dumps(event) and "tubería" not in json.dumps(event)


def test_a_changed_function_needs_a_version_and_old_labels_are_withdrawn(
    home: Settings, folder: Path
) -> None:
    yupana(home, "label", "apply", NAME, "--json").json()
    other = LABELLING.replace("{any: [farola*, apagad*]", "{any: [farola*]")
    (folder / "labelling.yaml").write_text(other, "utf-8")
    refused = yupana(home, "label", "apply", NAME)
    assert refused.code == 2 and "light@1 is not what it was" in refused.stderr
    newer = other.replace("light, version: 1", "light, version: 2")
    (folder / "labelling.yaml").write_text(newer, "utf-8")
    yupana(home, "label", "apply", NAME, "--json").json()
    hold = [label for label in kept(home) if label.confidence > 0]
    by = Counter(label.author for label in hold)
    assert by["light@1"] == 0 and by["light@2"] == 10 and by["label_model@1"] == 50
    withdrawn = [label for label in kept(home) if label.confidence == 0]
    assert len(withdrawn) == 20 + 10


def test_review_writes_what_needs_a_person(home: Settings, tmp_path: Path) -> None:
    out = tmp_path / "review.csv"
    words = ("label", "review", NAME, "--out", str(out), "--most", "5", "--json")
    first = yupana(home, *words).json()
    assert first["texts"] == 5 and out.exists() and first["judged"] == 60
    assert yupana(home, *words).json()["status"] == "unchanged"
    out.unlink()
    assert yupana(home, *words).json()["status"] == "done"
    assert yupana(home, "label", "review", NAME, "--out", "x.xlsx").code == 2


def annotated(path: Path, out: Path, choice: str = "", **data: str) -> Path:
    """The exported tasks as reviewer 7 completed them, the first two with a choice of its own."""
    tasks: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    for number, task in enumerate(tasks):
        result = task["predictions"][0]["result"]
        task["annotations"] = [{"completed_by": 7, "result": json.loads(json.dumps(result))}]
        if number < 2 and choice:
            task["annotations"][0]["result"][0]["value"]["choices"] = [choice]
        if number < 2:
            task["data"] |= data
    out.write_text(json.dumps(tasks), "utf-8")
    return out


def test_from_export_to_import(home: Settings, tmp_path: Path) -> None:
    yupana(home, "label", "apply", NAME, "--json").json()
    tasks = tmp_path / "tasks.json"
    yupana(home, "label", "export", NAME, "--out", str(tasks), "--most", "6", "--json").json()
    assert 'value="ruido"' in tasks.with_suffix(".xml").read_text("utf-8")
    assert {p["model_version"] for t in json.loads(tasks.read_text("utf-8"))
            for p in t["predictions"]} == {"label_model@1"}  # fmt: skip
    done = annotated(tasks, tmp_path / "done.json", choice="ruido")
    result = yupana(home, "label", "import", NAME, str(done), "--json").json()
    assert (result["annotations"], result["new_labels"], result["refused"]) == (6, 6, 0)
    mine = [label for label in kept(home) if label.source == "reviewer"]
    assert len(mine) == 6 and len({label.author for label in mine}) == 1
    assert mine[0].author.startswith("person:")
    again = yupana(home, "label", "import", NAME, str(done), "--json").json()
    assert again["status"] == "unchanged"
    # Who is reviewed is asked for no more.
    yupana(home, "label", "export", NAME, "--out", str(tasks), "--most", "60", "--json").json()
    asked = {task["data"]["entity"] for task in json.loads(tasks.read_text("utf-8"))}
    assert not asked & {label.entity for label in mine}


def test_a_new_label_is_in_the_next_export(home: Settings, folder: Path, tmp_path: Path) -> None:
    words = ("label", "export", NAME, "--out", str(tmp_path / "tasks.json"), "--most", "3")
    yupana(home, *words, "--json").json()
    more = LABELLING.replace("labels: [agua,", "labels: [aire, agua,")
    (folder / "labelling.yaml").write_text(more, "utf-8")
    assert yupana(home, *words, "--json").json()["status"] == "done"
    assert 'value="aire"' in (tmp_path / "tasks.xml").read_text("utf-8")


def test_nothing_is_half_imported(home: Settings, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.json"
    yupana(home, "label", "export", NAME, "--out", str(tasks), "--most", "6", "--json").json()
    done = annotated(tasks, tmp_path / "done.json", text="edited by someone")
    refused = yupana(home, "label", "import", NAME, str(done))
    assert refused.code == 1 and "2 annotations cannot be imported" in refused.stderr
    report = json.loads((tmp_path / "done.refused.json").read_text("utf-8"))
    assert [(r["task"], r["code"]) for r in report] == [(0, "changed_text"), (1, "changed_text")]
    assert not kept(home) and "edited by" not in json.dumps(report)
    rest = yupana(home, "label", "import", NAME, str(done), "--set-aside", "--json").json()
    assert (rest["new_labels"], rest["refused"]) == (4, 2) and len(kept(home)) == 4


def test_a_use_case_without_functions_or_texts(home: Settings, folder: Path) -> None:
    (folder / "labelling.yaml").unlink()
    out = yupana(home, "label", "functions", NAME)
    assert out.code == 2 and "docs/labelling.md" in out.stderr
    (folder / "usecase.yaml").write_text(
        (folder / "usecase.yaml").read_text("utf-8").replace("text: body", "text: bodies"), "utf-8"
    )
    (folder / "labelling.yaml").write_text(LABELLING, "utf-8")
    from yupana.core import spec

    spec._read.cache_clear()
    out = yupana(home, "label", "functions", NAME)
    assert out.code == 2 and "no column 'bodies'" in out.stderr
