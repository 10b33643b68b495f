"""Citizens and clerks at the addresses of cases: receipts, following, objecting, handling."""

from __future__ import annotations

import base64
import io
import json
import statistics
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from case_app import NAME, Office, office

from yupana.config.settings import Settings
from yupana.database.engine import engine
from yupana.ledger import entries
from yupana.serving import openapi
from yupana.tasks.classify.cases import queue
from yupana.tasks.classify.cases import service as services
from yupana.tasks.classify.cases.following import UnknownReceiptError
from yupana.tasks.classify.cases.tables import CASE_ATTACHMENTS, CASE_EVENTS, CASES
from yupana.tasks.classify.labelling import labels

ADDRESS = f"/v1/{NAME}"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with office(Settings(home=tmp_path), monkeypatch) as one:
        yield one


def count(desk: Office, table: sa.Table) -> int:
    with engine(desk.url).connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def one_case(desk: Office, key: dict[str, str]) -> dict[str, Any]:
    (case,) = desk.queue(key)
    return case


def test_a_citizen_gets_a_receipt_at_once_and_follows_to_the_answer(desk: Office) -> None:
    got = desk.send("No recogen la basura de mi calle", title="Basura")
    assert set(got) == {
        "receipt", "secret", "follow", "received", "deadline", "state", "notices"
    }  # fmt: skip
    assert got["follow"] == f"{ADDRESS}/{got['receipt']}" and not got["notices"]
    seen = desk.follow(got)
    assert seen.json()["state"] == "received" and seen.headers["cache-control"] == "no-store"
    assert desk.route() == 1
    seen = desk.follow(got, got["secret"].lower().replace("-", " ")).json()
    assert seen["department"]["code"] == "limpieza_publica" and seen["answer"] is None
    assert [entry["es"] for entry in seen["history"]] == [
        "Se recibió", "Pasó a: Subgerencia de limpieza pública",
    ]  # fmt: skip
    clerk = desk.key("limpieza_publica")
    case = one_case(desk, clerk)
    taken = desk.act(clerk, case["id"], "take", version=case["version"]).json()
    done = desk.act(clerk, case["id"], "answer", version=taken["version"], text="El jueves.")
    assert done.status_code == 200, done.text
    seen = desk.follow(got).json()
    assert seen["state"] == "answered" and seen["answer"]["text"] == "El jueves."
    assert seen["answer"]["by"] == "clerk" and "person:" not in json.dumps(seen)


def test_the_same_request_gets_the_same_receipt_and_another_body_a_conflict(desk: Office) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = desk.send("No recogen la basura", headers=key)
    assert desk.send("No recogen la basura", headers=key) == first
    assert count(desk, CASES) == count(desk, CASE_EVENTS) == 1
    refused = desk.send("Otra cosa", 409, headers=key)
    assert "Idempotency-Key" in refused["title"] and "receipt" not in refused
    desk.send("No recogen la basura", 400, headers={"Idempotency-Key": "1"})
    assert desk.send("No recogen la basura")["receipt"] != first["receipt"]
    secret = first["secret"].replace("-", "").encode()
    for path in desk.service.settings.home.rglob("*"):
        stored = path.is_file() and path.read_bytes()
        assert not stored or (secret not in stored and first["secret"].encode() not in stored)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b'{"text": ""}', 400),
        (b'{"text": " \\u0000\\u200b \\n"}', 400),
        (b'{"text": "a", "more": 1}', 400),
        (b'{"text": "a", "text": "b"}', 400),
        (b'{"text": "\xff\xfe"}', 400),
        (b'{"text": "\\ud800"}', 400),
        (b'{"text": 5}', 400),
        (b"[" * 50_000, 400),
        (b'{"text": "a", "place": {"lat": 91}}', 400),
        (b'{"text": "a", "contact": "a@b.pe\\nBcc: x@y.pe"}', 400),
        (b'{"text": "' + b"a" * (1 << 20) + b'"}', 413),
        (b'{"text": "' + b"a" * 5_001 + b'"}', 400),
        ('{"text": "🙂🙂🙂"}'.encode(), 201),
        (b'{"text": "<script>alert(1)</script> basura"}', 201),
        (b'{"text": "\\u0007ba\\u202esura\\u0000"}', 201),
    ],
)
def test_bad_input_is_refused_or_kept_as_text(desk: Office, content: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    answer = desk.client.post(ADDRESS, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert count(desk, CASES) == (status == 201)
    if status != 201:
        assert answer.headers["content-type"] == "application/problem+json"
        return
    assert desk.route() == 1
    supervisor = desk.key("x", "supervisor")
    text = one_case(desk, supervisor)["text"]
    assert "\0" not in text and "\u202e" not in text and "\x07" not in text


def test_a_zip_bomb_is_kept_as_bytes_and_given_back_as_bytes(desk: Office) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(20 << 20))
    content = packed.getvalue()
    file = {
        "content": base64.b64encode(content).decode(), "name": "../../../etc/foto.zip",
        "media_type": "text/html",
    }  # fmt: skip
    desk.send("No recogen la basura", attachments=[file])
    desk.route()
    clerk = desk.key("limpieza_publica")
    case = one_case(desk, clerk)
    whole = desk.client.get(f"{ADDRESS}/review/{case['id']}", headers=clerk).json()
    (kept,) = whole["attachments"]
    assert kept["size"] == len(content) and "/" not in kept["name"]
    where = f"{ADDRESS}/review/{case['id']}/attachments/{kept['sha256']}"
    answer = desk.client.get(where, headers=clerk)
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    other = desk.client.get(where.replace(kept["sha256"], "0" * 64), headers=clerk)
    assert other.status_code == 404
    home = desk.service.settings.home / "attachments"
    assert [p.read_bytes() for p in home.rglob("*") if p.is_file()] == [content]
    reads = [e for e in entries.read(desk.url, kind="case") if e.facts["what"] == "read attachment"]
    assert len(reads) == 1 and reads[0].actor.startswith("person:")


@pytest.mark.parametrize("content", ["%%%", "", "A" * 60_000])
def test_attachments_that_are_none_or_too_large_are_refused(desk: Office, content: str) -> None:
    desk.send("No recogen la basura", 400, attachments=[{"content": content}])
    assert count(desk, CASES) == count(desk, CASE_ATTACHMENTS) == 0


def test_a_guess_is_told_nothing_and_is_limited(desk: Office) -> None:
    got = desk.send("No recogen la basura")
    wrong = "0000-0000-0000-0000-0000-0000-0000"
    unknown = {"receipt": "0000-0000-0000", "secret": wrong}
    bodies = []
    for answer in (desk.follow(got, wrong), desk.follow(unknown), desk.follow(got, " ")):
        body = answer.json()
        body.pop("request_id")
        bodies.append((answer.status_code, body))
    assert bodies[0] == bodies[1] == bodies[2] and bodies[0][0] == 404
    statuses = [desk.follow(unknown).status_code for _ in range(services.GUESSES.limit)]
    assert statuses.count(404) == services.GUESSES.limit - 3 and statuses[-1] == 429
    refused = desk.follow(got)
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
    desk.service.guesses = services.Attempts(services.GUESSES)
    for _ in range(30):
        assert desk.follow(got).status_code == 200, "whoever has the secret is not counted"


def test_time_does_not_tell_a_receipt_that_exists(desk: Office) -> None:
    got = desk.send("No recogen la basura")
    wrong = "0000-0000-0000-0000-0000-0000-0000"
    seconds: dict[str, list[float]] = {got["receipt"]: [], "0000-0000-0000": []}
    for _ in range(200):
        for receipt, spent in seconds.items():
            began = time.perf_counter()
            with pytest.raises(UnknownReceiptError):
                desk.service.follower.look(receipt, wrong)
            spent.append(time.perf_counter() - began)
    one, other = (statistics.median(spent) for spent in seconds.values())
    assert 0.8 < one / other < 1.25, (one, other)


def test_a_clerk_of_another_department_sees_nothing(desk: Office) -> None:
    desk.send("No recogen la basura")
    desk.route()
    case = one_case(desk, desk.key("x", "supervisor"))
    other = desk.key("transporte")
    assert desk.queue(other) == [] == desk.queue(other, department="limpieza_publica")
    mine = desk.key("transporte, limpieza_publica")
    assert [c["id"] for c in desk.queue(mine)] == [case["id"]]
    answers = [
        desk.client.get(f"{ADDRESS}/review/{case['id']}", headers=other),
        desk.client.get(f"{ADDRESS}/review/{'0' * 32}", headers=other),
        desk.act(other, case["id"], "take", version=2),
        desk.act(other, case["id"], "answer", version=2, text="Sí."),
        desk.act(other, case["id"], "merge", version=2, into=case["id"]),
        desk.act(other, case["id"], "original", reason="Porque sí."),
    ]
    assert {answer.status_code for answer in answers} == {404}
    titles = {a.json()["title"].replace(case["id"], "…").replace("0" * 32, "…") for a in answers}
    assert len(titles) == 1
    assert desk.client.get(f"{ADDRESS}/review").status_code == 401


def test_of_two_clerks_the_second_is_told_that_the_case_changed(desk: Office) -> None:
    desk.send("No recogen la basura")
    desk.route()
    one, other = desk.key("limpieza_publica"), desk.key("limpieza_publica")
    case = one_case(desk, one)
    assert desk.act(one, case["id"], "take", version=2).status_code == 200
    late = desk.act(other, case["id"], "close", version=2, reason="Doble.")
    assert late.status_code == 409 and "3" in late.json()["title"]
    assert [c["id"] for c in desk.queue(one, mine=True)] == [case["id"]]
    assert desk.queue(other, mine=True) == []


def test_a_correction_moves_the_case_and_is_kept_to_learn_from(desk: Office) -> None:
    desk.send("Algo pasa con el can del vecino")
    desk.route()
    clerk, sanidad = desk.key("mesa_de_partes"), desk.key("sanidad")
    case = one_case(desk, clerk)
    assert case["abstention"] == "not_sure" and case["why"]["es"] == "el sistema no está seguro"
    assert desk.act(clerk, case["id"], "correct", version=2, label="nada").status_code == 400
    fixed = desk.act(clerk, case["id"], "correct", version=2, label="animales", reason="Un can.")
    assert (fixed.json()["department"], fixed.json()["state"]) == ("sanidad", "department")
    assert desk.queue(clerk) == [] and len(desk.queue(sanidad, label="animales")) == 1
    (label,) = labels.of(desk.url, NAME)
    assert (label.entity, label.label, label.source) == (case["id"], "animales", "clerk")
    assert label.author.startswith("person:")


def test_transfers_need_a_reason_and_are_counted(desk: Office) -> None:
    desk.send("No recogen la basura")
    desk.route()
    clerk, rentas = desk.key("limpieza_publica"), desk.key("rentas")
    case = one_case(desk, clerk)
    for body in ({"department": "rentas", "reason": " "}, {"department": "luna", "reason": "A"}):
        assert desk.act(clerk, case["id"], "transfer", version=2, **body).status_code == 400
    moved = desk.act(clerk, case["id"], "transfer", version=2, department="rentas", reason="Ley.")
    assert moved.json()["transfers"] == 1 and moved.json()["taken_by"] == ""
    assert desk.act(clerk, case["id"], "take", version=3).status_code == 404
    back = desk.act(
        rentas, case["id"], "transfer", version=3, department="limpieza_publica", reason="No."
    )
    assert back.json()["transfers"] == 2
    whole = desk.client.get(f"{ADDRESS}/review/{case['id']}", headers=clerk).json()
    assert [e["reason"] for e in whole["history"]] == ["", "", "Ley.", "No."]


def test_an_objection_is_read_by_a_person(desk: Office) -> None:
    got = desk.send("¿A qué hora pasa el camión de la basura?")
    headers = {"X-Receipt-Secret": got["secret"]}
    where = f"{ADDRESS}/{got['receipt']}/object"
    early = desk.client.post(where, json={"reason": "No."}, headers=headers)
    assert early.status_code == 409, "nobody has looked at it"
    desk.route()
    answer = desk.follow(got).json()["answer"]
    assert (answer["by"], answer["source"], answer["day"]) == ("prepared", "ejemplo", "2026-01-01")
    wrong = desk.client.post(where, json={"reason": "No."}, headers={"X-Receipt-Secret": "x"})
    assert wrong.status_code == 404
    assert desk.client.post(where, json={"reason": " "}, headers=headers).status_code == 400
    seen = desk.client.post(where, json={"reason": "No responde."}, headers=headers)
    assert seen.json()["state"] == "review"
    case = one_case(desk, desk.key("limpieza_publica"))
    assert case["objections"] == 1 and case["version"] == 3
    assert desk.client.post(where, json={"reason": "Otra."}, headers=headers).status_code == 409


def test_closing_reopening_and_merging(desk: Office) -> None:
    first, second = desk.send("No recogen la basura aquí"), desk.send("Basura allá")
    desk.route()
    clerk = desk.key("limpieza_publica")
    ids = {case["receipt"]: case["id"] for case in desk.queue(clerk)}
    one, other = ids[first["receipt"]], ids[second["receipt"]]
    assert desk.act(clerk, one, "merge", version=2, into=one).status_code == 409
    merged = desk.act(clerk, other, "merge", version=2, into=one)
    assert merged.json()["state"] == "merged"
    assert desk.act(clerk, one, "merge", version=2, into=other).status_code == 409
    (line,) = desk.queue(clerk)
    assert (line["id"], line["reports"]) == (one, 1)
    assert desk.act(clerk, one, "answer", version=2, text="Listo.").status_code == 200
    seen = desk.follow(second).json()
    assert seen["joined"] and seen["answer"]["text"] == "Listo." and seen["state"] == "answered"
    opened = desk.act(clerk, other, "reopen", version=3, reason="Es otro asunto.").json()
    assert (opened["state"], opened["duplicate_of"]) == ("department", "")
    assert desk.follow(second).json()["answer"] is None
    closed = desk.act(clerk, other, "close", version=4, reason="No es de aquí.")
    assert closed.json()["state"] == "closed" and desk.queue(clerk) == []
    assert desk.act(clerk, other, "take", version=5).status_code == 409


def test_every_decision_of_a_person_is_in_the_ledger_without_a_word_of_text(desk: Office) -> None:
    desk.send("No recogen la basura de Rosa Quispe")
    desk.route()
    clerk = desk.key("limpieza_publica")
    case = one_case(desk, clerk)["id"]
    desk.act(clerk, case, "take", version=2)
    desk.act(clerk, case, "transfer", version=3, department="rentas", reason="Rosa lo pide")
    desk.act(desk.key("rentas"), case, "answer", version=4, text="Estimada Rosa")
    decisions = list(entries.read(desk.url, kind="case"))
    assert [e.facts["what"] for e in decisions] == ["taken", "transferred", "answered"]
    assert all(e.actor.startswith("person:") for e in decisions)
    assert len({e.actor for e in decisions}) == 2
    assert not [line for line in entries.lines(desk.url) if b"Rosa" in line]


def test_the_original_is_read_with_a_reason_and_told_to_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = {
        "mask": lambda text: text.replace("Rosa", "[NOMBRE]"),
        "seal": lambda content: bytes(b ^ 0x55 for b in content),
        "unseal": lambda content: bytes(b ^ 0x55 for b in content),
    }
    with office(Settings(home=tmp_path), monkeypatch, **sealed) as desk:
        got = desk.send("No recogen la basura, dice Rosa", contact="rosa@correo.pe")
        assert got["notices"]
        desk.route()
        clerk = desk.key("limpieza_publica")
        case = one_case(desk, clerk)
        assert case["text"] == "No recogen la basura, dice [NOMBRE]"
        assert desk.act(clerk, case["id"], "original", reason=" ").status_code == 400
        assert not list(entries.read(desk.url, kind="case"))
        text = desk.act(clerk, case["id"], "original", reason="Falta el nombre.").json()
        assert text == {"title": "", "text": "No recogen la basura, dice Rosa"}
        (event,) = entries.read(desk.url, kind="case")
        assert event.facts["what"] == "read original"
    stored = (tmp_path / "platform.db").read_bytes()
    assert b"Rosa" not in stored and b"rosa@correo" not in stored


def test_the_queue_is_filtered_and_paged_the_most_urgent_first(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["No recogen la basura", "Basura y un cable caído", "No pasa el bus", "¿Qué?"]
    for text in texts:
        desk.send(text)
    desk.route()
    supervisor = desk.key("x", "supervisor")
    everything = desk.queue(supervisor)
    assert [c["priority"] for c in everything] == ["emergencia", "normal", "normal", "normal"]
    assert len(desk.queue(supervisor, state="review")) == 1
    assert len(desk.queue(supervisor, priority="emergencia")) == 1
    assert len(desk.queue(supervisor, label="movilidad_y_transporte")) == 1
    assert desk.queue(supervisor, language="qu") == [] == desk.queue(supervisor, overdue=True)
    assert len(desk.queue(supervisor, overdue=False)) == 4
    monkeypatch.setattr(queue, "PAGE", 3)
    answer = desk.client.get(f"{ADDRESS}/review", headers=supervisor).json()
    assert len(answer["cases"]) == 3 and answer["after"]
    rest = desk.client.get(
        f"{ADDRESS}/review", params={"after": answer["after"]}, headers=supervisor
    ).json()
    assert [c["id"] for c in answer["cases"] + rest["cases"]] == [c["id"] for c in everything]
    assert rest["after"] == ""
    for junk in ("junk", "W10=", base64.urlsafe_b64encode(b'[1, "x", 2]').decode()):
        wrong = desk.client.get(f"{ADDRESS}/review", params={"after": junk}, headers=supervisor)
        assert wrong.status_code == 400, junk
    assert desk.client.get(f"{ADDRESS}/review?estado=x", headers=supervisor).status_code == 400


def test_a_database_that_is_away_gives_no_receipt(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(url: str, **_: Any) -> Any:
        raise sa.exc.OperationalError("", {}, Exception("gone"))

    monkeypatch.setattr("yupana.tasks.classify.cases.store.engine", away)
    answer = desk.client.post(ADDRESS, json={"text": "No recogen la basura"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_addresses_are_described(desk: Office) -> None:
    described = openapi.page(desk.app)
    paths = described["paths"]
    assert {f"{ADDRESS}", f"{ADDRESS}/{{receipt}}", f"{ADDRESS}/review/{{case}}/answer"} <= {*paths}
    assert {} in paths[ADDRESS]["post"]["security"], "no key is needed"
    assert "security" not in paths[f"{ADDRESS}/review"]["get"]
    names = {p["name"] for p in paths[ADDRESS]["post"]["parameters"]}
    assert names == {"Idempotency-Key"}
    for path, methods in paths.items():
        for operation in methods.values():
            assert " / " in operation["summary"] and "422" not in operation["responses"], path
