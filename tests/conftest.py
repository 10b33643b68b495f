"""What tests share: one temporary home, the engine, and the thread run once."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

# Before any import of yupana: Feast definitions read the settings when they are imported.
os.environ["YUPANA_HOME"] = tempfile.mkdtemp(prefix="yupana-test-")
# BentoML keeps the first store that it was asked for: it must not be the developer's.
os.environ["BENTOML_HOME"] = f"{os.environ['YUPANA_HOME']}/bentoml"
# Test processes stand side by side: each service takes whichever port is free.
os.environ["YUPANA_SERVE_PORT"] = "0"

import hypothesis
import pytest
from seconds import pytest_terminal_summary  # noqa: F401 (a hook)
from xdist.scheduler import LoadFileScheduling

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


# The same examples in each run, and no word on a machine that is busy.
hypothesis.settings.register_profile("yupana", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("yupana")

TOGETHER = {
    "thread": re.compile(r"^def \w+\([^)]*\bthread\b", re.M),
    "spark": re.compile(r"\b(BOTH_ENGINES|ENGINES|mark\.spark)\b"),
}
"""What is made once a run (the thread, a JVM), and how a file that uses it is known: all those
files go to the same test process."""

QUICK = ("unit", "property", "golden")


@lru_cache
def group(file: str) -> str:
    """What a test file shares with others, else the file itself."""
    # The process that hands out tests does not import them.
    text = (ROOT / file).read_text(encoding="utf-8")
    return next((name for name, uses in TOGETHER.items() if uses.search(text)), file)


class Together(LoadFileScheduling):
    """Hands out whole files, so that a fixture of a module is made once, and groups of files."""

    def _split_scope(self, nodeid: str) -> str:
        return group(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """For test processes side by side (`-n`)."""
    return Together(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long parts go first, so that no process is left alone with one in the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(str(item.path.relative_to(ROOT))))


@lru_cache
def _rank(file: str) -> int:
    first = group(file)
    if first in TOGETHER:
        return list(TOGETHER).index(first)
    return 3 if file.split("/")[1] in QUICK else 2


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
