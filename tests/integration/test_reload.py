"""Models change under a running service: promotion, refusal, shadow and canary."""

from __future__ import annotations

import json
import shutil
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import bentoml
import conftest
import pytest

from yupana.config.settings import settings
from yupana.gate import gate
from yupana.orchestration import service
from yupana.predictions import prediction_log
from yupana.tracking import facts, subjects
from yupana.tracking import slots as deployments
from yupana.tracking.slots import CHALLENGER, CHAMPION, Placed

pytestmark = pytest.mark.thread
WITHIN_SECONDS = 15
WHO = {"now": datetime(2022, 1, 5, tzinfo=UTC), "by": "test"}


@pytest.fixture
def slots(thread: conftest.Thread) -> Iterator[conftest.Thread]:
    """The running service; its champion is put back in the end."""
    yield thread
    url = thread.settings.platform_db
    deployments.clear(url, "outbreak", CHALLENGER, **WHO)
    deployments.place(url, "outbreak", CHAMPION, Placed("outbreak:1"), **WHO)
    _until(lambda: _models(thread)["models"], lambda m: [one["model"] for one in m] == [AT_1])


AT_1 = "outbreak@1"


def copied(version: int, change: Callable[[Path], None] = lambda folder: None) -> str:
    """Version 1 once more in the store, under another number, changed as told, let in by the gate.

    A change is one of the fit: its record agrees, and only the model's own test can find it.
    """
    tag = f"outbreak:{version}"
    if not any(str(m.tag) == tag for m in bentoml.models.list()):
        source = Path(bentoml.models.get("outbreak:1").path)
        with bentoml.models.create(tag) as made:
            shutil.copytree(
                source, made.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("model.yaml")
            )
            change(Path(made.path))
            record = Path(made.path) / facts.NAME
            fitted = json.loads(record.read_text()) | {"files": facts.files(Path(made.path))}
            record.write_text(json.dumps(fitted))
    model = subjects.of_folder("outbreak", version, Path(bentoml.models.get(tag).path))
    gate.admit(settings(), "outbreak", model, "deploy", datetime.now(UTC))
    return tag


def ask(thread: conftest.Thread) -> str:
    answer = service.ask(
        thread.url, "outbreak", "forecast",
        {"ubigeo": ["160101"], "horizon": 1, "as_of": "2022-01-05"}, key=thread.key,
    )  # fmt: skip
    return str(answer["predictions"][0]["model"])


def _models(thread: conftest.Thread) -> Any:
    headers = {"Authorization": f"Bearer {thread.key}"}
    request = urllib.request.Request(f"{thread.url}/v1/models", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def _until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + WITHIN_SECONDS
    while not good(state := look()):
        assert time.monotonic() < end, state
        time.sleep(0.2)
    return state


def _refused(thread: conftest.Thread, model: str) -> str:
    """Why a model is refused, once it is."""
    reply = _until(
        lambda: {one["model"]: one["why"] for one in _models(thread)["refused"]},
        lambda refused: model in refused,
    )
    return str(reply[model])


def test_a_promotion_under_load_fails_no_request(slots: conftest.Thread) -> None:
    answers: Counter[str] = Counter()
    stop = Event()

    def load() -> None:
        while not stop.is_set():
            try:
                answers[ask(slots)] += 1
            except Exception as error:  # every kind counts as a failed request
                answers[f"failed: {error}"] += 1

    clients = [Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        placed = Placed(copied(2))
        deployments.place(slots.settings.platform_db, "outbreak", CHAMPION, placed, **WHO)
        _until(lambda: answers["outbreak@2"], lambda n: n > 20)
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert set(answers) == {AT_1, "outbreak@2"} and answers[AT_1] > 0, answers


def test_a_model_that_fails_its_test_is_refused_and_the_old_one_serves(
    slots: conftest.Thread,
) -> None:
    def cut(folder: Path) -> None:
        weights = folder / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-2000])

    placed = Placed(copied(3, cut))
    deployments.place(slots.settings.platform_db, "outbreak", CHAMPION, placed, **WHO)
    refused = _refused(slots, "outbreak@3")
    assert str(slots.settings.home) not in refused, "no path of the machine is told"
    assert ask(slots) == AT_1


def test_a_model_that_answers_otherwise_is_refused(slots: conftest.Thread) -> None:
    def other(folder: Path) -> None:
        content = json.loads((folder / "model.json").read_text())
        content["means"] = [mean + 1 for mean in content["means"]]
        (folder / "model.json").write_text(json.dumps(content))

    placed = Placed(copied(4, other))
    deployments.place(slots.settings.platform_db, "outbreak", CHAMPION, placed, **WHO)
    assert "does not answer as it did" in _refused(slots, "outbreak@4")
    assert ask(slots) == AT_1


def test_a_shadow_is_recorded_and_never_told(slots: conftest.Thread) -> None:
    url = slots.settings.platform_db
    deployments.place(url, "outbreak", CHALLENGER, Placed(copied(2)), **WHO)
    _until(lambda: _models(slots)["models"], lambda m: [x["state"] for x in m][1:] == ["shadow"])
    since = datetime.now(UTC)
    assert {ask(slots) for _ in range(10)} == {AT_1}
    rows = prediction_log.entries(url, "outbreak", since, kinds=("answer", "shadow"))
    by_kind = Counter((row.kind, row.basis.model_version) for row in rows)
    assert by_kind["answer", "1"] == by_kind["shadow", "2"] >= 10


def test_a_canary_answers_its_share_of_the_callers_and_says_so(slots: conftest.Thread) -> None:
    url = slots.settings.platform_db
    deployments.place(url, "outbreak", CHALLENGER, Placed(copied(2), 0.5), **WHO)
    _until(lambda: _models(slots)["models"], lambda m: [x["state"] for x in m][1:] == ["canary"])
    answers = Counter(ask(slots) for _ in range(20))
    assert len(answers) == 1 and set(answers) <= {AT_1, "outbreak@2"}, "one caller, one model"
