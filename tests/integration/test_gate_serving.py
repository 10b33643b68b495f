"""The gate under a running service: a suspension stops it in seconds, and only a pass serves."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bentoml
import conftest
import httpx
import pytest
import sqlalchemy as sa

from yupana.client.transport import LONGEST_WAIT
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.gate import actions, gate, measures
from yupana.identity import actors
from yupana.serving import model_manager
from yupana.serving.model_manager import ModelManager
from yupana.tasks.forecast.serving.kind import Preparation
from yupana.tracking import slots, subjects
from yupana.tracking.slots import CHALLENGER, CHAMPION, Placed

pytestmark = pytest.mark.thread
NAME, AS_OF = "outbreak", "2022-01-05"
WITHIN_SECONDS = 5
HERE = actors.here()


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
    while not good(state := look()):
        assert time.monotonic() < end, state
        time.sleep(0.1)
    return state


@pytest.fixture
def suspended(thread: conftest.Thread) -> Iterator[conftest.Thread]:
    """The champion, suspended; resumed in the end."""
    terms = {"reason_en": "false alerts", "now": now(), "accounts": HERE}
    actions.suspend(thread.settings, actions.Order("outbreak@1", "alertas falsas", **terms))
    yield thread
    actions.resume(
        thread.settings, actions.Order("outbreak@1", "corregido", now=now(), accounts=HERE)
    )
    until(lambda: forecast(thread).status_code, lambda status: status == 200)


@pytest.fixture
def placed(thread: conftest.Thread) -> Iterator[str]:
    """The platform database, whose slots are put back in the end."""
    url = thread.settings.platform_db
    yield url
    slots.clear(url, NAME, CHALLENGER, now=now(), by="test")
    slots.place(url, NAME, CHAMPION, Placed("outbreak:1"), now=now(), by="test")


@contextmanager
def by_hand(url: str, slot: str, tag: str) -> Iterator[None]:
    """A tag in a slot, past the platform; then the row as it was, which the ledger knows."""
    rows = slots.SLOTS
    mine = (rows.c.use_case == NAME) & (rows.c.slot == slot)
    hand = {"use_case": NAME, "slot": slot, "tag": tag, "share": 0.5, "time": now(), "by": "hand"}
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        before = [dict(row) for row in connection.execute(sa.select(rows).where(mine)).mappings()]
        connection.execute(sa.delete(rows).where(mine))
        connection.execute(sa.insert(rows), hand)
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(sa.delete(rows).where(mine))
            if before:
                connection.execute(sa.insert(rows), before)
        engine.dispose()


def manager(settings: Settings) -> ModelManager:
    """What a service follows its models by."""
    return ModelManager(settings, NAME, Preparation(settings, NAME))


def copied(tag: str) -> Path:
    """The champion once more in the store, under another version."""
    source = Path(bentoml.models.get("outbreak:1").path)
    with bentoml.models.create(tag) as model:
        skip = shutil.ignore_patterns("model.yaml")
        shutil.copytree(source, model.path, dirs_exist_ok=True, ignore=skip)
    return Path(bentoml.models.get(tag).path)


def subject(version: int) -> measures.Subject:
    path = bentoml.models.get(f"{NAME}:{version}").path
    return subjects.of_folder(NAME, version, Path(path))


def test_a_trial_says_so_in_every_answer(thread: conftest.Thread) -> None:
    prediction = forecast(thread).json()["predictions"][0]
    assert [c["code"] for c in prediction["caveats"]] == ["trial"]
    changed = {"ubigeo": "160101", "recent_cases": 2.0}
    body = ask(thread, "POST", "/v1/outbreak/simulate", changed).json()
    assert body["caveats"][0]["code"] == "trial"
    model = ask(thread, "GET", "/v1/models").json()["models"][0]
    assert model["stage"] == "trial" and model["notice"] == prediction["notice"]
    notice = ask(thread, "GET", prediction["notice"])
    assert notice.status_code == 200 and "Está a prueba" in notice.text
    assert ask(thread, "GET", "/v1/models/other/notice").status_code == 404


def test_a_suspension_stops_every_answer_and_says_why(suspended: conftest.Thread) -> None:
    reply = until(lambda: forecast(suspended), lambda answer: answer.status_code == 503)
    assert reply.headers["content-type"] == "application/problem+json"
    said = reply.json()
    assert said["type"].endswith(":suspended")
    assert int(reply.headers["Retry-After"]) > LONGEST_WAIT, "no client waits for a person"
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
            slots.place(placed, NAME, CHALLENGER, put, now=now(), by="test")
            # Until the service has seen it, and has begun.
            time.sleep(1.0)
        terms = {"reason_en": "false alerts", "now": now(), "accounts": HERE}
        actions.suspend(thread.settings, actions.Order(NAME, "alertas falsas", **terms))
        start = time.monotonic()
        try:
            until(lambda: forecast(thread).status_code, lambda status: status == 503)
            took[what] = time.monotonic() - start
        finally:
            actions.resume(
                thread.settings, actions.Order(NAME, "corregido", now=now(), accounts=HERE)
            )
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
    slots.place(placed, NAME, CHAMPION, Placed("outbreak:68"), now=now(), by="hand")
    try:
        with pytest.raises(TerminalError, match=r"outbreak@68 may not serve: .*no gate pass"):
            manager(thread.settings)
    finally:
        bentoml.models.delete("outbreak:68")


def test_a_gate_that_cannot_be_asked_stops_what_serves(
    thread: conftest.Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_manager, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(model_manager, "PATIENCE_SECONDS", 0.4)
    models = manager(thread.settings)
    try:
        until(lambda: models.suspension, lambda suspension: suspension is None)
        standing = gate.standing
        # Such as where the ledger's public key was removed, or the database cannot be read.
        monkeypatch.setattr(gate, "standing", lambda *_: 1 / 0)
        reason = until(lambda: models.suspension, bool)
        assert reason.code == "not_admitted" and "cannot be asked" in reason.en
        monkeypatch.setattr(gate, "standing", standing)
        until(lambda: models.suspension, lambda suspension: suspension is None)
    finally:
        models.close()


def test_a_machine_that_stood_still_stops_nothing(
    thread: conftest.Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may do so (a laptop that sleeps, a guest that is moved) right after the gate's answer."""
    monkeypatch.setattr(model_manager, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(model_manager, "PATIENCE_SECONDS", 0.4)
    current, reasons = slots.current, set[object]()

    def slow(url: str, use_case: str) -> dict[str, Placed]:
        time.sleep(0.6)
        return current(url, use_case)

    models = manager(thread.settings)
    try:
        monkeypatch.setattr(slots, "current", slow)
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            reasons.add(models.suspension)
            time.sleep(0.02)
        assert reasons == {None}
    finally:
        models.close()


def test_a_suspended_model_stays_stopped_when_it_is_started_again(
    suspended: conftest.Thread,
) -> None:
    models = manager(suspended.settings)
    try:
        assert models.suspension and models.suspension.code == "suspended"
        models.look()
        assert models.suspension
    finally:
        models.close()


def test_what_is_placed_by_hand_without_a_pass_does_not_serve(thread: conftest.Thread) -> None:
    models = manager(thread.settings)
    copied("outbreak:66")
    try:
        for slot in (CHALLENGER, CHAMPION):
            with by_hand(thread.settings.platform_db, slot, "outbreak:66"):
                models.look()
                assert "no gate pass" in models.refused["outbreak:66"]
                assert models.champion.model.tag == "outbreak:1" and models.challenger is None
                if slot == CHAMPION:
                    with pytest.raises(TerminalError, match="outbreak@66 may not serve"):
                        manager(thread.settings)
            models.look()
            assert not models.refused
    finally:
        models.close()
        bentoml.models.delete("outbreak:66")


def test_a_shadows_pass_does_not_let_it_answer(thread: conftest.Thread, placed: str) -> None:
    copied("outbreak:67")
    gate.admit(thread.settings, NAME, subject(67), "shadow", now())
    models = manager(thread.settings)
    try:
        for share, serves in ((0.0, True), (0.5, False), (0.0, True)):
            put = Placed("outbreak:67", share)
            slots.place(placed, NAME, CHALLENGER, put, now=now(), by="hand")
            models.look()
            assert (models.challenger is not None) is serves, share
            assert serves or "shadow" in models.refused["outbreak:67"]
        slots.place(placed, NAME, CHAMPION, Placed("outbreak:67"), now=now(), by="hand")
        models.look()
        assert models.champion.model.tag == "outbreak:1"
    finally:
        models.close()
        bentoml.models.delete("outbreak:67")
