"""`yupana train --cluster` against a local server that answers as the KFP 2 API does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from pipelines.outbreak import PIPELINE
from yupana.cli.registry import train as commands
from yupana.config import settings
from yupana.core.errors import TerminalError, TransientError, UsageError, YupanaError
from yupana.lineage import events
from yupana.training import cluster

APP = typer.Typer()
commands.register(APP)
TOKEN = "right"
RUN = {"run_id": "r-1", "experiment_id": "e-1", "display_name": "outbreak newest"}


def state(name: str, state: str) -> dict[str, str]:
    return {"task_id": name, "display_name": name, "state": state}


class Kubeflow(ThreadingHTTPServer):
    """Knows its runs; what a run is at is what `polls` says, one after the other."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.submitted: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.polls: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Kubeflow

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        path = self.path.split("?")[0].removeprefix("/apis/v2beta1/")
        self.server.asked.append(self.path)
        if path == "healthz":
            self._answer({"multi_user": False})
        elif path == "experiments":
            self._answer({"experiments": [{"experiment_id": "e-1", "display_name": "outbreak"}]})
        elif path == "runs/r-1":
            reply = self.server.polls.pop(0)
            self._answer(reply if isinstance(reply, dict) else {}, 200 if reply else 503)
        else:
            self._answer({}, 404)

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        self.server.submitted.append(json.loads(self.rfile.read(size)))
        self._answer(RUN)

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            body, status = {"error": "Unauthenticated"}, 401
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def kubeflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kubeflow]:
    server = Kubeflow()
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    environment = {
        "HOME": tmp_path / "home", "KFP_HOST": server.url, "KFP_TOKEN": tmp_path / "token",
        "KFP_NAMESPACE": "epidemiology", "IMAGE": "registry.example/yupana:1", "CPU_LIMIT": "4",
        "MEMORY_LIMIT": "16Gi", "GPU_COUNT": "2", "GPU_TYPE": "NVIDIA-H200", "QUEUE": "health",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(f"YUPANA_{name}", str(value))
    monkeypatch.setattr(cluster, "POLL_SECONDS", 0.01)
    settings.settings.cache_clear()
    yield server
    settings.settings.cache_clear()
    server.shutdown()
    server.server_close()


def train(*options: str) -> Result:
    return CliRunner().invoke(APP, ["train", "outbreak", "--cluster", *options])


def error(result: Result) -> YupanaError:
    assert isinstance(result.exception, YupanaError), result.output
    return result.exception


def test_the_run_asks_for_what_the_settings_say(kubeflow: Kubeflow) -> None:
    result = train("--no-wait", "--as-of", "2019-12-28", "--tuning", "tuning:1", "--json")
    assert result.exit_code == 0, result.exception
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["outputs"] == ["kfp:r-1"] and report["state"] == "SUBMITTED"
    assert report["link"] == f"{kubeflow.url}/#/runs/details/r-1"
    assert any("namespace=epidemiology" in path for path in kubeflow.asked)
    submission = kubeflow.submitted[-1]
    assert submission["experiment_id"] == "e-1"
    arguments = {"as_of": "2019-12-28", "tuning": "tuning:1", "backtest_origins": ""}
    assert submission["runtime_config"]["parameters"] == arguments
    spec, platform = (
        submission["pipeline_spec"]["pipeline_spec"],
        submission["pipeline_spec"]["platform_spec"],
    )
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    labels = {"kueue.x-k8s.io/queue-name": "health"}
    volume = [{"constant": "yupana-home", "mountPath": cluster.HOME}]
    for name, executor in spec["deploymentSpec"]["executors"].items():
        container, task = executor["container"], name.removeprefix("exec-")
        assert container["image"] == "registry.example/yupana:1"
        assert {"name": "YUPANA_HOME", "value": cluster.HOME} in container["env"]
        assert {"name": "OMP_NUM_THREADS", "value": "4"} in container["env"]
        variables = {one["name"]: one.get("value", "") for one in container["env"]}
        parent = json.loads(variables["YUPANA_ASKED_BY"])
        assert (parent["run"], parent["job"]) == (report["event"], "submit.outbreak")
        resources = container["resources"]
        assert (resources["resourceCpuLimit"], resources["resourceMemoryLimit"]) == ("4", "16Gi")
        assert placed[name]["podMetadata"] == {"labels": labels}
        assert placed[name]["pvcMount"] == volume
        learns = task in PIPELINE.learns
        assert ("accelerator" in resources) == ("nodeSelector" in placed[name]) == learns
        if learns:
            kind = {"resourceType": "nvidia.com/gpu", "resourceCount": "2"}
            assert kind.items() <= resources["accelerator"].items()
            assert placed[name]["nodeSelector"] == {
                "labels": {"nvidia.com/gpu.product": "NVIDIA-H200"}
            }


def test_it_is_the_pipeline_that_runs_here(kubeflow: Kubeflow, tmp_path: Path) -> None:
    assert train("--no-wait").exit_code == 0
    submission = kubeflow.submitted[-1]["pipeline_spec"]["pipeline_spec"]
    PIPELINE.compile_to(tmp_path / "here.yaml")
    here = yaml.safe_load((tmp_path / "here.yaml").read_text())
    assert submission["root"]["dag"]["tasks"].keys() == here["root"]["dag"]["tasks"].keys()
    for name, task in here["root"]["dag"]["tasks"].items():
        assert submission["root"]["dag"]["tasks"][name]["inputs"] == task["inputs"]
    for name, executor in here["deploymentSpec"]["executors"].items():
        there = submission["deploymentSpec"]["executors"][name]["container"]
        assert there["command"] == executor["container"]["command"]


def test_waiting_tells_each_task_and_survives_a_lost_answer(kubeflow: Kubeflow) -> None:
    kubeflow.polls = [
        {**RUN, "state": "RUNNING", "run_details": {"task_details": [state("split", "RUNNING")]}},
        None,
        {**RUN, "state": "SUCCEEDED",
         "run_details": {"task_details": [state("split", "SUCCEEDED")]}},
    ]  # fmt: skip
    result = train("--json")
    assert result.exit_code == 0, result.exception
    assert json.loads(result.stdout.splitlines()[-1])["state"] == "SUCCEEDED"
    assert "split: running" in result.stderr and "split: succeeded" in result.stderr


def test_a_task_that_fails_there_is_named(kubeflow: Kubeflow) -> None:
    details = {"task_details": [state("pool", "FAILED"), state("split", "SUCCEEDED")]}
    kubeflow.polls = [{**RUN, "state": "FAILED", "run_details": details}]
    fault = error(train())
    assert isinstance(fault, TerminalError) and "pool failed" in fault.what
    assert "r-1" in fault.where
    assert [e["status"] for e in events.read(settings.settings().events)] == ["failed"]


def test_a_run_that_is_cancelled_there_ends_the_wait(kubeflow: Kubeflow) -> None:
    kubeflow.polls = [{**RUN, "state": "RUNNING"}, {**RUN, "state": "CANCELED"}]
    fault = error(train())
    assert isinstance(fault, TerminalError) and "CANCELED (no task failed)" in fault.what


def test_when_the_cluster_goes_away_the_run_goes_on(kubeflow: Kubeflow) -> None:
    kubeflow.polls = [None] * cluster.LOST
    fault = error(train())
    assert isinstance(fault, TransientError) and "goes on" in fault.fix


def test_a_wrong_token_is_told(kubeflow: Kubeflow, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("wrong")
    fault = error(train())
    assert isinstance(fault, UsageError) and "401" in fault.what
    assert "YUPANA_KFP_TOKEN" in fault.fix
    assert not kubeflow.submitted


@pytest.mark.parametrize(("cpus", "threads"), [("0.5", 1), ("500m", 1), ("2500m", 2), ("8", 8)])
def test_as_many_threads_as_whole_cpus(cpus: str, threads: int) -> None:
    assert cluster._threads(cpus) == threads


@pytest.mark.parametrize(
    ("name", "value", "kind", "says"),
    [
        ("KFP_HOST", "http://127.0.0.1:9", TransientError, "does not answer"),
        ("KFP_HOST", "", UsageError, "No Kubeflow cluster"),
        ("KFP_TOKEN", "/no/such/file", UsageError, "cannot be read"),
        ("MEMORY_LIMIT", "much", UsageError, "cannot ask for that"),
    ],
)
def test_wrong_settings_are_told(
    kubeflow: Kubeflow, monkeypatch: pytest.MonkeyPatch,
    name: str, value: str, kind: type, says: str,
) -> None:  # fmt: skip
    monkeypatch.setenv(f"YUPANA_{name}", value)
    settings.settings.cache_clear()
    fault = error(train())
    assert isinstance(fault, kind) and says in fault.what
    assert not kubeflow.submitted
