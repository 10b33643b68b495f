"""One engine that several processes share: how it ends, its token, and what it publishes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import many_lake
import pytest
import yaml
from conftest import engine_or_skip
from waiting import wait_until

from yupana.config.settings import Settings
from yupana.core import ports
from yupana.core.hashing import pseudonym
from yupana.core.progress import Silent
from yupana.data import engine
from yupana.data.engine.spark import QUICK_START
from yupana.data.lake import delta
from yupana.orchestration import standalone
from yupana.orchestration.ingest import ingest

START_SECONDS = 240
TASK = """
from yupana.config.settings import settings
from yupana.data import engine
engine.session(settings()).sql("SELECT 1").collect()
print("has a session", flush=True)
input()
"""


def test_a_task_ends_though_the_shared_engine_is_gone(tmp_path: Path) -> None:
    port = ports.free()
    command, environment, tasks = standalone.shared_engine(
        Settings(home=tmp_path, engine_port=port), Silent()
    )
    server = subprocess.Popen(command, env=environment)
    wait_until(lambda: ports.answers(port), 60)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    task = subprocess.Popen([sys.executable, "-c", TASK], env=tasks.environment(), **pipes)
    try:
        assert task.stdout and task.stdout.readline() == b"has a session\n"
        server.terminate()
        server.wait(30)
        task.communicate(b"\n", timeout=60)
        assert task.returncode == 0
    finally:
        for process in (server, task):
            process.kill()
            process.wait()


@dataclass
class SharedSpark:
    """The server that `yupana up` starts, but compiled for few rows, and the settings of the tasks
    that share it."""

    tasks: Settings
    log: Path


@pytest.fixture(scope="module")
def shared_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedSpark]:
    port, home = ports.free(), tmp_path_factory.mktemp("spark")
    own = Settings(
        home=home, engine=engine_or_skip("spark"), engine_port=port,
        spark_java_options=QUICK_START,
    )  # fmt: skip
    command, environment, tasks = standalone.shared_engine(own, Silent())
    assert tasks.engine_token and tasks.engine_token.read_text() not in " ".join(command)
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: ports.answers(port), START_SECONDS)
        yield SharedSpark(tasks, home / "log")
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.spark
def test_a_shared_spark_asks_for_its_token(shared_spark: SharedSpark) -> None:
    """For a client with the token and one without."""
    tasks = shared_spark.tasks
    assert tasks.engine_token and tasks.engine_token.stat().st_mode & 0o077 == 0
    assert engine.session(tasks).sql("SELECT 1 AS one").collect()[0]["one"] == 1
    with pytest.raises(Exception, match=r"(?i)unauthenticated|token"):
        stranger = tasks.model_copy(update={"engine_token": None})
        engine.session(stranger).sql("SELECT 1").collect()
    assert tasks.engine_token.read_text() not in shared_spark.log.read_text()


@pytest.mark.spark
def test_a_shared_spark_publishes_pseudonyms(shared_spark: SharedSpark, tmp_path: Path) -> None:
    """The renaming function goes to a server that was started without it."""
    lake = many_lake.project(tmp_path, "merge", "beds.csv")
    path = lake.root / "expectations" / many_lake.NAME / "contract.yaml"
    contract = yaml.safe_load(path.read_text())
    reporter = contract["schema"][0]["properties"][-1]
    contract["schema"][0]["properties"].append({**reporter, "name": "born", "logicalType": "date"})
    path.write_text(yaml.safe_dump(contract))
    tasks = shared_spark.tasks
    lake = lake.model_copy(update={"engine": tasks.engine, "engine_token": tasks.engine_token})
    # The second one is merged into the table that the first one wrote.
    for text in ("a,1,Ana,1980-03-05 b,2,Luz,1980-03-05 c,3,,", "a,5,Ana,1980-03-05"):
        many_lake.put(lake, "beds.csv", text, "hospital,beds,reporter,born\n")
        ingest(lake, many_lake.NAME, None, Silent())
    key = bytes.fromhex((lake.home / "keys" / "pseudonym.key").read_text())
    day = pseudonym(key, "beds.born", "1980-03-05")
    ana, luz = (pseudonym(key, "beds.reporter", name) for name in ("Ana", "Luz"))
    rows = delta.read(lake.table("published", many_lake.NAME)).sort("hospital")
    assert rows.select("hospital", "beds", "reporter", "born").rows() == [
        ("a", 5, ana, day), ("b", 2, luz, day), ("c", 3, None, None)
    ]  # fmt: skip
