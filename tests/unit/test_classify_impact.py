"""For whom a classifier is right: rates by group of made rows, waiting, and what is hidden."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from case_app import office

from yupana.config.settings import ROOT, Settings
from yupana.core import page, spec
from yupana.core.disclosure import FEWEST
from yupana.gate import service_conditions
from yupana.predictions import log_writer
from yupana.predictions.entry import Basis
from yupana.predictions.prediction_log import PredictionRecord, new_id, prediction
from yupana.tasks.classify.impact import measure, pages, report, rows, suppress
from yupana.tasks.classify.impact.measure import GroupImpact
from yupana.tasks.classify.impact.rows import Row
from yupana.tasks.classify.task import TASK

DAY = date(2024, 5, 1)


def texts(language: str, n: int, person: int, wrong: int, units: int = 20) -> list[Row]:
    """Texts of a language, of which some go to a person and some of the others wrongly."""
    return [
        Row(DAY, f"{language}-{i % units}", {"language": language, "length": "middle"},
            i < person, person <= i < person + wrong)
        for i in range(n)
    ]  # fmt: skip


def figures(rows_of: list[Row]) -> dict[tuple[str, str], GroupImpact]:
    return {(g.by, g.of): g for g in measure.groups("held_out", rows_of, seed=1)}


def test_who_goes_to_a_person_more_often_is_told_and_who_does_not_is_not() -> None:
    by = figures([*texts("es", 400, 80, 40), *texts("qu", 200, 150, 20)])
    quechua, spanish = by["language", "qu"].sent_to_person, by["language", "es"].sent_to_person
    assert quechua and spanish and (quechua.n, quechua.of, quechua.rate) == (150, 200, 0.75)
    assert (quechua.says, spanish.says) == ("worse", "better")
    assert quechua.interval and quechua.interval[0] < 0.75 < quechua.interval[1]
    wrong = by["language", "es"].routed_wrongly
    assert wrong and (wrong.n, wrong.of, wrong.says) == (40, 400, "unsure")
    # All are of one length: there is nobody to compare with.
    assert (by["length", "middle"].sent_to_person or quechua).says == ""


def test_none_of_few_is_not_called_better() -> None:
    by = figures([*texts("es", 400, 80, 40), *texts("qu", 60, 20, 0, units=6)])
    told = by["language", "qu"].routed_wrongly
    assert told and told.says == "unsure" and told.interval and told.interval[1] > 0.3


def test_texts_of_a_few_threads_have_no_interval() -> None:
    by = figures([*texts("es", 400, 80, 40), *texts("qu", 200, 150, 10, units=3)])
    told = by["language", "qu"].sent_to_person
    assert told and told.interval is None and told.says == ""


def test_a_group_under_five_is_hidden_with_another_that_would_tell_it() -> None:
    by = figures([*texts("es", 400, 80, 40), *texts("qu", 60, 20, 10), *texts("ay", 3, 1, 1)])
    assert by["language", "ay"].suppressed and by["language", "ay"].n is None
    assert by["language", "ay"].sent_to_person is None
    assert by["language", "qu"].n is None and not by["language", "es"].suppressed
    assert by["all", "all"].n == 463
    few_wrong = figures([*texts("es", 400, 80, 40), *texts("qu", 60, 20, 2)])["language", "qu"]
    assert few_wrong.suppressed and few_wrong.n == 60 and few_wrong.routed_wrongly is None
    assert few_wrong.sent_to_person and few_wrong.sent_to_person.n == 20


@pytest.mark.parametrize("seed", range(20))
def test_what_hidden_groups_sum_to_may_be_five_of_each(seed: int) -> None:
    counts = np.random.default_rng(seed).poisson(9, (6, 4))
    hide = suppress.hidden(counts)
    whole = np.column_stack([counts, counts.sum(axis=1)])
    assert not suppress.is_small(whole[~hide]).any()
    if hide.any() and not hide.all():
        for column in whole[hide].T:
            there = column[column > 0]
            if suppress.is_small(there).any():
                assert there.sum() - (len(there) - 1) >= FEWEST


def test_who_still_waits_counts_as_long_as_they_have_waited() -> None:
    days, answered = np.array([1.0, 2, 3, 4]), np.array([True, True, True, True])
    assert measure.median_wait(days, answered) == 2
    # Half are still unanswered after three days: nobody knows yet when half will be.
    assert measure.median_wait(np.array([1.0, 3, 3, 3]), np.array([1, 0, 0, 0], bool)) == np.inf
    assert measure.median_wait(np.array([1.0, 1, 5, 9]), np.array([0, 1, 1, 1], bool)) == 5


def test_a_case_is_read_from_its_history() -> None:
    start = datetime(2024, 5, 1, tzinfo=UTC)
    case = SimpleNamespace(
        id="c1", received=start, channel="web", place={"area": "Lima"}, language="qu",
        text="x " * 70, label="animales", duplicate_of="",
    )  # fmt: skip

    def event(days: int, what: str, **facts: Any) -> Any:
        return SimpleNamespace(time=start + timedelta(days), what=what, facts=facts)

    now = start + timedelta(10)
    history = [
        event(0, "received"), event(0, "routed", abstention=""),
        event(1, "corrected", label="animales", was="ruido"), event(4, "answered"),
    ]  # fmt: skip
    row = rows._case(case, history, [], now)
    assert (row.person, row.wrong, row.waited, row.answered) == (False, True, 4.0, True)
    assert row.of["area"] == "Lima" and row.of["length"] == "long" and row.of["language"] == "qu"
    open_row = rows._case(case, [event(0, "routed", abstention="language")], [], now)
    assert (open_row.person, open_row.wrong, open_row.waited, open_row.answered) == (
        True, False, 10.0, False
    )  # fmt: skip


def test_cases_and_answers_are_read_from_the_platform_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version: Any = SimpleNamespace(name="complaints", ref="model:complaints@1")
    settings, now = Settings(home=tmp_path), datetime.now(UTC) + timedelta(1)
    with office(settings, monkeypatch) as desk:
        rubbish = "No recogen la basura de la cuadra seis de mi barrio desde hace dos semanas"
        for text in (rubbish, rubbish, "El bus no para"):
            desk.send(text)
            desk.route()
        boss = desk.key("x", "supervisor")
        bus = next(c for c in desk.queue(boss) if "bus" in c["text"])
        body = {"version": bus["version"], "label": "animales", "reason": "va un perro"}
        assert desk.act(boss, bus["id"], "correct", **body).status_code == 200
    found = rows.cases(settings, version, now)
    assert [row.wrong for row in found] == [False, False, True]
    assert not any(row.person or row.answered for row in found)
    assert len({row.group for row in found}) == 2 and all(row.waited for row in found)
    basis = Basis("complaints", "1", "", "delta:features/complaint_texts@0", "")
    said = {"label": "animales", "language": "qu", "abstention": ""}
    made = prediction(basis, "e1", said, payload_version=1, features={"words": 3}, caveats=[])
    log_writer.record(settings.platform_db, [
        PredictionRecord(new_id(0.0), 1e9, made, {}, "", "", "answer", "")
    ])  # fmt: skip
    (row,) = rows.answers(settings, version)
    assert (row.person, row.wrong, row.of["language"], row.of["length"]) == (
        False, None, "qu", "short"
    )  # fmt: skip


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> dict[str, Any]:
    """The report of a made version, with its cases."""
    version = SimpleNamespace(name="complaints", ref="model:complaints@1",
                              tags={"split": "split:0"}, folder=tmp_path)  # fmt: skip
    cases = [
        Row(DAY, f"c{i}", {"language": "es", "channel": ("sms", "web")[i % 4 > 0]}, i % 3 == 0,
            i % 3 > 0 and i % 4 == 0, 1.0 if i % 4 else 21.0, True)
        for i in range(120)
    ]  # fmt: skip
    held = [*texts("es", 400, 80, 40), *texts("qu", 200, 150, 10), *texts("pt", 60, 12, 6),
            *texts("ay", 3, 1, 1)]  # fmt: skip
    monkeypatch.setattr(report, "check_whole", lambda _: None)
    monkeypatch.setattr(rows, "held", lambda *_: held)
    monkeypatch.setattr(rows, "answers", lambda *_: [])
    monkeypatch.setattr(rows, "cases", lambda *_: cases)
    settings = Settings(root=ROOT, home=tmp_path)
    made = report.make(settings, version, DAY)  # type: ignore[arg-type]
    files = report.write(settings, made)
    return {"made": made, "read": json.loads(files["json"].read_text()), "html": files["html"]}


def test_the_gate_and_the_site_read_the_report(document: dict[str, Any], tmp_path: Any) -> None:
    read = document["read"]
    assert read == document["made"] and service_conditions.is_whole(read)
    assert {"id", "model", "period", "rests_on", "groups", "summary_es", "summary_en"} <= set(read)
    everyone = [g for g in read["groups"] if g["by"] == "all"]
    assert len(everyone) == 1 and everyone[0]["n"] == 663
    by = {(g["by"], g["of"]): g for g in read["groups"]}
    assert by["cases_channel", "sms"]["waiting_days"]["days"] == 21
    assert by["language", "ay"] | {"n": None, "suppressed": True} == by["language", "ay"]
    assert {u["by"] for u in read["unmeasured"]} == {"person", "silent", "answers"} | {"area"}
    section = TASK.impact(read, spec.load("complaints"))
    assert section.answer and section.answer.state == "part" and "quechua" in section.answer.es
    out = page.write(tmp_path / "site.html", section.template, r=read, **section.values)
    assert "✖ peor" in out.read_text("utf-8") and section.template == pages.TEMPLATE


def test_the_page_says_it_in_spanish_first(document: dict[str, Any]) -> None:
    text = document["html"].read_text("utf-8")
    assert '<html lang="es">' in text and "Va más a una persona: quechua" in text
    assert "Espera más: sms (casos recibidos)" in text and "oculto" in text
    assert "3 textos" not in text and "http" not in text.replace("http://www.w3.org", "")
