"""The outbreak endpoint over HTTP: its answers, its refusals, its start and its end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from conftest import Thread
from typer.testing import CliRunner

from feature_repo.outbreak.weekly import FEATURES
from models.outbreak import USE_CASE as outbreak
from yupana.cli import main
from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.data.lake import delta
from yupana.features import store
from yupana.lineage import events
from yupana.orchestration import service
from yupana.predictions import prediction_log
from yupana.tasks.forecast import payload
from yupana.tasks.forecast.endemic_channel import ZONES
from yupana.tasks.forecast.entities import inward
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tracking import deployment

IQUITOS = "160101"


AS_OF = "2022-01-05"
"""Some days after the shipped sample ends."""


def call(thread: Thread, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {key or thread.key}",
    }
    request = urllib.request.Request(f"{thread.url}{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def post(thread: Thread, body: Any) -> tuple[int, Any]:
    """Ask for forecasts, some days after the end of the sample unless the body says when."""
    if isinstance(body, dict):
        body = {"as_of": AS_OF, **body}
    return call(thread, "/v1/outbreak/forecast", body)


@pytest.mark.thread
def test_one_district_as_text_gets_eight_weeks_by_default(thread: Thread) -> None:
    status, answer = post(thread, {"ubigeo": IQUITOS})
    assert (status, answer["as_of"], answer["abstentions"]) == (200, AS_OF, [])
    (prediction,) = answer["predictions"]
    assert len(prediction["prediction_id"]) == 32 and prediction["model"].startswith("outbreak@")
    assert len(prediction["weeks"]) == 8 and [c["code"] for c in prediction["caveats"]] == ["trial"]
    for week in prediction["weeks"]:
        assert list(week["quantiles"]) == [str(level) for level in QUANTILES]
        counts = list(week["quantiles"].values())
        assert counts == sorted(counts) and counts[0] >= 0
        assert week["interval_80"] == [week["quantiles"]["0.1"], week["quantiles"]["0.9"]]
        assert week["median"] == week["quantiles"]["0.5"]
        assert week["alert"] in ZONES and 0 <= week["exceedance"] <= 1
    assert prediction["alert"] == prediction["weeks"][3]["alert"]


@pytest.mark.thread
def test_the_answer_is_what_the_model_says_of_the_offline_features(thread: Thread) -> None:
    """Offline and online values are equal, and so are the forecasts made of them."""
    table = delta.read(thread.settings.table("features", "outbreak_weekly")).to_pandas()
    newest = table["event_timestamp"].max()
    offline = table[table["event_timestamp"] == newest].sort_values("ubigeo", ignore_index=True)
    names = offline["ubigeo"].tolist()
    online = store.online_features(thread.settings, outbreak.spec.features.service, names)
    columns = list(FEATURES)
    pd.testing.assert_frame_equal(online[columns], offline[columns], check_dtype=False)
    model = outbreak.load(deployment.folder(thread.settings, "outbreak"))
    quantiles = model.quantiles(inward(offline, "ubigeo"), QUANTILES)
    _, answer = post(thread, {"ubigeo": names})
    for prediction, counts in zip(answer["predictions"], quantiles, strict=True):
        for week, expected in zip(prediction["weeks"], counts, strict=True):
            assert list(week["quantiles"].values()) == expected.tolist()


@pytest.mark.thread
def test_an_answer_is_in_the_log_and_is_traced_to_its_file(thread: Thread) -> None:
    _, answer = post(thread, {"ubigeo": [IQUITOS, "160201"], "horizon": 3})
    for prediction in answer["predictions"]:
        url = thread.settings.platform_db
        row = prediction_log.by_id(url, prediction["prediction_id"], "outbreak")
        assert row and (row.entity, row.caveats) == (prediction["ubigeo"], prediction["caveats"])
        assert row.basis.data_as_of == prediction["data_as_of"]
        assert payload.periods(row, WEEK) == prediction["weeks"]
        assert (row.parameters["horizon"], row.agency) == (3, "local")
        result = CliRunner().invoke(main.app, ["trace", prediction["prediction_id"]])
        assert "source file SHA-256" in result.stdout and prediction["model"] in result.stdout


@pytest.mark.thread
@pytest.mark.parametrize(
    ("body", "status", "where", "says"),
    [
        ({"ubigeo": ["16"]}, 400, "ubigeo.0", "seis dígitos"),
        ({"ubigeo": [IQUITOS] * 2001}, 400, "ubigeo", "1 a 2000"),
        ({"ubigeo": []}, 400, "ubigeo", "1 a 2000"),
        ({}, 400, "ubigeo", "seis dígitos"),
        ({"ubigeo": IQUITOS, "horizon": 9}, 400, "horizon", "1 a 8"),
        ({"ubigeo": IQUITOS, "horizon": True}, 400, "horizon", "1 a 8"),
        ({"ubigeo": IQUITOS, "horizn": 3}, 400, "horizn", "objeto JSON"),
        ({"ubigeo": IQUITOS, "as_of": "2999-01-01"}, 400, "as_of", "no futuro"),
        ({"ubigeo": IQUITOS, "as_of": 1641340800}, 400, "as_of", "Envíe un día"),
        (b"{cut", 400, "cuerpo / body", "objeto JSON"),
    ],
)
def test_a_refusal_says_what_where_and_how_to_mend_it(
    thread: Thread, body: Any, status: int, where: str, says: str
) -> None:
    code, refusal = post(thread, body)
    assert (code, refusal["status"], refusal["where"]) == (status, status, where)
    assert refusal["type"] == "urn:yupana:problem:invalid_request" and refusal["request_id"]
    assert says in refusal["title"] + refusal["fix"]
    assert " / " in refusal["title"], "Spanish and English"
    assert "Traceback" not in json.dumps(refusal)


@pytest.mark.thread
@pytest.mark.parametrize(
    ("ubigeo", "as_of", "code"),
    [
        ("999999", AS_OF, "unknown_district"),
        (IQUITOS, None, "stale_data"),
        (IQUITOS, "2022-02-26", "stale_data"),
        (IQUITOS, "2015-06-01", "not_recorded"),
    ],
)
def test_it_says_why_it_does_not_answer(
    thread: Thread, ubigeo: str, as_of: str | None, code: str
) -> None:
    status, answer = post(thread, {"ubigeo": [ubigeo, "160201"], "as_of": as_of})
    assert status == 200
    abstention = answer["abstentions"][0]
    assert (
        (abstention["ubigeo"], abstention["code"]) == (ubigeo, code)
        and abstention["es"]
        and abstention["en"]
    )
    assert ubigeo not in {p["ubigeo"] for p in answer["predictions"]}


@pytest.mark.thread
def test_weeks_that_are_late_are_told_with_a_caveat(thread: Thread) -> None:
    _, answer = post(thread, {"ubigeo": IQUITOS, "as_of": "2022-01-29"})
    (prediction,) = answer["predictions"]
    assert [note["code"] for note in prediction["caveats"]] == ["trial", "stale_data"]


@pytest.mark.thread
def test_an_unknown_address_is_refused_in_the_same_shape(thread: Thread) -> None:
    code, body = call(thread, "/v1/outbreak/nothing")
    assert code in (403, 404) and {"type", "title", "where", "fix"} <= set(body)


@pytest.mark.thread
def test_a_client_reads_the_reason_and_the_fix(thread: Thread) -> None:
    with pytest.raises(TerminalError) as caught:
        service.ask(thread.url, "outbreak", "forecast", {"ubigeo": ["99"]}, key=thread.key)
    assert "request" in caught.value.what and "INEI" in caught.value.fix


def test_nothing_deployed_stops_the_start_with_the_fix(lake: Settings) -> None:
    start = time.monotonic()
    with (
        pytest.raises(TransientError, match="yupana deploy outbreak") as caught,
        service.running(lake, "outbreak"),
    ):
        pass
    assert "Traceback" not in str(caught.value)
    assert time.monotonic() - start < service.START_SECONDS / 2, "it must not wait for the limit"


def test_the_features_reference_follows_a_new_publication(lake: Settings) -> None:
    """The weekly DAG publishes under a running service; its traces must name the new version."""

    def publish(version: int) -> None:
        ref = f"delta:features/outbreak_weekly@{version}"
        events.append(lake, "features", "outbreak", status="done", outputs=(ref,))

    publish(1)
    events.append(lake, "predict", "outbreak", status="done")
    assert store.online_ref(lake, "outbreak").endswith("@1")
    publish(2)
    assert store.online_ref(lake, "outbreak").endswith("@2")


def test_stopping_reaches_workers_in_sessions_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that ignores SIGTERM, with a worker outside its process group as BentoML has."""
    worker = tmp_path / "worker.pid"
    code = (
        "import signal, subprocess, sys, time, pathlib\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "w = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],\n"
        "                     start_new_session=True)\n"
        f"pathlib.Path({str(worker)!r}).write_text(str(w.pid) + '\\n')\n"
        "time.sleep(600)\n"
    )
    monkeypatch.setattr(service, "STOP_SECONDS", 1)
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    end = time.monotonic() + 20
    while not (worker.exists() and worker.read_text().endswith("\n")):
        assert time.monotonic() < end, "the child did not start its worker"
        time.sleep(0.05)
    orphan = psutil.Process(int(worker.read_text()))
    service.stop_group(child)
    assert child.poll() is not None
    _, alive = psutil.wait_procs([orphan], timeout=5)
    assert all(p.status() == psutil.STATUS_ZOMBIE for p in alive)


def test_the_worker_loads_no_batch_engine() -> None:
    """Importing the module is not all: the worker loads the model's code and Feast too."""
    heavy = {"pyspark", "delta", "airflow", "kfp", "great_expectations", "mlflow", "evidently"}
    code = "import json, sys, serving.outbreak.service, yupana.tasks.forecast.model.model\n"
    code += "import models.outbreak, feature_repo.outbreak.definitions, feast\n"
    code += "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not heavy & set(json.loads(process.stdout.splitlines()[-1]))
