"""The gate under a running service: a suspension stops it in seconds, and only a pass serves."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bentoml
import conftest
import httpx
import pytest
import sqlalchemy as sa

import serving.slots as slots_module
from serving.slots import Slots
from yupana.client.transport import LONGEST_WAIT
from yupana.core.errors import TerminalError
from yupana.governance import acting, actions, deployments, gate, measures
from yupana.governance.deployments import CHALLENGER, CHAMPION, Placed
from yupana.tracking import subjects

pytestmark = pytest.mark.thread
NAME, AS_OF = "outbreak", "2022-01-05"
WITHIN_SECONDS = 5
HERE = acting.here()


def now() -> datetime:
    return datetime.now(UTC)


def ask(thread: conftest.Thread, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {thread.key}"}
    return httpx.request(method, f"{thread.url}{path}", headers=headers, json=body, timeout=30)


def forecast(thread: conftest.Thread) -> httpx.Response:
    body = {"ubigeo": ["160101"], "horizon": 1, "as_of": AS_OF}
    return ask(thread, "POST", "/v1/outbreak/forecast", body)


def until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + WITHIN_SECONDS
    while not good(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


@pytest.fixture
def suspended(thread: conftest.Thread) -> Iterator[conftest.Thread]:
    """The champion, suspended; resumed in the end."""
    told = {"reason_en": "false alerts", "now": now(), "accounts": HERE}
    actions.suspend(thread.settings, "outbreak@1", "alertas falsas", **told)
    yield thread
    actions.resume(thread.settings, "outbreak@1", "corregido", now=now(), accounts=HERE)
    until(lambda: forecast(thread).status_code, lambda status: status == 200)


@pytest.fixture
def placed(thread: conftest.Thread) -> Iterator[str]:
    """The platform database, whose slots are put back in the end."""
    url = thread.settings.platform_db
    yield url
    deployments.clear(url, NAME, CHALLENGER, now=now(), by="test")
    deployments.place(url, NAME, CHAMPION, Placed("outbreak:1"), now=now(), by="test")


def copied(tag: str) -> Path:
    """The champion once more in the store, under another version."""
    source = Path(bentoml.models.get("outbreak:1").path)
    with bentoml.models.create(tag) as made:
        skip = shutil.ignore_patterns("model.yaml")
        shutil.copytree(source, made.path, dirs_exist_ok=True, ignore=skip)
    return Path(bentoml.models.get(tag).path)


def subject(version: int) -> measures.Subject:
    path = bentoml.models.get(f"{NAME}:{version}").path
    return subjects.of_folder(NAME, version, Path(path))


def test_a_trial_says_so_in_every_answer(thread: conftest.Thread) -> None:
    made = forecast(thread).json()["predictions"][0]
    assert [c["code"] for c in made["caveats"]] == ["trial"]
    changed = {"ubigeo": "160101", "recent_cases": 2.0}
    told = ask(thread, "POST", "/v1/outbreak/simulate", changed).json()
    assert told["caveats"][0]["code"] == "trial"
    model = ask(thread, "GET", "/v1/models").json()["models"][0]
    assert model["stage"] == "trial" and model["notice"] == made["notice"]
    notice = ask(thread, "GET", made["notice"])
    assert notice.status_code == 200 and "Está a prueba" in notice.text
    assert ask(thread, "GET", "/v1/models/other/notice").status_code == 404


def test_a_suspension_stops_every_answer_and_says_why(suspended: conftest.Thread) -> None:
    told = until(lambda: forecast(suspended), lambda answer: answer.status_code == 503)
    assert told.headers["content-type"] == "application/problem+json"
    said = told.json()
    assert said["type"].endswith(":suspended")
    assert int(told.headers["Retry-After"]) > LONGEST_WAIT, "no client waits for a person"
    assert "alertas falsas" in said["title"] and "false alerts" in said["title"]
    assert HERE[0].removeprefix("os:") not in said["title"].split(), "a role, no name"
    for method, path, body in (
        ("POST", "/v1/outbreak/simulate", {"ubigeo": "160101", "recent_cases": 2.0}),
        ("GET", f"/v1/outbreak/alerts?as_of={AS_OF}", None),
    ):
        assert ask(suspended, method, path, body).status_code == 503, path
    model = ask(suspended, "GET", "/v1/models").json()["models"][0]
    assert model["state"] == "suspended" and "false alerts" in model["why"]["en"]


def test_a_suspension_is_quick_also_while_a_model_is_loaded(
    thread: conftest.Thread, placed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copied("outbreak:65")
    gate.admit(thread.settings, NAME, subject(65), "shadow", now())
    took = {}
    for what in ("alone", "while a model is loaded"):
        if what != "alone":
            put = Placed("outbreak:65")
            deployments.place(placed, NAME, CHALLENGER, put, now=now(), by="test")
            # Until the service has seen it, and has begun.
            time.sleep(1.0)
        told = {"reason_en": "false alerts", "now": now(), "accounts": HERE}
        actions.suspend(thread.settings, NAME, "alertas falsas", **told)
        start = time.monotonic()
        try:
            until(lambda: forecast(thread).status_code, lambda status: status == 503)
            took[what] = time.monotonic() - start
        finally:
            actions.resume(thread.settings, NAME, "corregido", now=now(), accounts=HERE)
        until(lambda: forecast(thread).status_code, lambda status: status == 200)
    with capsys.disabled():
        print(f"suspension to 503: {', '.join(f'{s:.1f} s {w}' for w, s in took.items())}")
    bentoml.models.delete("outbreak:65")


def test_a_copy_that_was_changed_in_the_store_does_not_serve(
    thread: conftest.Thread, placed: str
) -> None:
    folder = copied("outbreak:68")
    gate.admit(thread.settings, NAME, subject(68), "promote", now())
    (folder / "README.md").write_text("otra ficha")
    deployments.place(placed, NAME, CHAMPION, Placed("outbreak:68"), now=now(), by="hand")
    try:
        with pytest.raises(TerminalError, match=r"outbreak@68 may not serve: .*no gate pass"):
            Slots(thread.settings, NAME)
    finally:
        bentoml.models.delete("outbreak:68")


def test_a_gate_that_cannot_be_asked_stops_what_serves(
    thread: conftest.Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots_module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(slots_module, "PATIENCE_SECONDS", 0.4)
    slots = Slots(thread.settings, NAME)
    try:
        until(lambda: slots.halted, lambda halted: halted is None)
        asked = gate.standing
        # Such as where the ledger's public key was removed, or the database cannot be read.
        monkeypatch.setattr(gate, "standing", lambda *_: 1 / 0)
        told = until(lambda: slots.halted, bool)
        assert told.code == "not_admitted" and "cannot be asked" in told.en
        monkeypatch.setattr(gate, "standing", asked)
        until(lambda: slots.halted, lambda halted: halted is None)
    finally:
        slots.close()


def test_a_suspended_model_stays_stopped_when_it_is_started_again(
    suspended: conftest.Thread,
) -> None:
    slots = Slots(suspended.settings, NAME)
    try:
        assert slots.halted and slots.halted.code == "suspended"
        slots.look()
        assert slots.halted
    finally:
        slots.close()


def test_what_is_placed_by_hand_without_a_pass_does_not_serve(
    thread: conftest.Thread, placed: str
) -> None:
    slots = Slots(thread.settings, NAME)
    try:
        copied("outbreak:66")
        for slot in (CHAMPION, CHALLENGER):
            rows = deployments.SLOTS
            mine = (rows.c.use_case == NAME) & (rows.c.slot == slot)
            row = {"use_case": NAME, "slot": slot, "tag": "outbreak:66", "share": 0.5}
            with sa.create_engine(placed).begin() as connection:
                connection.execute(sa.delete(rows).where(mine))
                connection.execute(sa.insert(rows), {**row, "time": now(), "by": "hand"})
            slots.look()
            assert "no gate pass" in slots.refused["outbreak:66"]
            assert slots.champion.model.tag == "outbreak:1" and slots.challenger is None
        with pytest.raises(TerminalError, match="outbreak@66 may not serve"):
            Slots(thread.settings, NAME)
    finally:
        slots.close()
        bentoml.models.delete("outbreak:66")


def test_a_shadows_pass_does_not_let_it_answer(thread: conftest.Thread, placed: str) -> None:
    copied("outbreak:67")
    gate.admit(thread.settings, NAME, subject(67), "shadow", now())
    slots = Slots(thread.settings, NAME)
    try:
        for share, serves in ((0.0, True), (0.5, False), (0.0, True)):
            put = Placed("outbreak:67", share)
            deployments.place(placed, NAME, CHALLENGER, put, now=now(), by="hand")
            slots.look()
            assert (slots.challenger is not None) is serves, share
            assert serves or "shadow" in slots.refused["outbreak:67"]
        deployments.place(placed, NAME, CHAMPION, Placed("outbreak:67"), now=now(), by="hand")
        slots.look()
        assert slots.champion.model.tag == "outbreak:1"
    finally:
        slots.close()
        bentoml.models.delete("outbreak:67")
