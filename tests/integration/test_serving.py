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

import psutil
import pytest
from conftest import Thread

from serving.features_ref import FeaturesRef
from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.forecast import QUANTILES
from yupana.governance import events, predictions
from yupana.orchestration import service

IQUITOS = "160101"


def post(url: str, body: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{url}/v1/outbreak/forecast", data, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.thread
def test_one_district_as_text_gets_eight_weeks_by_default(thread: Thread) -> None:
    status, answer = post(thread.url, {"ubigeo": IQUITOS})
    assert status == 200
    (made,) = answer["predictions"]
    assert len(made["prediction_id"]) == 32 and made["model"].startswith("outbreak@")
    assert len(made["weeks"]) == 8
    for week in made["weeks"]:
        assert list(week["quantiles"]) == [str(level) for level in QUANTILES]
        counts = list(week["quantiles"].values())
        assert counts == sorted(counts) and counts[0] >= 0
        assert week["interval_80"] == [week["quantiles"]["0.1"], week["quantiles"]["0.9"]]
        assert week["median"] == week["quantiles"]["0.5"]


@pytest.mark.thread
def test_an_answer_is_recorded_in_log_and_ledger(thread: Thread) -> None:
    _, answer = post(thread.url, {"ubigeo": [IQUITOS, "160201"], "horizon": 3})
    ids = [made["prediction_id"] for made in answer["predictions"]]
    logged = {
        row["prediction_id"]: row
        for row in predictions.logged(thread.settings.platform_db, "outbreak")
    }
    for made in answer["predictions"]:
        row = logged[made["prediction_id"]]
        assert (row["ubigeo"], row["data_as_of"]) == (made["ubigeo"], made["data_as_of"])
        assert row["answer"] == made["weeks"] and len(made["weeks"]) == 3
    event = events.last_done(thread.settings.events, "predict", "outbreak")
    assert event and event["outputs"] == [f"prediction:{i}" for i in ids]
    kinds = [ref.split(":")[0] for ref in event["inputs"]]
    assert kinds == ["model", "deployment", "delta"]


@pytest.mark.thread
@pytest.mark.parametrize(
    ("body", "status", "where", "says"),
    [
        ({"ubigeo": [IQUITOS, "999999"]}, 404, "ubigeo", "999999"),
        ({"ubigeo": ["16"]}, 400, "ubigeo.0", "seis dígitos"),
        ({"ubigeo": [IQUITOS] * 101}, 400, "ubigeo", "1 a 100"),
        ({"ubigeo": []}, 400, "ubigeo", "1 a 100"),
        ({}, 400, "ubigeo", "seis dígitos"),
        ({"ubigeo": IQUITOS, "horizon": 9}, 400, "horizon", "1 a 8"),
        ({"ubigeo": IQUITOS, "horizon": True}, 400, "horizon", "1 a 8"),
        ({"ubigeo": IQUITOS, "horizn": 3}, 400, "horizn", "objeto JSON"),
        (b"{cut", 400, "cuerpo / body", "objeto JSON"),
    ],
)
def test_a_refusal_says_what_where_and_how_to_mend_it(
    thread: Thread, body: Any, status: int, where: str, says: str
) -> None:
    code, said = post(thread.url, body)
    assert (code, set(said), said["where"]) == (status, {"what", "where", "fix"}, where)
    assert says in said["what"] + said["fix"]
    assert " / " in said["what"], "Spanish and English"
    assert "Traceback" not in json.dumps(said)


@pytest.mark.thread
def test_an_unknown_address_is_refused_in_the_same_shape(thread: Thread) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{thread.url}/v1/nothing", timeout=10)
    assert caught.value.code == 404
    assert set(json.load(caught.value)) == {"what", "where", "fix"}


@pytest.mark.thread
def test_a_client_reads_the_reason_and_the_fix(thread: Thread) -> None:
    with pytest.raises(TerminalError) as caught:
        service.ask(thread.url, ["999999"])
    assert "999999" in caught.value.what and "INEI" in caught.value.fix


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
        events.append(lake.events, "features", "outbreak", status="done", outputs=(ref,))

    publish(1)
    ref = FeaturesRef(lake, "outbreak")
    events.append(lake.events, "predict", "outbreak", status="done")
    assert ref.now().endswith("@1")
    publish(2)
    assert ref.now().endswith("@2")
    with lake.events.open("a") as stream:
        stream.write('{"step": "features", "sub')  # a line that another process is writing
    assert ref.now().endswith("@2")


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
    code = "import json, sys, serving.outbreak, models.outbreak, feature_repo.outbreak, feast\n"
    code += "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not heavy & set(json.loads(done.stdout.splitlines()[-1]))
