"""Who may read a prediction by its id, asked of a real service whose log holds two use cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import small_service
from answers import record
from small_service import EARLIER, NAME, NEWEST

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.identity import api_keys
from yupana.identity.api_keys import Terms
from yupana.ledger import entries, witness
from yupana.orchestration import service
from yupana.predictions import export, feedback, log_writer, prediction_log
from yupana.trace import recall, recall_answers

OBSERVED = {"kind": "observed", "week_ending": str(NEWEST + timedelta(weeks=1)), "cases": 4}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, str]]:
    config = Settings(home=tmp_path_factory.mktemp("small") / "home", serve_port=0)
    small_service.run(config)
    with service.running(config, NAME) as url:
        yield config, url


@pytest.fixture
def client(running: tuple[Settings, str]) -> Iterator[httpx.Client]:
    """Of the agency A, which may ask for anything of any use case."""
    config, url = running
    terms = Terms("A", ("*:*",), "agency", quota="none", rate="none")
    key = api_keys.create(config.platform_db, terms, now=datetime.now(UTC), by="test")
    with httpx.Client(
        base_url=url, timeout=60, headers={"Authorization": f"Bearer {key}"}
    ) as opened:
        yield opened


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
    from waiting import wait_until

    config, _ = running
    _predicted(client)
    newest = entries.newest(config.platform_db, "predictions", NAME)
    assert newest
    lines = witness.files(config)[0]
    wait_until(lambda: f'"seq":{newest.seq}' in Path(lines).read_text())
