"""What tests share: one temporary home, the engine, and the thread run once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Before any import of yupana: Feast definitions read the settings when they are imported.
os.environ["YUPANA_HOME"] = tempfile.mkdtemp(prefix="yupana-test-")
# BentoML keeps the first store that it was asked for: it must not be the developer's.
os.environ["BENTOML_HOME"] = f"{os.environ['YUPANA_HOME']}/bentoml"

import pytest

from yupana.config.settings import ROOT, Settings, settings
from yupana.core.progress import Lines
from yupana.data.engine import spark
from yupana.governance.local_key import local_key
from yupana.orchestration import service
from yupana.orchestration import thread as the_thread

# Spark's half of a test shares one JVM with all others of the process.
ENGINES = ["sail", pytest.param("spark", marks=pytest.mark.spark)]
BOTH_ENGINES = pytest.mark.parametrize("engine", ENGINES, indirect=True)
SHARED = ROOT.parent / "shared" / "data"
SAMPLE = ROOT / "samples" / "dengue_loreto_2010_2021.csv.gz"


def engine_or_skip(name: str) -> str:
    """The engine, or a skip that says what it lacks here."""
    if name == "spark" and spark.java_version() < spark.JAVA_OLDEST:
        pytest.skip(f"Apache Spark needs Java {spark.JAVA_OLDEST}: {spark.JAVA}")
    return name


@dataclass
class Thread:
    """The thread after one run, with its service still answering at `url`."""

    settings: Settings
    run: the_thread.ThreadRun
    url: str
    key: str


@pytest.fixture(scope="session")
def thread() -> Iterator[Thread]:
    """Run the whole thread once: Airflow, KFP and BentoML as `make run` does."""
    run = the_thread.run(settings(), Lines())
    with service.running(settings(), "outbreak") as url:
        key = local_key(settings().platform_db, settings().home)
        yield Thread(settings(), run, url, key)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of a test: Sail, unless the test is marked by `BOTH_ENGINES`."""
    return engine_or_skip(getattr(request, "param", "sail"))


@pytest.fixture
def lake(tmp_path: Path, engine: str) -> Settings:
    """Settings with an empty home of their own."""
    return Settings(home=tmp_path / "home", engine=engine)


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[None]:
    """A model store of the test's own, in this process: versions begin at 1 in it."""
    from bentoml._internal.configuration.containers import BentoMLContainer
    from bentoml._internal.models.model import ModelStore

    folder = tmp_path / "store"
    folder.mkdir()
    BentoMLContainer.model_store.set(ModelStore(str(folder)))
    yield
    BentoMLContainer.model_store.reset()


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Path of a file of the real public data, or a skip that says what is absent."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"the real data is not beside the clone: {path}")
        return path

    return find
