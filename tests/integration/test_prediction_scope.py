"""Who may read a prediction by its id, asked of a real service whose log holds two use cases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from agency_service import client, running
from answers import record
from deltalake import DeltaTable
from late_lake import DISTRICTS
from small_service import EARLIER, NAME, NEWEST
from waiting import wait_until

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.identity import api_keys, roles
from yupana.identity.api_keys import Terms
from yupana.ledger import entries, witness
from yupana.lineage import sole_writer
from yupana.orchestration import service
from yupana.predictions import (
    export,
    feedback,
    lake_table,
    log_writer,
    prediction_log,
    usage,
    usage_report,
)
from yupana.trace import recall, recall_answers

OBSERVED = {"kind": "observed", "week_ending": str(NEWEST + timedelta(weeks=1)), "cases": 4}


__all__ = ["client", "running"]


def _predicted(client: httpx.Client) -> str:
    body = {"ubigeo": "160101", "as_of": str(NEWEST + timedelta(days=4))}
    answer = client.post(f"/v1/{NAME}/forecast", json=body)
    return str(answer.json()["predictions"][0]["prediction_id"])


def _of_another_use_case(config: Settings, client: httpx.Client) -> str:
    """An answer to the same agency in the same log: of the same deployment, by another name."""
    url = config.platform_db
    own = prediction_log.by_id(url, _predicted(client), NAME)
    assert own
    content = prediction_log.prediction(
        own.basis._replace(use_case="cholera"), own.entity, own.payload,
        payload_version=own.payload_version, features=own.features, caveats=own.caveats,
    )  # fmt: skip
    other = record(content, agency="A")
    log_writer.record(url, [other])
    return other.prediction_id


def _asked(client: httpx.Client, prediction_id: str) -> list[httpx.Response]:
    return [
        client.get(f"/v1/{NAME}/explain/{prediction_id}"),
        client.post(f"/v1/feedback/{prediction_id}", json=OBSERVED),
    ]


def _words(answer: httpx.Response, prediction_id: str) -> dict[str, Any]:
    """What it says, less the names of the request and of the prediction."""
    body = {k: v for k, v in answer.json().items() if k != "request_id"}
    return {k: v.replace(prediction_id, "…") if isinstance(v, str) else v for k, v in body.items()}


def test_a_service_reads_no_prediction_of_another_use_case(
    running: tuple[Settings, str], client: httpx.Client
) -> None:
    config, _ = running
    own, other, nobody = _predicted(client), _of_another_use_case(config, client), "0" * 32
    assert [a.status_code for a in _asked(client, own)] == [200, 201]
    refused, unknown = _asked(client, other), _asked(client, nobody)
    assert [a.status_code for a in refused] == [a.status_code for a in unknown] == [404, 404]
    for theirs, none in zip(refused, unknown, strict=True):
        assert _words(theirs, other) == _words(none, nobody), "it does not tell that it exists"
    since = datetime(2020, 1, 1, tzinfo=UTC)
    assert feedback.listing(config.platform_db, "cholera", since) == []
    (row,) = feedback.listing(config.platform_db, NAME, since, own)
    assert (row.entity, row.payload["cases"]) == ("160101", 4)


def _listed(client: httpx.Client, day: date, ubigeo: str = "160101") -> dict[str, Any]:
    """The alert of a district, from the forecasts of a day."""
    alerts = client.get(f"/v1/{NAME}/alerts?as_of={day}").json()
    return next(one for one in alerts["districts"] if one["ubigeo"] == ubigeo)


@pytest.mark.parametrize("origin", [NEWEST, EARLIER])
def test_an_alert_is_explained_and_judged_by_its_id(client: httpx.Client, origin: date) -> None:
    listed = _listed(client, origin)
    name, week = listed["prediction_id"], listed["weeks"][0]["week_ending"]
    answer = client.get(f"/v1/{NAME}/explain/{name}")
    assert answer.status_code == 200, answer.text
    explained = answer.json()
    for field in ("prediction_id", "ubigeo", "model", "median", "week_ending"):
        assert explained[field] == listed[field], field
    assert [caveat["code"] for caveat in explained["caveats"]] == ["recorded", "no_causal_effect"]
    added = sum(group["cases"] for group in explained["groups"])
    assert added == pytest.approx(explained["median"] - explained["usual"], abs=0.01)
    address = f"/v1/feedback/{name}"
    assert client.post(address, json={**OBSERVED, "week_ending": week}).status_code == 201
    assert client.post(address, json={**OBSERVED, "week_ending": "2018-01-06"}).status_code == 400


def test_an_alert_leans_on_what_an_answer_of_the_same_data_leans_on(client: httpx.Client) -> None:
    ids = (_predicted(client), _listed(client, NEWEST)["prediction_id"])
    one, other = (client.get(f"/v1/{NAME}/explain/{name}").json() for name in ids)
    for field in ("median", "usual", "usual_log", "seasons", "background", "groups"):
        assert one[field] == other[field], field
    body = {"ubigeo": "160101", "as_of": str(EARLIER)}
    (past,) = client.post(f"/v1/{NAME}/forecast", json=body).json()["predictions"]
    explained = client.get(f"/v1/{NAME}/explain/{past['prediction_id']}")
    assert explained.status_code == 200, "an answer that was a recorded forecast is one as well"


@pytest.mark.parametrize(
    ("role", "scopes", "statuses"),
    [
        ("agency", (f"{NAME}:explain", "feedback:write"), (404, 404)),
        ("agency", (f"{NAME}:explain", f"{NAME}:alerts"), (200, 403)),
        ("auditor", ("*:*",), (200, 403)),
        ("ml-engineer", ("*:*",), (200, 201)),
    ],
)
def test_an_alert_is_of_those_who_may_see_the_alerts(
    running: tuple[Settings, str], client: httpx.Client, role: str, scopes: tuple[str, ...],
    statuses: tuple[int, int],
) -> None:  # fmt: skip
    name, terms = _listed(client, NEWEST)["prediction_id"], Terms("B", scopes, role)
    key = api_keys.create(running[0].platform_db, terms, now=datetime.now(UTC), by="test")
    headers = {"Authorization": f"Bearer {key}"}
    complaint = {"kind": "complaint", "comment": "No."}
    explained = client.get(f"/v1/{NAME}/explain/{name}", headers=headers)
    judged = client.post(f"/v1/feedback/{name}", json=complaint, headers=headers)
    assert (explained.status_code, judged.status_code) == statuses


@pytest.mark.parametrize("table", [f"forecasts/{NAME}", "published/dengue_linelist"])
def test_what_an_alert_rests_on_is_compared_with_its_hash(
    running: tuple[Settings, str], client: httpx.Client, table: str
) -> None:
    name = _listed(client, EARLIER, "160501")["prediction_id"]
    file = sorted((running[0].lake / table).rglob("*.parquet"))[-1]
    content = file.read_bytes()
    try:
        file.write_bytes(content[:-12] + b"x" + content[-11:])
        refused = client.get(f"/v1/{NAME}/explain/{name}")
    finally:
        file.write_bytes(content)
    assert refused.status_code == 503, refused.text
    assert refused.json()["type"] == "urn:yupana:problem:content_changed"


def test_a_service_starts_beside_forecasts_that_no_step_left(
    running: tuple[Settings, str], client: httpx.Client
) -> None:
    config, _ = running
    name = f"forecasts/{NAME}"
    DeltaTable(str(config.lake / name)).delete("ubigeo = '160101'")
    body = {"ubigeo": "160201", "as_of": str(NEWEST + timedelta(days=4))}
    try:
        with service.running(config, NAME) as url:
            answers = (
                client.post(f"{url}/v1/{NAME}/forecast", json=body),
                client.get(f"{url}/v1/{NAME}/alerts", params={"as_of": str(NEWEST)}),
            )
            models = client.get(f"{url}/v1/models")
    finally:
        sole_writer.put_back(config, name)
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert answer.json()["type"] == "urn:yupana:problem:content_changed"
    assert models.status_code == 200
    wait_until(lambda: client.post(f"/v1/{NAME}/forecast", json=body).status_code == 200)


def test_each_use_case_is_exported_by_itself(
    running: tuple[Settings, str], client: httpx.Client
) -> None:
    config, _ = running
    own, other = _predicted(client), _of_another_use_case(config, client)
    export.export(config, NAME, Silent())
    export.export(config, "cholera", Silent())
    report = recall.recall(config, f"model:{NAME}@1")
    touched = {row.prediction_id: row for row in recall_answers.answers(config, report, Silent())}
    assert touched[own].place == "lake" and other not in touched


def test_what_a_service_recorded_is_witnessed(
    running: tuple[Settings, str], client: httpx.Client
) -> None:
    """Within a second or two, without any step being run."""
    config, _ = running
    _predicted(client)
    newest = entries.newest(config.platform_db, "predictions", NAME)
    assert newest
    lines = witness.files(config)[0]
    wait_until(lambda: f'"seq":{newest.seq}' in Path(lines).read_text())


def test_an_agency_lists_its_own_answers_of_this_use_case(
    running: tuple[Settings, str], client: httpx.Client
) -> None:
    config, url = running
    other = _of_another_use_case(config, client)
    ids = [_predicted(client), _predicted(client)][::-1]
    first = client.get("/v1/predictions", params={"limit": 1}).json()
    rest = client.get("/v1/predictions", params={"after": first["next"]}).json()
    (answer,) = first["predictions"]
    assert answer["prediction_id"] == ids[0] and rest["predictions"][0]["prediction_id"] == ids[1]
    assert (answer["entity"], answer["model"], answer["kind"]) == ("160101", f"{NAME}@1", "answer")
    listed = {one["prediction_id"] for one in [answer, *rest["predictions"]]}
    assert other not in listed and first["archived_through"] is None
    terms = Terms("Another", ("predictions:read",), "agency")
    key = api_keys.create(config.platform_db, terms, now=datetime.now(UTC), by="test")
    header = {"Authorization": f"Bearer {key}"}
    nothing = httpx.get(f"{url}/v1/predictions", headers=header, timeout=60)
    assert nothing.json()["predictions"] == []
    for query, where in (
        ({"since": "2026-02-31"}, "since"), ({"until": "yesterday"}, "until"),
        ({"after": "0" * 32}, "after"), ({"limit": 201}, "limit"),
    ):  # fmt: skip
        refused = client.get("/v1/predictions", params=query)
        assert (refused.status_code, refused.json()["where"]) == (400, where), refused.text
    assert " / " in refused.json()["fix"]


def test_what_a_sandbox_key_is_answered_is_marked_recorded_and_counted_nowhere(
    running: tuple[Settings, str], client: httpx.Client
) -> None:
    config, service_url = running
    url, entity = config.platform_db, DISTRICTS[-1]
    terms = Terms("A", roles.scopes_of("sandbox"), "sandbox", quota="none", rate="none")
    key = api_keys.create(url, terms, now=datetime.now(UTC), by="test")
    header = {"Authorization": f"Bearer {key}"}
    day = str(NEWEST + timedelta(days=4))
    with httpx.Client(base_url=service_url, timeout=60, headers=header) as trial:
        forecast = trial.post(f"/v1/{NAME}/forecast", json={"ubigeo": entity, "as_of": day})
        what_if = trial.post(f"/v1/{NAME}/simulate", json={"ubigeo": entity, "recent_cases": 2.0})
        alerts = trial.get(f"/v1/{NAME}/alerts", params={"as_of": day})
        answers = [forecast.json()["predictions"][0], what_if.json(), alerts.json()]
        ids = [answer["prediction_id"] for answer in answers[:2]]
        explained = trial.get(f"/v1/{NAME}/explain/{ids[0]}")
        for answer in (*answers, explained.json()):
            assert "sandbox" in [caveat["code"] for caveat in answer["caveats"]]
        listed = trial.get("/v1/predictions").json()["predictions"]
        assert [(one["prediction_id"], one["kind"]) for one in listed] == [
            (i, "sandbox") for i in ids[::-1]
        ]
        assert trial.post(f"/v1/feedback/{ids[0]}", json=OBSERVED).status_code == 201
        wrong = {**OBSERVED, "week_ending": "2001-01-06"}
        assert trial.post(f"/v1/feedback/{ids[0]}", json=wrong).status_code == 400
        # Neither key reads what is the other's, of the same agency as they are.
        own = _predicted(client)
        assert [a.status_code for a in _asked(trial, own)] == [404, 404]
        assert [a.status_code for a in _asked(client, ids[0])] == [404, 404]
        assert not [i for i in ids if i in client.get("/v1/predictions").text]
    since = datetime(2020, 1, 1, tzinfo=UTC)
    assert feedback.listing(url, NAME, since, ids[0]) == []
    kinds = ("answer", "simulation", "shadow")
    entries_ = prediction_log.entries(url, NAME, kinds=kinds)
    assert entity not in {one.entity for one in entries_}, "nor a shadow's answer"
    export.export(config, NAME, Silent())
    lake = {one.prediction_id for one in lake_table.newest(config, NAME, 1_000)}
    assert own in lake and not lake & set(ids)
    _counted(url, key.split("_")[1], entity)


def _counted(url: str, key_id: str, entity: str) -> None:
    """Once the last use of a key is written, no statistic of it is."""
    wait_until(lambda: any(k["id"] == key_id and k["last_used"] for k in api_keys.listing(url)))
    report = usage_report.report(url, date(2020, 1, 1))
    assert report.total.requests and entity not in {one.entity for one in report.entities}
    with engine(url).connect() as connection:
        mine = sa.select(usage.REQUESTS).where(usage.REQUESTS.c.key_id == key_id)
        assert connection.execute(mine).first() is None
