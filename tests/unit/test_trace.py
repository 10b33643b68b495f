"""The walk from an answer back to the published bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.lineage import events
from yupana.trace.backward import render, sources, to_json, trace

RAW = "raw:" + "a" * 64


@pytest.fixture
def log(tmp_path: Path) -> str:
    """One thread from a file to an answer, with a failure and a second training beside it."""
    home = Settings(home=tmp_path)

    def event(step: str, inputs: tuple[str, ...], *outputs: str, **facts: object) -> None:
        events.append(
            home,
            step,
            "x",
            status="done",
            inputs=inputs,
            outputs=outputs,
            facts=facts,
        )

    event(
        "land", (), RAW, raw={"source": "cases [2021].csv"}, publisher="CDC Perú", licence="ODC-BY"
    )
    event("ingest", (RAW,), "delta:published/cases@1", rows={"read": 12345, "quarantined": 0})
    event("features", ("delta:published/cases@1", "delta:published/climate@0"), "training:1")
    event("train", ("training:1",), "model:outbreak@1", seed=1)
    events.append(
        home, "train", "x", status="failed", outputs=("model:outbreak@1",)
    )
    event("train", ("training:1", "delta:published/cases@1"), "model:outbreak@1", seed=2)
    event("predict", ("model:outbreak@1",), "prediction:abc", "prediction:def")
    return home.events


def test_answer_leads_to_the_bytes(log: str) -> None:
    node = trace(log, "prediction:def")
    assert sources(node) == [RAW]
    model = node.children[0]
    assert model.ref == "model:outbreak@1"
    assert model.event is not None and model.event["facts"] == {"seed": 2}, "newest success"


def test_bare_id_is_a_prediction(log: str) -> None:
    assert trace(log, "abc").ref == "prediction:abc"


def test_each_reference_is_opened_once(log: str) -> None:
    model = trace(log, "model:outbreak@1")
    training, cases = model.children
    assert [c.ref for c in training.children] == [cases.ref, "delta:published/climate@0"]
    assert training.children[0].children and not training.children[0].again
    assert cases.again and not cases.children


def test_input_that_no_step_made_is_still_traced(log: str) -> None:
    assert trace(log, "delta:published/climate@0").event is None


def test_cycle_ends(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    events.append(
        home, "s", "x", status="done", inputs=("a:1", "b:1"), outputs=("a:1",)
    )
    events.append(
        home, "s", "x", status="done", inputs=("a:1",), outputs=("b:1",)
    )
    node = trace(home.events, "a:1")
    assert [c.ref for c in node.children] == ["b:1"]
    assert node.children[0].children[0].again


@pytest.mark.parametrize("ref", ["prediction:zzz", "zzz"])
def test_unknown_reference_says_how_to_find_one(log: str, ref: str) -> None:
    with pytest.raises(UsageError, match="prediction:zzz") as caught:
        trace(log, ref)
    assert "prediction:abc" in caught.value.fix


def test_empty_log_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        trace(Settings(home=tmp_path).events, "abc")
    assert "empty" in caught.value.fix


def test_rendered_tree_tells_source_publisher_and_licence(log: str) -> None:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(render(trace(log, "model:outbreak@1")))
    text = capture.get()
    for part in (
        RAW,
        "source: cases [2021].csv",
        "publisher: CDC Perú",
        "licence: ODC-BY",
        "rows: read 12,345, quarantined 0",
        "delta:published/cases@1 …",
        "no step recorded",
        " UTC",
    ):
        assert part in text


def test_many_answers_of_one_step_are_counted_not_listed(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    answers = tuple(f"prediction:{n:03}" for n in range(50))
    events.append(home, "predict", "x", status="done", outputs=answers)
    events.append(
        home,
        "monitor",
        "x",
        status="done",
        inputs=answers,
        outputs=("report:x/1",),
    )
    node = trace(home.events, "report:x/1")
    assert len(node.children) == len(to_json(node)["inputs"]) == 50
    console = Console(width=160)
    with console.capture() as capture:
        console.print(render(node))
    text = capture.get()
    assert "prediction:002" in text and "prediction:003" not in text
    assert "and 47 more from the same steps" in text


def test_json_holds_the_same_tree(log: str) -> None:
    tree = to_json(trace(log, "abc"))
    assert tree["step"] == "predict"
    first = tree["inputs"][0]["inputs"][0]["inputs"][0]
    assert first["inputs"][0]["facts"]["publisher"] == "CDC Perú"


def test_ingestion_tells_since_when_it_was_known_and_its_audit(tmp_path: Path) -> None:
    home = Settings(home=tmp_path)
    events.append(
        home, "ingest", "x", status="done", outputs=("delta:published/x@0",),
        facts={"known_on": "2021-12-31", "validation": "ab12", "run": "r"},
    )  # fmt: skip
    console = Console(width=160)
    with console.capture() as capture:
        console.print(render(trace(home.events, "delta:published/x@0")))
    assert "known_on: 2021-12-31" in capture.get() and "validation: ab12" in capture.get()
